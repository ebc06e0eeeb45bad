"""Small transformers with random weights, and inputs to run them on.

Sizes are odd on purpose: hidden 48 with 4 heads gives heads of 12, lengths are
primes, so that nothing is a multiple of a vector by accident.
"""
import dataclasses
import math
from typing import Callable

import torch
import transformers

VOCABULARY = 160


@dataclasses.dataclass
class Family:
    """A module that maps a list of tensors to a tuple, and its interface."""
    module: torch.nn.Module
    call: Callable[..., tuple]
    # Name to the names of its dynamic axes.
    inputs: dict[str, dict[int, str]]
    outputs: dict[str, dict[int, str]]
    # The arguments an exporter traces with: never 0 or 1, which torch.export
    # would take for constants.
    example: list[torch.Tensor]
    # Label of a set, which is also what it tests, to arguments.
    sets: dict[str, list[torch.Tensor]]


def randomize(module, seed):
    """Unit gain everywhere, but no weight that is trivially 0 or 1."""
    generator = torch.Generator().manual_seed(seed)

    def noise(parameter):
        return torch.randn(parameter.shape, generator=generator)

    embeddings = {id(m.weight) for m in module.modules()
                  if isinstance(m, torch.nn.Embedding)}
    with torch.no_grad():
        for parameter in module.parameters():
            if id(parameter) in embeddings:
                parameter.copy_(0.5 * noise(parameter))
            elif parameter.ndim <= 1 or parameter.numel() == max(parameter.shape):
                parameter.add_(0.1 * noise(parameter))
            else:
                fan_in = parameter[0].numel()
                parameter.copy_(noise(parameter) / math.sqrt(fan_in))
    if hasattr(module, "tie_weights"):
        module.tie_weights()
    return module.eval()


def make(model_class, config, seed):
    torch.manual_seed(seed)
    model = model_class._from_config(config, attn_implementation="sdpa",
                                     dtype=torch.float32)
    return randomize(model, seed)


def token_ids(batch, length, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, VOCABULARY, (batch, length), generator=generator)


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def padded_mask(batch, length, lengths=None):
    """Ones for the first lengths[b] tokens of row b."""
    mask = torch.ones(batch, length, dtype=torch.int64)
    for row, valid in enumerate(lengths or []):
        mask[row, valid:] = 0
    return mask


BATCH_SEQUENCE = {0: "batch", 1: "sequence"}
# batch, length, valid lengths. Odd, one, ragged with a row of a single token.
ENCODER_SETS = {
    "one_token": (1, 1, None),
    "batch_1_odd": (1, 7, None),
    "batch_2": (2, 16, None),
    "batch_3_ragged": (3, 13, [13, 6, 1]),
}


def encoder(module, names, output, seed):
    """A token encoder with some of input_ids, attention_mask, token_type_ids."""

    def feed(batch, length, lengths=None):
        segments = (torch.arange(length) > length // 2).long()
        values = {
            "input_ids": token_ids(batch, length, seed + batch * length),
            "attention_mask": padded_mask(batch, length, lengths),
            "token_type_ids": segments.expand(batch, length).contiguous(),
        }
        return [values[name] for name in names]

    return Family(
        module,
        lambda m, *args: (getattr(m(**dict(zip(names, args))), output),),
        {name: BATCH_SEQUENCE for name in names},
        {output: BATCH_SEQUENCE},
        feed(2, 8, [8, 5]),
        {label: feed(*args) for label, args in ENCODER_SETS.items()})


def bert():
    config = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=48, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=96, max_position_embeddings=32)
    return encoder(make(transformers.BertModel, config, 1),
                   ["input_ids", "attention_mask", "token_type_ids"],
                   "last_hidden_state", 10)


def distilbert():
    config = transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=32, n_layers=2, n_heads=2, hidden_dim=80,
        max_position_embeddings=32)
    return encoder(make(transformers.DistilBertModel, config, 2),
                   ["input_ids", "attention_mask"], "last_hidden_state", 20)


