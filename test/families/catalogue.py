"""Families of transformers, each as a tiny configuration.

The structure is that of the published models; widths and depths are the least
that keep it.
"""
import dataclasses

from interface import VOCABULARY


@dataclasses.dataclass
class Entry:
    """kind: the function of kinds.py that makes a module of it."""
    kind: str
    config: str
    settings: dict
    model: str | None = None
    inputs: tuple = ("input_ids", "attention_mask")
    # Of the input that is no token, behind the batch; None: free.
    sizes: tuple = ()


FAMILIES = {}


def add(name, kind, config, settings, model=None, **more):
    FAMILIES[name] = Entry(kind, config, settings, model, **more)


SPECIAL = dict(bos_token_id=1, eos_token_id=2, pad_token_id=0)
WIDTHS = dict(vocab_size=VOCABULARY, hidden_size=64, num_hidden_layers=2,
              num_attention_heads=4, intermediate_size=128)
ENCODER = dict(WIDTHS, max_position_embeddings=64)
SEGMENTS = dict(inputs=("input_ids", "attention_mask", "token_type_ids"))


def encoder(name, config, model, settings=None, base=ENCODER, **more):
    add(name, "plain", config, {**base, **(settings or {})}, model, **more)


encoder("bert", "BertConfig", "BertModel", **SEGMENTS)
encoder("roberta", "RobertaConfig", "RobertaForSequenceClassification")
encoder("xlm-roberta", "XLMRobertaConfig", "XLMRobertaForTokenClassification")
encoder("xlm-roberta-xl", "XLMRobertaXLConfig", "XLMRobertaXLModel")
encoder("distilbert", "DistilBertConfig", "DistilBertForMaskedLM",
        dict(vocab_size=VOCABULARY, dim=64, n_layers=2, n_heads=4,
             hidden_dim=128, max_position_embeddings=64), {})
encoder("albert", "AlbertConfig", "AlbertModel", dict(embedding_size=32),
        **SEGMENTS)
encoder("electra", "ElectraConfig", "ElectraModel", dict(embedding_size=32),
        **SEGMENTS)
encoder("camembert", "CamembertConfig", "CamembertModel")
encoder("ernie", "ErnieConfig", "ErnieModel", **SEGMENTS)
encoder("megatron-bert", "MegatronBertConfig", "MegatronBertModel")
encoder("roberta-prelayernorm", "RobertaPreLayerNormConfig",
        "RobertaPreLayerNormModel")
encoder("data2vec-text", "Data2VecTextConfig", "Data2VecTextModel")
encoder("rembert", "RemBertConfig", "RemBertModel",
        dict(input_embedding_size=32))
encoder("xmod", "XmodConfig", "XmodModel",
        dict(languages=["en"], default_language="en", adapter_reduction_factor=2))
encoder("ibert", "IBertConfig", "IBertModel")
encoder("esm", "EsmConfig", "EsmModel",
        dict(position_embedding_type="rotary", mask_token_id=3,
             pad_token_id=0))
encoder("splinter", "SplinterConfig", "SplinterModel")
encoder("nystromformer", "NystromformerConfig", "NystromformerModel",
        dict(num_landmarks=4, segment_means_seq_len=4))
encoder("mpnet", "MPNetConfig", "MPNetModel")
encoder("mobilebert", "MobileBertConfig", "MobileBertModel",
        dict(embedding_size=32, intra_bottleneck_size=32))
encoder("squeezebert", "SqueezeBertConfig", "SqueezeBertModel",
        dict(embedding_size=64))
encoder("convbert", "ConvBertConfig", "ConvBertModel", dict(embedding_size=64))
encoder("roformer", "RoFormerConfig", "RoFormerModel", dict(embedding_size=64))
encoder("big-bird-full", "BigBirdConfig", "BigBirdModel",
        dict(attention_type="original_full"))
encoder("deberta", "DebertaConfig", "DebertaModel",
        dict(relative_attention=True, pos_att_type=["c2p", "p2c"],
             max_relative_positions=16, position_biased_input=False))
encoder("deberta-v2", "DebertaV2Config", "DebertaV2Model",
        dict(relative_attention=True, pos_att_type=["p2c", "c2p"],
             position_biased_input=False, norm_rel_ebd="layer_norm",
             share_att_key=True, position_buckets=8, max_relative_positions=-1,
             type_vocab_size=0))
