"""How a node of each operator is drawn: its operands and attributes, from what
the operator's specification demands of them.

A function takes a Graph, adds one node and returns nothing. Where what it drew
is invalid after all, Graph.add refuses it.
"""
OPERATORS = []


def operator(weight=1):
    """Registers a function; those of more weight are drawn more often."""
    def register(function):
        OPERATORS.extend([function] * weight)
        return function
    return register