def t5_encoder():
    config = transformers.T5Config(
        vocab_size=VOCABULARY, d_model=40, d_kv=8, d_ff=72, num_layers=2,
        num_heads=5, relative_attention_num_buckets=8,
        relative_attention_max_distance=16, feed_forward_proj="gated-gelu")
    return encoder(make(transformers.T5EncoderModel, config, 3),
                   ["input_ids", "attention_mask"], "last_hidden_state", 30)


def vit():
    config = transformers.ViTConfig(
        hidden_size=48, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=96, image_size=24, patch_size=8, num_labels=10)
    module = make(transformers.ViTForImageClassification, config, 4)

    def image(batch):
        return [normal(batch, 3, 24, 24, seed=40 + batch)]

    return Family(
        module, lambda m, pixels: (m(pixel_values=pixels).logits,),
        {"pixel_values": {0: "batch"}}, {"logits": {0: "batch"}}, image(2),
        {f"batch_{batch}": image(batch) for batch in (1, 3, 5)})


def gpt2_model():
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=48, n_layer=2, n_head=4, n_inner=80,
        n_positions=48, bos_token_id=1, eos_token_id=2)
    return make(transformers.GPT2LMHeadModel, config, 5)


def gpt2():
    """The whole prompt in one pass, without cache."""
    def feed(batch, length, lengths=None):
        return [token_ids(batch, length, 50 + batch * length),
                padded_mask(batch, length, lengths)]

    def call(module, ids, mask):
        return (module(input_ids=ids, attention_mask=mask,
                       use_cache=False).logits,)

    names = ["input_ids", "attention_mask"]
    return Family(
        gpt2_model(), call, {name: BATCH_SEQUENCE for name in names},
        {"logits": BATCH_SEQUENCE}, feed(2, 8, [8, 5]),
        {label: feed(*args) for label, args in ENCODER_SETS.items()})


def gpt2_past():
    """With past and present keys and values, named as Optimum names them."""
    module = gpt2_model()
    layers, heads = module.config.n_layer, module.config.n_head
    size = module.config.n_embd // heads
    past = [f"past_key_values.{layer}.{part}" for layer in range(layers)
            for part in ("key", "value")]
    total = "past_sequence_length + sequence_length"
    inputs = {
        "input_ids": {0: "batch_size", 1: "sequence_length"},
        "attention_mask": {0: "batch_size", 1: total},
        "position_ids": {0: "batch_size", 1: "sequence_length"},
    }
    inputs |= {p: {0: "batch_size", 2: "past_sequence_length"} for p in past}
    outputs = {"logits": {0: "batch_size", 1: "sequence_length"}}
    outputs |= {p.replace("past_key_values", "present"):
                {0: "batch_size", 2: total} for p in past}

    def feed(batch, length, before, skipped=None):
        # Row b does not see its first skipped[b] cache entries.
        mask = torch.ones(batch, before + length, dtype=torch.int64)
        for row, count in enumerate(skipped or []):
            mask[row, :count] = 0
        positions = (mask.cumsum(-1) - 1)[:, -length:].contiguous()
        cache = [0.5 * normal(batch, heads, before, size, seed=60 + i)
                 for i in range(len(past))]
        return [token_ids(batch, length, 60 + batch), mask, positions, *cache]

    def call(module, ids, mask, positions, *cache):
        pairs = [(cache[2 * i], cache[2 * i + 1]) for i in range(layers)]
        result = module(input_ids=ids, attention_mask=mask,
                        position_ids=positions, use_cache=True,
                        past_key_values=transformers.DynamicCache(pairs))
        present = [t for layer in result.past_key_values.layers
                   for t in (layer.keys, layer.values)]
        return (result.logits, *present)

    return Family(
        module, call, inputs, outputs, feed(2, 3, 4),
        {"prefill": feed(2, 5, 0), "decode": feed(1, 1, 11),
         "decode_ragged": feed(3, 1, 7, [0, 3, 6]),
         "chunk_ragged": feed(2, 4, 5, [2, 0])})


FAMILIES = {
    "bert": bert,
    "distilbert": distilbert,
    "t5-encoder": t5_encoder,
    "vit": vit,
    "gpt2": gpt2,
    "gpt2-past": gpt2_past,
}