encoder("xlnet", "XLNetConfig", "XLNetModel",
        dict(vocab_size=VOCABULARY, d_model=64, n_layer=2, n_head=4,
             d_inner=128), {})
encoder("flaubert", "FlaubertConfig", "FlaubertModel",
        dict(vocab_size=VOCABULARY, emb_dim=64, n_layers=2, n_heads=4,
             max_position_embeddings=64), {})
encoder("xlm", "XLMConfig", "XLMModel",
        dict(vocab_size=VOCABULARY, emb_dim=64, n_layers=2, n_heads=4,
             max_position_embeddings=64), {})
encoder("longformer", "LongformerConfig", "LongformerModel",
        dict(attention_window=8))
encoder("modernbert", "ModernBertConfig", "ModernBertModel",
        dict(num_hidden_layers=3, local_attention=8,
             global_attn_every_n_layers=3, cls_token_id=1, sep_token_id=2,
             **SPECIAL))
encoder("modernbert-classifier", "ModernBertConfig",
        "ModernBertForSequenceClassification",
        dict(num_hidden_layers=3, local_attention=8, classifier_pooling="mean",
             global_attn_every_n_layers=3, cls_token_id=1, sep_token_id=2,
             **SPECIAL))
encoder("eurobert", "EuroBertConfig", "EuroBertModel",
        dict(num_key_value_heads=2, **SPECIAL))
encoder("nomic-bert", "NomicBertConfig", "NomicBertModel", **SEGMENTS)
encoder("gte", "GteConfig", "GteModel")
encoder("jina-embeddings-v3", "JinaEmbeddingsV3Config", "JinaEmbeddingsV3Model")
encoder("canine", "CanineConfig", "CanineModel",
        dict(max_position_embeddings=64, downsampling_rate=2,
             local_transformer_stride=4, upsampling_kernel_size=2,
             num_hash_buckets=32))
encoder("layoutlm", "LayoutLMConfig", "LayoutLMModel",
        dict(max_2d_position_embeddings=64),
        inputs=("input_ids", "bbox", "attention_mask"))
encoder("lilt", "LiltConfig", "LiltModel",
        dict(max_2d_position_embeddings=64, channel_shrink_ratio=2,
             hidden_size=96),
        inputs=("input_ids", "bbox", "attention_mask"))
for family in ("CLIP", "Siglip", "ChineseCLIP", "AltCLIP", "Siglip2"):
    encoder(f"{family.lower()}-text", f"{family}TextConfig",
            f"{family}TextModel" + ("WithProjection" if family == "CLIP"
                                    else ""),
            dict(projection_dim=32, **SPECIAL))

# -- decoders -----------------------------------------------------------------
DECODER = dict(WIDTHS, num_key_value_heads=2, max_position_embeddings=128,
               **SPECIAL)
GPT2 = dict(vocab_size=VOCABULARY, n_embd=64, n_layer=2, n_head=4,
            n_positions=128, **SPECIAL)


def decoder(name, config, settings=None, base=DECODER, model=None,
            kind="decoder", **more):
    add(name, kind, config, {**base, **(settings or {})}, model, **more)


def scaled(kind, **more):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=10000.0,
                                     **more))


SLIDING = dict(sliding_window=8)
EXPERTS = dict(num_experts=4, num_local_experts=4, num_experts_per_tok=2,
               moe_intermediate_size=32)
LATENT = dict(kv_lora_rank=16, q_lora_rank=24, qk_rope_head_dim=8,
              v_head_dim=16, qk_nope_head_dim=16, n_routed_experts=4,
              n_shared_experts=1, num_experts_per_tok=2,
              moe_intermediate_size=32, first_k_dense_replace=1, n_group=2,
              topk_group=1, num_key_value_heads=4, head_dim=8)
decoder("gpt2", "GPT2Config", base=GPT2)
decoder("gptj", "GPTJConfig", dict(rotary_dim=8), GPT2)
decoder("codegen", "CodeGenConfig", dict(rotary_dim=8), GPT2)
decoder("gpt-bigcode", "GPTBigCodeConfig", base=GPT2)
decoder("gpt-neox", "GPTNeoXConfig")
decoder("gpt-neo", "GPTNeoConfig",
        dict(vocab_size=VOCABULARY, hidden_size=64, num_layers=2, num_heads=4,
             attention_types=[[["global", "local"], 1]], window_size=8,
             max_position_embeddings=128, **SPECIAL), {})
