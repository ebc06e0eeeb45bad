"""Makes a valid graph invalid, in one place."""
import warnings

import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator


def axis_out_of_range(draw, model):
    nodes = [n for n in model.graph.node
             if any(a.name == "axis" for a in n.attribute)]
    node = draw.choice(nodes)
    attribute = next(a for a in node.attribute if a.name == "axis")
    attribute.i += draw.choice([40, -40])


def unknown_operator(draw, model):
    draw.choice(model.graph.node).op_type = "Frobnicate"


def unknown_domain(draw, model):
    draw.choice(model.graph.node).domain = "org.example"


def undefined_name(draw, model):
    node = draw.choice([n for n in model.graph.node if n.input])
    node.input[draw.randrange(len(node.input))] = "nowhere"


def missing_operand(draw, model):
    node = draw.choice([n for n in model.graph.node if n.input])
    del node.input[:]


def cycle(draw, model):
    """Not only out of order, which all who read ONNX sort out."""
    nodes = model.graph.node
    pairs = [(first, second) for first in nodes for second in nodes
             if first.input and set(first.output) & set(second.input)]
    first, second = draw.choice(pairs)
    first.input[0] = second.output[0]


def name_made_twice(draw, model):
    first, second = draw.sample(list(model.graph.node), 2)
    second.output[0] = first.output[0]


def other_type(draw, model):
    info = draw.choice(model.graph.input)
    kind = info.type.tensor_type
    kind.elem_type = (onnx.TensorProto.BOOL
                      if kind.elem_type != onnx.TensorProto.BOOL
                      else onnx.TensorProto.FLOAT)


def other_extent(draw, model):
    # Of these the reference demands more extents to be equal than the
    # specification does.
    if any(n.op_type == "GatherElements" for n in model.graph.node):
        raise ValueError
    info = draw.choice([i for i in model.graph.input
                        if i.type.tensor_type.shape.dim])
    draw.choice(info.type.tensor_type.shape.dim).dim_value += 3


def short_weight(draw, model):
    """A file whose tensor has fewer bytes than its dims say."""
    tensor = draw.choice([t for t in model.graph.initializer
                          if len(t.raw_data) > 1])
    tensor.raw_data = tensor.raw_data[:-1]


def unknown_attribute(draw, model):
    node = draw.choice(model.graph.node)
    node.attribute.append(helper.make_attribute("frobnication", 1))


MUTATIONS = [axis_out_of_range, unknown_operator, unknown_domain,
             undefined_name, missing_operand, cycle, name_made_twice, other_type, other_extent, short_weight,
             unknown_attribute]


def is_refused_by_onnx(model, feeds):
    """Whether the checker or the reference says that it is invalid."""
    try:
        onnx.checker.check_model(model, full_check=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ReferenceEvaluator(model).run(None, feeds(model))
    except Exception:  # Whatever it says.
        return True
    return False


def break_model(draw, model, feeds):
    """The mutation's name, or None where it left the graph valid.

    feeds(model) makes inputs of the types and shapes that it declares.
    """
    mutate = draw.choice(MUTATIONS)
    valid = onnx.ModelProto.FromString(model.SerializeToString())
    try:
        mutate(draw, model)
    except (IndexError, ValueError):  # Nothing to break that way.
        return None
    # The checker refuses some valid graphs, too: deprecated operators.
    if (not is_refused_by_onnx(model, feeds)
            or is_refused_by_onnx(valid, feeds)):
        return None
    return mutate.__name__
