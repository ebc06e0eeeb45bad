"""Checks a decoder whose cache became state of the session.

The ONNX graph gets the cache as inputs and gives the longer one back; the
compiled model keeps it. Both get the same tokens, a chunk at a time.
"""
import numpy as np
import onnx

import feeds

PAST, PRESENT = "past_key_values.", "present."
# Tokens of each call: a prompt and single steps; chunks of other lengths.
CHUNKS = ((5, 1, 1, 1), (1, 3, 1, 7))


def has_state(path, inputs):
    """True when the graph's cache inputs are no inputs of the compiled model."""
    return bool(cache_shapes(path).keys() - inputs)


def cache_shapes(path):
    """The dims of the cache inputs, 0 where they are free."""
    graph = onnx.load(path, load_external_data=False).graph
    return {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim]
            for i in graph.input if i.name.startswith(PAST)}


def step_inputs(ids, before):
    batch, length = ids.shape
    positions = np.arange(before, before + length)
    return {"input_ids": ids,
            "attention_mask": np.ones((batch, before + length), np.int64),
            "position_ids": np.tile(positions, (batch, 1))}


def check(check, reference, path, batches):
    """Runs every chunking at every batch; each begins with an empty cache."""
    shapes = cache_shapes(path)
    graph = onnx.load(path, load_external_data=False).graph
    vocabulary = feeds.table_rows(graph)["input_ids"]
    for batch in batches:
        for chunks in CHUNKS:
            rng = np.random.default_rng([batch, *chunks])
            cache = {name: np.zeros((batch, heads, 0, size), np.float32)
                     for name, (_, heads, _, size) in shapes.items()}
            for model in check.models.values():
                model.reset()
            before = 0
            for length in chunks:
                ids = rng.integers(0, vocabulary, (batch, length))
                inputs = step_inputs(ids, before)
                results = reference.run(inputs | cache)
                check.case(f"batch {batch}, {length} tokens after {before}",
                           inputs | cache,
                           {k: v for k, v in results.items()
                            if not k.startswith(PRESENT)})
                cache = {k: results[k.replace(PAST, PRESENT)] for k in cache}
                before += length