decoder("opt", "OPTConfig", dict(ffn_dim=128, word_embed_proj_dim=64))
decoder("bloom", "BloomConfig",
        dict(vocab_size=VOCABULARY, hidden_size=64, n_layer=2, n_head=4,
             **SPECIAL), {})
decoder("mpt", "MptConfig",
        dict(vocab_size=VOCABULARY, d_model=64, n_layers=2, n_heads=4,
             max_seq_len=128, **SPECIAL), {})
decoder("falcon", "FalconConfig",
        dict(multi_query=True, new_decoder_architecture=False,
             parallel_attn=True, bias=False))
decoder("falcon-alibi", "FalconConfig",
        dict(multi_query=False, new_decoder_architecture=False, alibi=True,
             parallel_attn=False, bias=True))
decoder("biogpt", "BioGptConfig")
decoder("xglm", "XGLMConfig",
        dict(vocab_size=VOCABULARY, d_model=64, ffn_dim=128, num_layers=2,
             attention_heads=4, max_position_embeddings=128, **SPECIAL), {})
decoder("persimmon", "PersimmonConfig")
decoder("stablelm", "StableLmConfig",
        scaled("default", partial_rotary_factor=0.25))
decoder("llama", "LlamaConfig")
decoder("llama-3", "LlamaConfig",
        scaled("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
               original_max_position_embeddings=32))
decoder("llama-yarn", "LlamaConfig",
        scaled("yarn", factor=4.0, original_max_position_embeddings=32))
decoder("llama-dynamic", "LlamaConfig",
        dict(max_position_embeddings=10, **scaled("dynamic", factor=4.0)))
decoder("mistral", "MistralConfig", SLIDING)
decoder("ministral", "MinistralConfig", dict(head_dim=16, **SLIDING))
decoder("qwen2", "Qwen2Config")
decoder("qwen2-moe", "Qwen2MoeConfig",
        dict(shared_expert_intermediate_size=32, **EXPERTS))
decoder("qwen3", "Qwen3Config", dict(head_dim=32))
decoder("qwen3-moe", "Qwen3MoeConfig", dict(head_dim=16, **EXPERTS))
decoder("gemma", "GemmaConfig", dict(head_dim=32, num_key_value_heads=1))
decoder("gemma2", "Gemma2Config",
        dict(head_dim=16, query_pre_attn_scalar=32, **SLIDING))
decoder("gemma3", "Gemma3TextConfig",
        dict(num_hidden_layers=3, head_dim=16, query_pre_attn_scalar=16,
             layer_types=["sliding_attention", "sliding_attention",
                          "full_attention"], **SLIDING),
        model="Gemma3ForCausalLM")
decoder("vaultgemma", "VaultGemmaConfig",
        dict(head_dim=16, query_pre_attn_scalar=16, **SLIDING))
decoder("phi", "PhiConfig", dict(partial_rotary_factor=0.5))
decoder("phi3", "Phi3Config")
decoder("phi3-longrope", "Phi3Config",
        dict(original_max_position_embeddings=10,
             **scaled("longrope", original_max_position_embeddings=10,
                      short_factor=[1.0] * 8,
                      long_factor=[1.0 + i for i in range(8)])))
decoder("phimoe", "PhimoeConfig", dict(num_local_experts=4,
                                       num_experts_per_tok=2))
decoder("smollm3", "SmolLM3Config", dict(num_hidden_layers=4))
decoder("granite", "GraniteConfig",
        dict(embedding_multiplier=12.0, logits_scaling=8.0,
             residual_multiplier=0.22, attention_multiplier=0.2))
decoder("granitemoe", "GraniteMoeConfig",
        dict(num_local_experts=4, num_experts_per_tok=2))
decoder("olmo", "OlmoConfig", dict(clip_qkv=2.0))
decoder("olmo2", "Olmo2Config")
decoder("olmo3", "Olmo3Config", dict(num_hidden_layers=4, **SLIDING))
decoder("olmoe", "OlmoeConfig", dict(num_experts=4, num_experts_per_tok=2))
decoder("cohere", "CohereConfig", dict(use_qk_norm=True))
decoder("cohere2", "Cohere2Config",
        dict(head_dim=16, num_hidden_layers=4, **SLIDING))
