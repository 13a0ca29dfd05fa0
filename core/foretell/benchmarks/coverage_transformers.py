"""Small transformers for `foretell bench coverage`: one row an architecture of the library `transformers`.

Every model is its library's own class, built from its own configuration class with few and narrow layers, so that the
operators are those of the full network and the capture takes a fraction of a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from foretell.benchmarks.coverage_example import Example
from foretell.benchmarks.torchvision_stub import stub_torchvision
from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

_VOCABULARY = 128
_LENGTH = 16
_IMAGE = 64
_SAMPLES = 4000  # of a wave; a speech encoder's convolutions leave a dozen frames
_TEXT: Mapping[str, Any] = {
    "vocab_size": _VOCABULARY, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 128, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
_DECODER: Mapping[str, Any] = {**_TEXT, "num_key_value_heads": 2}
_EXPERTS: Mapping[str, Any] = {
    **_DECODER, "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64,
}  # fmt: skip
_PAIR: Mapping[str, Any] = {
    "vocab_size": _VOCABULARY, "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1,
}  # fmt: skip
_T5: Mapping[str, Any] = {
    "vocab_size": _VOCABULARY, "d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4,
    "decoder_start_token_id": 0,
}  # fmt: skip
_VIT: Mapping[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
    "image_size": _IMAGE, "patch_size": 16,
}  # fmt: skip
_SWIN: Mapping[str, Any] = {
    "image_size": _IMAGE, "patch_size": 4, "embed_dim": 32, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4,
}  # fmt: skip
_STAGES: Mapping[str, Any] = {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]}
_SPEECH: Mapping[str, Any] = {
    "vocab_size": 32, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
    "conv_dim": (32, 32, 32, 32, 32, 32, 32), "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip
_TWO: Mapping[str, Any] = {
    "text_config": {**_TEXT, "max_position_embeddings": 32, "projection_dim": 32},
    "vision_config": {**_VIT, "projection_dim": 32},
}


@dataclass(frozen=True, slots=True)
class Architecture:
    """How one model is built.

    Attributes:
        model: Name of its class in `transformers`.
        config: Name of its configuration's class.
        inputs: Kind of example input, see `_inputs`.
        settings: Settings of the configuration.
    """

    model: str
    config: str
    inputs: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def _row(model: str, inputs: str, base: Mapping[str, Any], /, *, config: str = "", **settings: Any) -> Architecture:
    stem = model
    for tail in (
        "Model",
        "ForCausalLM",
        "LMHeadModel",
        "ForConditionalGeneration",
        "ForObjectDetection",
        "ForMaskedLM",
    ):
        stem = stem.removesuffix(tail)
    return Architecture(model, config or f"{stem}Config", inputs, {**base, **settings})


_MLA: Mapping[str, Any] = {
    "q_lora_rank": 32, "kv_lora_rank": 32, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 16,
    "n_routed_experts": 4, "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1,
    "num_key_value_heads": 4,
}  # fmt: skip
_ROWS = (
    # encoders
    _row("BertModel", "text", _TEXT), _row("RobertaModel", "text", _TEXT), _row("XLMRobertaModel", "text", _TEXT),
    _row("CamembertModel", "text", _TEXT), _row("AlbertModel", "text", _TEXT, embedding_size=32),
    _row("ElectraModel", "text", _TEXT, embedding_size=32), _row("ErnieModel", "text", _TEXT),
    _row("DistilBertModel", "text", {}, vocab_size=_VOCABULARY, dim=64, n_layers=2, n_heads=4, hidden_dim=128),
    _row("DebertaModel", "text", _TEXT, relative_attention=True, pos_att_type=["c2p", "p2c"]),
    _row("DebertaV2Model", "text", _TEXT, relative_attention=True, pos_att_type=["c2p", "p2c"]),
    _row("MPNetModel", "text", _TEXT), _row("MobileBertModel", "text", _TEXT, embedding_size=32,
                                             intra_bottleneck_size=32, true_hidden_size=32),
    _row("SqueezeBertModel", "text", _TEXT, embedding_size=64), _row("ConvBertModel", "text", _TEXT, embedding_size=64),
    _row("RoFormerModel", "text", _TEXT, embedding_size=64), _row("MegatronBertModel", "text", _TEXT),
    _row("LongformerModel", "masked text", _TEXT, attention_window=8), _row("NystromformerModel", "masked text", _TEXT,
                                                                      num_landmarks=4, segment_means_seq_len=16),
    _row("BigBirdModel", "text", _TEXT, attention_type="original_full"), _row("FNetModel", "text", _TEXT),
    _row("IBertModel", "text", _TEXT), _row("YosoModel", "text", _TEXT, use_expectation=True),
    _row("ModernBertModel", "text", _TEXT, cls_token_id=1, sep_token_id=2, global_attn_every_n_layers=2),
    _row("FunnelModel", "text", {}, vocab_size=_VOCABULARY, block_sizes=[1, 1], d_model=64, n_head=4, d_head=16,
         d_inner=128, num_decoder_layers=1),
    # decoders
    _row("GPT2LMHeadModel", "text", {}, config="GPT2Config", vocab_size=_VOCABULARY, n_embd=64, n_layer=2, n_head=4),
    _row("OpenAIGPTModel", "text", {}, vocab_size=_VOCABULARY, n_embd=64, n_layer=2, n_head=4),
    _row("GPTBigCodeModel", "text", {}, vocab_size=_VOCABULARY, n_embd=64, n_layer=2, n_head=4),
    _row("GPTNeoModel", "text", {}, vocab_size=_VOCABULARY, hidden_size=64, num_layers=2, num_heads=4,
         attention_types=[[["global", "local"], 1]]),
    _row("GPTNeoXModel", "text", _TEXT), _row("GPTJModel", "text", {}, vocab_size=_VOCABULARY, n_embd=64, n_layer=2,
                                               n_head=4, rotary_dim=8),
    _row("CodeGenModel", "text", {}, vocab_size=_VOCABULARY, n_embd=64, n_layer=2, n_head=4, rotary_dim=8),
    _row("OPTModel", "text", _TEXT, ffn_dim=128, word_embed_proj_dim=64), _row("MptModel", "text", {},
                                               vocab_size=_VOCABULARY, d_model=64, n_layers=2, n_heads=4),
    _row("BloomModel", "text", {}, vocab_size=_VOCABULARY, hidden_size=64, n_layer=2, n_head=4),
    _row("LlamaForCausalLM", "text", _DECODER), _row("MistralForCausalLM", "text", _DECODER, head_dim=16),
    _row("Qwen2ForCausalLM", "text", _DECODER), _row("Qwen3ForCausalLM", "text", _DECODER, head_dim=16),
    _row("GemmaForCausalLM", "text", _DECODER, head_dim=16), _row("Gemma2ForCausalLM", "text", _DECODER, head_dim=16),
    _row("Gemma3ForCausalLM", "text", _DECODER, config="Gemma3TextConfig", head_dim=16),
    _row("PhiForCausalLM", "text", _DECODER), _row("Phi3ForCausalLM", "text", _DECODER),
    _row("FalconForCausalLM", "text", _TEXT), _row("OlmoForCausalLM", "text", _DECODER),
    _row("Olmo2ForCausalLM", "text", _DECODER), _row("StableLmForCausalLM", "text", _DECODER),
    _row("CohereForCausalLM", "text", _DECODER), _row("GraniteForCausalLM", "text", _DECODER),
    _row("Starcoder2ForCausalLM", "text", _DECODER), _row("PersimmonForCausalLM", "text", _TEXT),
    _row("GlmForCausalLM", "text", _DECODER, head_dim=16), _row("SmolLM3ForCausalLM", "text", _DECODER),
    _row("XGLMModel", "text", {}, vocab_size=_VOCABULARY, d_model=64, ffn_dim=128, num_layers=2, attention_heads=4),
    # mixture of experts
    _row("MixtralForCausalLM", "text", _EXPERTS), _row("Qwen2MoeForCausalLM", "text", _EXPERTS,
                                                        shared_expert_intermediate_size=64),
    _row("Qwen3MoeForCausalLM", "text", _EXPERTS, head_dim=16), _row("OlmoeForCausalLM", "text", _EXPERTS),
    _row("DeepseekV2ForCausalLM", "text", _EXPERTS, **_MLA), _row("DeepseekV3ForCausalLM", "text", _EXPERTS, **_MLA),
    _row("GptOssForCausalLM", "text", _EXPERTS, head_dim=16), _row("SwitchTransformersModel", "both", _T5,
                                                                   num_experts=4),
    # state space and recurrent
    _row("MambaModel", "text", {}, vocab_size=_VOCABULARY, hidden_size=64, num_hidden_layers=2, state_size=8),
    _row("Mamba2Model", "text", {}, vocab_size=_VOCABULARY, hidden_size=64, num_hidden_layers=2, state_size=16,
         num_heads=8, head_dim=16, n_groups=1, chunk_size=8),
    _row("FalconMambaModel", "text", {}, vocab_size=_VOCABULARY, hidden_size=64, num_hidden_layers=2, state_size=8),
    _row("JambaForCausalLM", "text", _EXPERTS, attn_layer_period=2, attn_layer_offset=1, expert_layer_period=2,
         expert_layer_offset=1, use_mamba_kernels=False),
    _row("RwkvModel", "text", {}, vocab_size=_VOCABULARY, hidden_size=64, num_hidden_layers=2),
    _row("RecurrentGemmaModel", "text", _DECODER, lru_width=64, num_hidden_layers=3),
    _row("BambaModel", "text", _DECODER, mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_chunk_size=8,
         attn_layer_indices=[1]),
    # encoder-decoders
    _row("T5Model", "both", _T5), _row("T5ForConditionalGeneration", "both", _T5), _row("MT5Model", "both", _T5),
    _row("UMT5Model", "both", _T5), _row("LongT5Model", "both", _T5), _row("BartModel", "both", _PAIR),
    _row("MBartModel", "both", _PAIR), _row("PegasusModel", "both", _PAIR), _row("MarianModel", "both", _PAIR),
    _row("BlenderbotModel", "both", _PAIR), _row("BlenderbotSmallModel", "both", _PAIR),
    _row("M2M100Model", "both", _PAIR), _row("LEDModel", "masked both", _PAIR, attention_window=8),
    _row("PLBartModel", "both", _PAIR), _row("MvpModel", "both", _PAIR),
    _row("BigBirdPegasusModel", "both", _PAIR, attention_type="original_full"),
    _row("ProphetNetModel", "both", {}, vocab_size=_VOCABULARY, hidden_size=64, num_encoder_layers=2,
         num_decoder_layers=2, num_encoder_attention_heads=4, num_decoder_attention_heads=4, encoder_ffn_dim=128,
         decoder_ffn_dim=128),
    # vision
    _row("ViTModel", "image", _VIT), _row("DeiTModel", "image", _VIT), _row("BeitModel", "image", _VIT),
    _row("Data2VecVisionModel", "image", _VIT), _row("Dinov2Model", "image", _VIT), _row("ViTMAEModel", "image", _VIT),
    _row("ViTMSNModel", "image", _VIT), _row("YolosModel", "image", _VIT, image_size=[_IMAGE, _IMAGE],
                                              num_detection_tokens=4),
    _row("DPTModel", "image", _VIT), _row("IJepaModel", "image", _VIT), _row("SwinModel", "image", _SWIN),
    _row("Swinv2Model", "image", _SWIN), _row("ConvNextModel", "image", _STAGES),
    _row("ConvNextV2Model", "image", _STAGES), _row("ResNetModel", "image", _STAGES, embedding_size=16),
    _row("RegNetModel", "image", _STAGES, embedding_size=16, groups_width=8),
    _row("BitModel", "image", {}, hidden_sizes=[128, 256], depths=[1, 1], embedding_size=64),
    _row("MobileNetV1Model", "image", {}, depth_multiplier=0.25),
    _row("MobileNetV2Model", "image", {}, depth_multiplier=0.25),
    _row("MobileViTModel", "image", {}, image_size=_IMAGE, hidden_sizes=[16, 24, 32],
         neck_hidden_sizes=[8, 8, 16, 16, 24, 32, 64], num_attention_heads=4),
    _row("MobileViTV2Model", "image", {}, image_size=_IMAGE, width_multiplier=0.5),
    _row("PoolFormerModel", "image", _STAGES), _row("SegformerModel", "image", {}, hidden_sizes=[16, 32, 48, 64],
                                                     depths=[1, 1, 1, 1], num_attention_heads=[1, 2, 3, 4]),
    _row("CvtModel", "image", {}),
    _row("LevitModel", "image", {}, image_size=_IMAGE, hidden_sizes=[32, 48, 64], num_attention_heads=[2, 3, 4],
         depths=[1, 1, 1], key_dim=[8, 8, 8]),
    _row("PvtModel", "image", {}, image_size=_IMAGE, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1],
         num_attention_heads=[1, 2, 3, 4]),
    _row("PvtV2Model", "image", {}, image_size=_IMAGE, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1],
         num_attention_heads=[1, 2, 3, 4]),
    _row("HieraModel", "image", {}, embed_dim=16, image_size=[_IMAGE, _IMAGE], depths=[1, 1, 2, 1],
         num_heads=[1, 2, 4, 8]),
    _row("EfficientNetModel", "image", {}, width_coefficient=0.25, depth_coefficient=0.2, image_size=_IMAGE,
         hidden_dim=320),
    _row("FocalNetModel", "image", {}, image_size=_IMAGE, embed_dim=16, depths=[1, 1, 1, 1]),
    _row("SwiftFormerModel", "image", {}, depths=[1, 1, 1, 1], embed_dims=[16, 32, 48, 64]),
    _row("GLPNModel", "image", {}, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1],
         num_attention_heads=[1, 2, 3, 4]),
    _row("ImageGPTModel", "text", {}, vocab_size=_VOCABULARY,
                                                             n_embd=64, n_layer=2, n_head=4, n_positions=64),
    _row("CLIPModel", "text and image", _TWO), _row("SiglipModel", "text and image", _TWO),
    _row("AltCLIPModel", "text and image", _TWO, text_config={**_TEXT, "project_dim": 64}),
    # speech
    _row("Wav2Vec2Model", "wave", _SPEECH), _row("HubertModel", "wave", _SPEECH), _row("WavLMModel", "wave", _SPEECH),
    _row("UniSpeechModel", "wave", _SPEECH), _row("UniSpeechSatModel", "wave", _SPEECH),
    _row("Data2VecAudioModel", "wave", _SPEECH, conv_pos_kernel_size=9),
    _row("SEWModel", "wave", {**_SPEECH, "conv_dim": (32,) * 13}),
    _row("Wav2Vec2ConformerModel", "wave", _SPEECH),
    _row("WhisperModel", "mel and text", _PAIR, num_mel_bins=16, max_source_positions=32, max_target_positions=32),
    _row("Speech2TextModel", "features and text", _PAIR, input_feat_per_channel=16, max_source_positions=64,
         conv_channels=32),
    _row("ASTModel", "spectrogram", {k: v for k, v in _VIT.items() if k != "image_size"}, num_mel_bins=32,
         max_length=64),
    # detection
    _row("DetrForObjectDetection", "image", _PAIR, num_queries=8, use_timm_backbone=False,
         use_pretrained_backbone=False,
         backbone_config={"model_type": "resnet", **_STAGES, "embedding_size": 16, "out_features": ["stage4"]}),
)  # fmt: skip
ARCHITECTURES: Mapping[str, Architecture] = {row.model: row for row in _ROWS}
"""All rows by the name of their class."""
QUICK = ("BertModel", "LlamaForCausalLM", "MixtralForCausalLM", "MambaModel", "T5Model", "ViTModel", "Wav2Vec2Model")
"""One of each kind."""


def build(name: str, device: str = "meta") -> Example:
    """A model in evaluation mode with keyword inputs for one example.

    Args:
        name: One of `ARCHITECTURES`.
        device: Where the tensors live.

    Raises:
        MissingDependencyError: If `transformers` is not installed.
    """
    stub_torchvision()
    try:
        import transformers
    except ImportError as e:
        msg = "the coverage of transformers needs the package transformers: pip install transformers"
        raise MissingDependencyError(msg) from e
    transformers.logging.set_verbosity_error()
    row = ARCHITECTURES[name]
    config = getattr(transformers, row.config)(**row.settings)
    config.use_cache = False
    if device != "meta":  # the counter does not know grouped products; experts one by one do the same work
        config._experts_implementation = "eager"
    with torch.device(device):
        module = getattr(transformers, row.model)(config)
        return Example(module.eval(), (), _inputs(row.inputs))


def _inputs(kind: str) -> dict[str, torch.Tensor]:
    """Keyword inputs of one example, on the default device."""
    tokens = torch.full((1, _LENGTH), 3)  # neither padding nor a mark of begin or end
    image = torch.zeros(1, 3, _IMAGE, _IMAGE)
    kinds = {
        "text": {"input_ids": tokens},
        "masked text": {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)},
        "both": {"input_ids": tokens, "decoder_input_ids": tokens},
        "masked both": {"input_ids": tokens, "attention_mask": torch.ones_like(tokens), "decoder_input_ids": tokens},
        "image": {"pixel_values": image},
        "text and image": {"input_ids": tokens, "pixel_values": image},
        "wave": {"input_values": torch.zeros(1, _SAMPLES)},
        "mel and text": {"input_features": torch.zeros(1, 16, 64), "decoder_input_ids": tokens},
        "features and text": {"input_features": torch.zeros(1, 64, 16), "decoder_input_ids": tokens},
        "spectrogram": {"input_values": torch.zeros(1, 64, 32)},
    }
    return kinds[kind]
