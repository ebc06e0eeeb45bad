"""Turns an entry of the catalogue into a module that torch can export."""
import inspect
import pathlib
import sys

import numpy as np
import torch
import transformers

import interface

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]
                       / "models" / "export"))
from families import Family, randomize  # noqa: E402

INTEGERS = np.dtype(np.int64)
FLOATS = np.dtype(np.float32)


def make_model(entry):
    config = getattr(transformers, entry.config)(**entry.settings)
    # Experts as one product of gathered weights; a loop can't be exported.
    if "expert" in str(config.to_dict()):
        config._experts_implementation = "batched_mm"
    torch.manual_seed(0)
    make = (getattr(transformers, entry.model)._from_config if entry.model
            else transformers.AutoModelForCausalLM.from_config)
    try:
        model = make(config, attn_implementation="sdpa", dtype=torch.float32)
    except (ValueError, ImportError):
        model = make(config, attn_implementation="eager", dtype=torch.float32)
    return randomize(model, 0)


def tensors(output):
    """The tensors of a model's output by name, without hidden states."""
    return {name: value for name, value in output.items()
            if torch.is_tensor(value) and value.is_floating_point()
            and value.ndim and name not in ("loss", "attentions")}


def pairs(cache):
    return [t for layer in cache.layers for t in (layer.keys, layer.values)]


def cache_of(tensors):
    return transformers.DynamicCache(
        list(zip(tensors[::2], tensors[1::2], strict=True)))


def free_axes(name, inputs):
    return {axis: what for axis, (what, known)
            in enumerate(zip(interface.axes(name, inputs), inputs[name][1]))
            if known is None}


def family(module, call, inputs, outputs):
    """inputs: name to (type, fixed sizes); outputs: names."""
    def feed(dims):
        return [torch.from_numpy(a)
                for a in interface.feed(inputs, dims).values()]

    return Family(module, call, {name: free_axes(name, inputs)
                                 for name in inputs},
                  {name: {} for name in outputs}, feed(interface.EXAMPLE),
                  {str(i): feed(dims)
                   for i, dims in enumerate(interface.SETS)})


def plain(model, entry, **constants):
    """All inputs by keyword; whatever tensors come out."""
    inputs = {}
    accepted = inspect.signature(model.forward).parameters
    for name in entry.inputs:
        if name not in accepted:
            continue
        if name in ("pixel_values", "input_values", "input_features"):
            inputs[name] = FLOATS, (None, *(entry.sizes or [None]))
        elif name == "bbox":
            inputs[name] = INTEGERS, (None, None, 4)
        else:
            inputs[name] = INTEGERS, (None, None)

    def call(module, *arguments):
        result = module(**dict(zip(inputs, arguments)), **constants,
                        return_dict=True)
        return tuple(tensors(result).values())

    example = interface.feed(inputs, interface.EXAMPLE)
    with torch.no_grad():
        found = tensors(model(**{n: torch.from_numpy(a)
                                 for n, a in example.items()},
                              **constants, return_dict=True))
    return family(model, call, inputs, list(found))


def prompt(model, entry):
    """A decoder that reads a whole text, without what it could remember."""
    return plain(model, entry, use_cache=False)


def decoder(model, entry):
    """With past and present keys and values, named as Optimum names them."""
    names = ["input_ids", "attention_mask"]
    if "position_ids" in inspect.signature(model.forward).parameters:
        names.append("position_ids")
    with torch.no_grad():
        cache = pairs(model(input_ids=torch.full((1, 3), 5),
                            use_cache=True).past_key_values)
    past = [f"past_key_values.{layer}.{part}"
            for layer in range(len(cache) // 2) for part in ("key", "value")]
    inputs = {name: (INTEGERS, (None, None)) for name in names}
    inputs |= {name: (FLOATS, (None, t.shape[1], None, t.shape[3]))
               for name, t in zip(past, cache)}

    def call(module, *arguments):
        result = module(**dict(zip(names, arguments)), use_cache=True,
                        past_key_values=cache_of(arguments[len(names):]))
        return (result.logits, *pairs(result.past_key_values))

    present = [name.replace("past_key_values", "present") for name in past]
    return family(model, call, inputs, ["logits", *present])


def encoder_part(model, entry):
    return plain(model.get_encoder(), entry)


def decoder_part(model, entry, has_past=False):
    """The decoder of an encoder-decoder, for its first or its later steps."""
    config = model.config
    layers = getattr(config, "num_decoder_layers", None) or config.decoder_layers
    heads = getattr(config, "num_heads", None) or config.decoder_attention_heads
    head = getattr(config, "d_kv", None) or config.d_model // heads
    # Whisper's encoder has one length and no padding.
    source = getattr(config, "max_source_positions", None)
    inputs = {"decoder_input_ids": (INTEGERS, (None, None))}
    if source is None:
        inputs["encoder_attention_mask"] = INTEGERS, (None, None)
    if not has_past:
        inputs["encoder_hidden_states"] = FLOATS, (None, source, config.d_model)
    past = {way: [f"past_key_values.{layer}.{way}.{part}"
                  for layer in range(layers) for part in ("key", "value")]
            for way in ("decoder", "encoder")}
    base = len(inputs)
    if has_past:
        inputs |= {n: (FLOATS, (None, heads, None, head))
                   for n in past["decoder"]}
        inputs |= {n: (FLOATS, (None, heads, source, head))
                   for n in past["encoder"]}

    def call(module, *arguments):
        named = dict(zip(inputs, arguments))
        if has_past:
            own, other = (cache_of([named[n] for n in names])
                          for names in past.values())
            length = named[past["encoder"][0]].shape[2]
            states = arguments[base].new_zeros(arguments[0].shape[0], length,
                                               config.d_model)
        else:
            own, other = (transformers.DynamicCache() for _ in past)
            states = named["encoder_hidden_states"]
        masks = {} if source else {
            "attention_mask": named["encoder_attention_mask"]}
        result = module(
            encoder_outputs=transformers.modeling_outputs.BaseModelOutput(
                last_hidden_state=states),
            decoder_input_ids=named["decoder_input_ids"],
            past_key_values=transformers.EncoderDecoderCache(own, other),
            use_cache=True, **masks)
        found = result.past_key_values
        kept = [] if has_past else pairs(found.cross_attention_cache)
        return (result.logits, *pairs(found.self_attention_cache), *kept)

    written = past["decoder"] + ([] if has_past else past["encoder"])
    return family(model, call, inputs, ["logits", *(
        n.replace("past_key_values", "present") for n in written)])


def decoder_part_past(model, entry):
    return decoder_part(model, entry, has_past=True)


def make(entry):
    return globals()[entry.kind](make_model(entry), entry)