decoder("starcoder2", "Starcoder2Config")
decoder("glm", "GlmConfig", dict(head_dim=16, partial_rotary_factor=0.5))
decoder("glm4", "Glm4Config", dict(head_dim=16, partial_rotary_factor=0.5))
decoder("glm4-moe", "Glm4MoeConfig",
        dict(head_dim=16, n_routed_experts=4, num_experts_per_tok=2,
             moe_intermediate_size=32, first_k_dense_replace=1,
             n_shared_experts=1, n_group=2, topk_group=1))
decoder("exaone4", "Exaone4Config",
        dict(num_hidden_layers=4, sliding_window_pattern=4, **SLIDING))
decoder("nemotron", "NemotronConfig")
decoder("ernie-4.5", "Ernie4_5Config", dict(head_dim=16))
decoder("ernie-4.5-moe", "Ernie4_5_MoeConfig",
        dict(head_dim=16, moe_num_experts=4, moe_k=2,
             moe_intermediate_size=32, moe_layer_start_index=1))
decoder("helium", "HeliumConfig", dict(head_dim=16))
decoder("mixtral", "MixtralConfig", dict(num_local_experts=4,
                                         num_experts_per_tok=2))
decoder("deepseek-v3", "DeepseekV3Config", LATENT)
decoder("gpt-oss", "GptOssConfig",
        dict(head_dim=16, num_local_experts=4, num_experts_per_tok=2,
             intermediate_size=64, **SLIDING))
decoder("arcee", "ArceeConfig")
decoder("apertus", "ApertusConfig")
decoder("seed-oss", "SeedOssConfig", dict(head_dim=16))
decoder("hunyuan", "HunYuanDenseV1Config", dict(head_dim=16))
decoder("doge", "DogeConfig", dict(keep_window_size=64))
decoder("diffllama", "DiffLlamaConfig")
decoder("bitnet", "BitNetConfig")
decoder("dots1", "Dots1Config",
        dict(head_dim=16, n_routed_experts=4, num_experts_per_tok=2,
             moe_intermediate_size=32, first_k_dense_replace=1,
             n_shared_experts=1, n_group=2, topk_group=1))
decoder("minimax-m2", "MiniMaxM2Config",
        dict(head_dim=16, num_local_experts=4, num_experts_per_tok=2))
decoder("nanochat", "NanoChatConfig")
decoder("modernbert-decoder", "ModernBertDecoderConfig",
        dict(num_hidden_layers=3, local_attention=8,
             global_attn_every_n_layers=3, cls_token_id=1, sep_token_id=2))
decoder("jais2", "Jais2Config", dict(head_dim=16))
decoder("cwm", "CwmConfig", dict(head_dim=16, **SLIDING))
decoder("youtu", "YoutuConfig", {k: v for k, v in LATENT.items()
                                 if "expert" not in k})
decoder("minicpm3", "MiniCPM3Config", {k: v for k, v in LATENT.items()
                                       if "expert" not in k})

# -- recurrent and mixed ones, without what they could remember ---------------
PROMPT = dict(kind="prompt", inputs=("input_ids",))
STATE = dict(vocab_size=VOCABULARY, hidden_size=32, state_size=8,
             num_hidden_layers=2, **SPECIAL)
decoder("mamba", "MambaConfig", base=STATE, **PROMPT)
decoder("falcon-mamba", "FalconMambaConfig", base=STATE, **PROMPT)
decoder("mamba2", "Mamba2Config",
        dict(num_heads=8, head_dim=8, n_groups=2, chunk_size=4, expand=2),
        STATE, **PROMPT)
decoder("rwkv", "RwkvConfig",
        dict(attention_hidden_size=32, context_length=64), STATE, **PROMPT)
decoder("lfm2", "Lfm2Config",
        dict(num_hidden_layers=4, full_attn_idxs=[2]), **PROMPT)
decoder("lfm2-moe", "Lfm2MoeConfig",
        dict(num_hidden_layers=4, layer_types=["conv", "conv", "full_attention",
                                               "conv"],
             num_dense_layers=1, **EXPERTS), **PROMPT)
decoder("recurrent-gemma", "RecurrentGemmaConfig",
        dict(num_hidden_layers=3, lru_width=64, attention_window_size=8,
             conv1d_width=4), **PROMPT)
decoder("openai-gpt", "OpenAIGPTConfig", base=GPT2, model="OpenAIGPTLMHeadModel",
        kind="plain")
decoder("ctrl", "CTRLConfig", dict(dff=128), GPT2, **PROMPT)

