"""GELU, SiLU, sigmoid and softmax written out, and near misses."""
import math


def build(draw):
    graph = draw.graph({"A": [1, 2, 3], "B": [2, 4, 7]})
    activation = _Activation(draw, graph)
    x = graph.input(["A", "B"], lambda shape: 2 * draw.normal(shape))
    y = draw.choice([activation.gelu, activation.gelu, activation.gelu_tanh,
                     activation.gelu_tanh, activation.sigmoid,
                     activation.softmax])(x)
    graph.output(y)
    return graph


class _Activation:
    def __init__(self, draw, graph):
        self.draw = draw
        self.graph = graph

    def binary(self, op_type, *operands):
        """Of a commutative operator, in either order."""
        return self.graph.add(op_type, *self.draw.swapped(*operands))

    def number(self, value):
        """Rarely another one."""
        if self.draw.rarely():
            value *= self.draw.choice([-1, 0.5, 1.01, 2])
        return self.graph.constant([value] if self.draw.rarely() else value)

    def times(self, x, factor):
        """x * factor, also as a division."""
        if self.draw.coin():
            return self.binary("Mul", x, self.number(factor))
        return self.graph.add("Div", x, self.number(1 / factor))

    def other(self, x):
        """x, rarely something else of its shape or one that broadcasts."""
        if not self.draw.rarely():
            return x
        return self.draw.choice([
            lambda: self.graph.add("Neg", x),
            lambda: self.graph.reduce("ReduceMax", x, [1]),
            lambda: self.graph.input(["A", "B"], self.draw.normal)])()

    def halved_product(self, x, inner):
        """x * (1 + inner) * 0.5 in some order."""
        factors = [self.other(x), self.binary("Add", inner, self.number(1))]
        self.draw.shuffle(factors)
        if self.draw.coin():  # A half with one of the two.
            factors[0] = self.times(factors[0], 0.5)
            return self.binary("Mul", *factors)
        return self.times(self.binary("Mul", *factors), 0.5)

    def gelu(self, x):
        erf = self.graph.add("Erf", self.times(self.other(x),
                                               1 / math.sqrt(2)))
        return self.halved_product(x, erf)

    def power(self, x, exponent):
        if self.draw.coin():
            return self.graph.add("Pow", x, self.number(float(exponent)))
        product = x
        for _ in range(exponent - 1):
            product = self.binary("Mul", product, x)
        return product

    def gelu_tanh(self, x):
        outer = math.sqrt(2 / math.pi)
        if self.draw.coin():
            cubic = self.times(self.power(x, 3), 0.044715)
            argument = self.times(self.binary("Add", self.other(x), cubic),
                                  outer)
        else:  # x (c + c a x²)
            square = self.times(self.power(x, 2), 0.044715)
            argument = self.binary(
                "Mul", self.times(x, outer),
                self.binary("Add", square, self.number(1)))
        return self.halved_product(x, self.graph.add("Tanh", argument))

    def sigmoid(self, x):
        """Alone, or times x: SiLU, and the quick GELU with a factor."""
        graph = self.graph
        argument = self.other(x)
        if self.draw.coin():
            argument = self.times(argument, 1.702)
        if self.draw.coin():
            y = graph.add("Sigmoid", argument)
        else:
            sign = "Identity" if self.draw.rarely() else "Neg"
            exp = graph.add("Exp", graph.add(sign, argument))
            y = graph.add("Div", self.number(1),
                          self.binary("Add", exp, self.number(1)))
        return self.binary("Mul", self.other(x), y) if self.draw.coin() else y

    def softmax(self, x):
        graph, draw = self.graph, self.draw
        axis = draw.randrange(2)
        axes = [1 - axis if draw.rarely() else axis for _ in range(2)]
        if draw.rarely():
            axes[0] = 0
        shifted = x
        if draw.random() < 0.8:
            kind = "ReduceMin" if draw.rarely() else "ReduceMax"
            shifted = graph.add("Sub", x, graph.reduce(kind, x, [axes[0]]))
        exp = graph.add("Exp", shifted)
        total = graph.reduce("ReduceSum", exp, [axes[1]])
        if draw.rarely():
            total = graph.add("Add", total, graph.constant(1))
        if draw.coin():
            return graph.add("Div", exp, total)
        return self.binary("Mul", exp, graph.add("Reciprocal", total))