# -- encoder-decoders ---------------------------------------------------------
BART = dict(vocab_size=VOCABULARY, d_model=64, encoder_layers=2,
            decoder_layers=2, encoder_attention_heads=4,
            decoder_attention_heads=4, encoder_ffn_dim=128,
            decoder_ffn_dim=128, max_position_embeddings=64,
            decoder_start_token_id=0, **SPECIAL)
T5 = dict(vocab_size=VOCABULARY, d_model=64, d_kv=16, d_ff=128, num_layers=2,
          num_decoder_layers=2, num_heads=4, decoder_start_token_id=0)
MOONSHINE = dict(vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128,
                 encoder_num_hidden_layers=2, decoder_num_hidden_layers=2,
                 encoder_num_attention_heads=4, decoder_num_attention_heads=4,
                 max_position_embeddings=64, decoder_start_token_id=1,
                 **SPECIAL)


def translator(name, config, model, settings, parts=("encoder_part",
                                                     "decoder_part",
                                                     "decoder_part_past"),
               **more):
    for part in parts:
        short = part.replace("_part", "").replace("_", "-")
        add(f"{name}-{short}", part, config, settings, model, **more)


translator("t5", "T5Config", "T5ForConditionalGeneration", T5)
translator("umt5", "UMT5Config", "UMT5ForConditionalGeneration", T5)
translator("mt5", "MT5Config", "MT5ForConditionalGeneration", T5,
           ["encoder_part"])
translator("bart", "BartConfig", "BartForConditionalGeneration", BART)
translator("mbart", "MBartConfig", "MBartForConditionalGeneration", BART)
translator("marian", "MarianConfig", "MarianMTModel",
           dict(BART, decoder_vocab_size=VOCABULARY))
translator("pegasus", "PegasusConfig", "PegasusForConditionalGeneration", BART)
translator("m2m100", "M2M100Config", "M2M100ForConditionalGeneration", BART)
translator("blenderbot", "BlenderbotConfig",
           "BlenderbotForConditionalGeneration", BART)
translator("longt5", "LongT5Config", "LongT5ForConditionalGeneration",
           dict(T5, local_radius=3), ["encoder_part"])
translator("whisper", "WhisperConfig", "WhisperForConditionalGeneration",
           dict({k: v for k, v in BART.items()
                 if k not in ("max_position_embeddings",
                              "decoder_start_token_id")},
                max_source_positions=50, max_target_positions=64,
                num_mel_bins=80, decoder_start_token_id=1),
           inputs=("input_features",), sizes=(80, 100))
translator("moonshine", "MoonshineConfig", "MoonshineForConditionalGeneration",
           MOONSHINE, ["encoder_part"], inputs=("input_values",),
           sizes=(None,))
translator("speech-to-text", "Speech2TextConfig",
           "Speech2TextForConditionalGeneration",
           dict(BART, max_source_positions=200, max_target_positions=64,
                input_feat_per_channel=16, conv_channels=32),
           ["encoder_part"], inputs=("input_features",), sizes=(None, 16))

# -- images -------------------------------------------------------------------
IMAGE = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
             intermediate_size=128, image_size=32, patch_size=8)
STAGES = dict(image_size=32, patch_size=2, embed_dim=16, depths=[2, 2],
              num_heads=[2, 4], window_size=4)


def image(name, config, model, settings=None, base=IMAGE, sizes=(3, 32, 32)):
    add(name, "plain", config, {**base, **(settings or {})}, model,
        inputs=("pixel_values",), sizes=sizes)


ANY_SIZE = (3, None, None)
image("vit", "ViTConfig", "ViTForImageClassification")
image("deit", "DeiTConfig", "DeiTForImageClassificationWithTeacher")
image("beit", "BeitConfig", "BeitForImageClassification",
      dict(use_relative_position_bias=True))
image("vit-msn", "ViTMSNConfig", "ViTMSNModel")
image("ijepa", "IJepaConfig", "IJepaModel")
image("swin", "SwinConfig", "SwinForImageClassification", base=STAGES)
image("swinv2", "Swinv2Config", "Swinv2ForImageClassification", base=STAGES)
image("donut-swin", "DonutSwinConfig", "DonutSwinModel", base=STAGES)
image("dinov2", "Dinov2Config", "Dinov2Model", dict(mlp_ratio=2))
image("dinov2-any-size", "Dinov2Config", "Dinov2Model", dict(mlp_ratio=2),
      sizes=ANY_SIZE)
image("dinov2-swiglu", "Dinov2Config", "Dinov2Model",
      dict(mlp_ratio=2, use_swiglu_ffn=True))
image("dinov2-registers", "Dinov2WithRegistersConfig",
      "Dinov2WithRegistersModel", dict(mlp_ratio=2, num_register_tokens=2))
image("dinov3", "DINOv3ViTConfig", "DINOv3ViTModel",
      dict(num_register_tokens=2))
image("dinov3-any-size", "DINOv3ViTConfig", "DINOv3ViTModel",
      dict(num_register_tokens=2), sizes=ANY_SIZE)
image("dinov3-convnext", "DINOv3ConvNextConfig", "DINOv3ConvNextModel",
      dict(image_size=32, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1]),
      {})
image("clip-vision", "CLIPVisionConfig", "CLIPVisionModelWithProjection",
      dict(projection_dim=32))
image("siglip-vision", "SiglipVisionConfig", "SiglipVisionModel")
image("aimv2", "Aimv2VisionConfig", "Aimv2VisionModel")
image("mlcd", "MLCDVisionConfig", "MLCDVisionModel")
image("blip-vision", "BlipVisionConfig", "BlipVisionModel")
image("pixio", "PixioConfig", "PixioModel")
image("pixtral", "PixtralVisionConfig", "PixtralVisionModel",
      dict(head_dim=16))
image("convnext", "ConvNextConfig", "ConvNextForImageClassification",
      dict(image_size=32, patch_size=4, hidden_sizes=[16, 32], depths=[1, 2],
           num_stages=2), {})
image("convnextv2", "ConvNextV2Config", "ConvNextV2ForImageClassification",
      dict(image_size=32, patch_size=4, hidden_sizes=[16, 32], depths=[1, 2],
           num_stages=2), {})
image("segformer", "SegformerConfig", "SegformerForSemanticSegmentation",
      dict(image_size=32, num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1],
           hidden_sizes=[16, 32], num_attention_heads=[1, 2],
           patch_sizes=[7, 3], strides=[4, 2], mlp_ratios=[2, 2],
           decoder_hidden_size=32), {})
image("segformer-any-size", "SegformerConfig",
      "SegformerForSemanticSegmentation",
      dict(image_size=32, num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1],
           hidden_sizes=[16, 32], num_attention_heads=[1, 2],
           patch_sizes=[7, 3], strides=[4, 2], mlp_ratios=[2, 2],
           decoder_hidden_size=32), {}, ANY_SIZE)
image("pvt", "PvtConfig", "PvtForImageClassification",
      dict(image_size=32, num_encoder_blocks=2, depths=[1, 1],
           sequence_reduction_ratios=[2, 1], hidden_sizes=[16, 32],
           patch_sizes=[4, 2], strides=[4, 2], num_attention_heads=[1, 2],
           mlp_ratios=[2, 2]), {})
image("hiera", "HieraConfig", "HieraModel",
      dict(image_size=[64, 64], embed_dim=16, num_heads=[1, 2], depths=[1, 1],
           query_stride=[2, 2], num_query_pool=1, masked_unit_size=[4, 4],
           masked_unit_attention=[True, False], embed_dim_multiplier=2.0), {},
      (3, 64, 64))
image("levit", "LevitConfig", "LevitForImageClassification",
      dict(image_size=64, hidden_sizes=[16, 32, 48],
           num_attention_heads=[2, 2, 2], depths=[1, 1, 1], key_dim=[8, 8, 8]),
      {}, (3, 64, 64))
image("mobilevit", "MobileViTConfig", "MobileViTForImageClassification",
      dict(image_size=64, hidden_sizes=[16, 24, 32],
           neck_hidden_sizes=[8, 8, 16, 16, 24, 32, 64],
           num_attention_heads=2), {}, (3, 64, 64))
image("mobilevitv2", "MobileViTV2Config", "MobileViTV2ForImageClassification",
      dict(image_size=64, base_attn_unit_dims=[16, 24, 32], width_multiplier=0.5,
           n_attn_blocks=[1, 1, 1]), {}, (3, 64, 64))
image("mobilenet-v2", "MobileNetV2Config", "MobileNetV2ForImageClassification",
      dict(image_size=32, depth_multiplier=0.25), {})
image("resnet", "ResNetConfig", "ResNetForImageClassification",
      dict(embedding_size=16, hidden_sizes=[16, 32], depths=[1, 2],
           layer_type="basic"), {})
image("regnet", "RegNetConfig", "RegNetForImageClassification",
      dict(embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1],
           groups_width=8), {})
image("efficientnet", "EfficientNetConfig", "EfficientNetForImageClassification",
      dict(width_coefficient=0.25, depth_coefficient=0.25, image_size=32,
           hidden_dim=320), {})
image("focalnet", "FocalNetConfig", "FocalNetForImageClassification",
      dict(image_size=32, patch_size=4, embed_dim=16, depths=[1, 1],
           focal_levels=[2, 2], focal_windows=[3, 3]), {})
image("poolformer", "PoolFormerConfig", "PoolFormerForImageClassification",
      dict(hidden_sizes=[16, 32], depths=[1, 1], patch_sizes=[7, 3],
           strides=[4, 2], padding=[2, 1], num_encoder_blocks=2), {})
image("swiftformer", "SwiftFormerConfig", "SwiftFormerForImageClassification",
      dict(image_size=64, depths=[1, 1, 1, 1], embed_dims=[8, 16, 24, 32]), {},
      (3, 64, 64))
image("yolos", "YolosConfig", "YolosForObjectDetection",
      dict(image_size=[32, 32], num_detection_tokens=4))
image("vitdet", "VitDetConfig", "VitDetModel",
      dict(window_size=2, window_block_indices=[0],
           use_relative_position_embeddings=True, mlp_ratio=2))
image("dpt", "DPTConfig", "DPTForDepthEstimation",
      dict(num_hidden_layers=4, backbone_out_indices=[0, 1, 2, 3],
           neck_hidden_sizes=[8, 16, 16, 16], fusion_hidden_size=16,
           reassemble_factors=[4, 2, 1, 0.5]))
image("glpn", "GLPNConfig", "GLPNForDepthEstimation",
      dict(depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32],
           num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16), {},
      (3, 64, 64))
image("superpoint", "SuperPointConfig", "SuperPointForKeypointDetection", {},
      {})

# -- images with text ---------------------------------------------------------
for family in ("CLIP", "Siglip"):
    add(family.lower(), "plain", f"{family}Config",
        dict(text_config=dict(ENCODER, projection_dim=32, **SPECIAL),
             vision_config=dict(IMAGE, projection_dim=32), projection_dim=32),
        f"{family}Model", inputs=("input_ids", "pixel_values",
                                  "attention_mask"), sizes=(3, 32, 32))
add("vilt", "plain", "ViltConfig", dict(ENCODER, image_size=32, patch_size=8),
    "ViltModel", inputs=("input_ids", "attention_mask", "pixel_values"),
    sizes=(3, 32, 32))

# -- sound --------------------------------------------------------------------
WAVE = dict(vocab_size=32, hidden_size=64, num_hidden_layers=2,
            num_attention_heads=4, intermediate_size=128,
            conv_dim=(32, 32, 32), conv_kernel=(10, 3, 3), conv_stride=(5, 2, 2),
            num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4)
for name, family in (("wav2vec2", "Wav2Vec2"), ("hubert", "Hubert"),
                     ("wavlm", "WavLM"), ("unispeech", "UniSpeech"),
                     ("sew", "SEW"), ("data2vec-audio", "Data2VecAudio"),
                     ("wav2vec2-conformer", "Wav2Vec2Conformer")):
    add(name, "plain", f"{family}Config", WAVE, f"{family}ForCTC",
        inputs=("input_values", "attention_mask"), sizes=(None,))
add("ast", "plain", "ASTConfig",
    dict(IMAGE, max_length=64, num_mel_bins=32, frequency_stride=8,
         time_stride=8), "ASTForAudioClassification",
    inputs=("input_values",), sizes=(64, 32))
add("wav2vec2-bert", "plain", "Wav2Vec2BertConfig",
    dict(WAVE, feature_projection_input_dim=16, conv_depthwise_kernel_size=3),
    "Wav2Vec2BertForCTC", inputs=("input_features", "attention_mask"),
    sizes=(None, 16))
add("parakeet", "plain", "ParakeetEncoderConfig",
    dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
         intermediate_size=128, num_mel_bins=16, subsampling_factor=4,
         subsampling_conv_channels=8, conv_kernel_size=3), "ParakeetEncoder",
    inputs=("input_features", "attention_mask"), sizes=(None, 16))
