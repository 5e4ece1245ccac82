"""Small random models of many families of transformers, each saved with a tokenizer of single characters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

hf: Any = transformers
CHARACTERS = [*map(chr, range(32, 127)), "\n"]
IDS: dict[str, Any] = {"vocab_size": 128, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
SIZES: dict[str, Any] = {
    **IDS,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
}
HEADS: dict[str, Any] = {"num_key_value_heads": 2, "head_dim": 8}
WINDOW: dict[str, Any] = {"sliding_window": 8}
MIXED: dict[str, Any] = {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
EXPERTS: dict[str, Any] = {"num_experts_per_tok": 2}
GPT: dict[str, Any] = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 128, **IDS}

FAMILIES: dict[str, Callable[[], Any]] = {
    "Llama": lambda: hf.LlamaConfig(**SIZES, num_key_value_heads=2),
    "Llama, YaRN": lambda: hf.LlamaConfig(
        **SIZES,
        rope_parameters={"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 32},
    ),
    "Mistral": lambda: hf.MistralConfig(**SIZES, **HEADS, **WINDOW),
    "Qwen 2": lambda: hf.Qwen2Config(**SIZES, num_key_value_heads=2),
    "Qwen 3": lambda: hf.Qwen3Config(**SIZES, **HEADS),
    "SmolLM 3": lambda: hf.SmolLM3Config(**SIZES, num_key_value_heads=2, no_rope_layers=[1, 0, 1]),
    "Gemma": lambda: hf.GemmaConfig(**SIZES, **HEADS),
    "Gemma 2": lambda: hf.Gemma2Config(**SIZES, **HEADS, **WINDOW, query_pre_attn_scalar=8),
    "Gemma 3": lambda: hf.Gemma3TextConfig(**SIZES, **HEADS, **WINDOW, **MIXED, query_pre_attn_scalar=8),
    "Gemma 3n": lambda: hf.Gemma3nTextConfig(
        **{**SIZES, **HEADS, **WINDOW, "num_hidden_layers": 4},
        vocab_size_per_layer_input=128,
        hidden_size_per_layer_input=8,
        laurel_rank=4,
        num_kv_shared_layers=0,
        layer_types=["sliding_attention"] * 3 + ["full_attention"],
        activation_sparsity_pattern=[0.0] * 4,
    ),
    "Gemma 4": lambda: hf.Gemma4TextConfig(
        **{**SIZES, **HEADS, **WINDOW, "num_hidden_layers": 4},
        vocab_size_per_layer_input=128,
        hidden_size_per_layer_input=8,
        global_head_dim=8,
        num_kv_shared_layers=0,
    ),
    "RecurrentGemma": lambda: hf.RecurrentGemmaConfig(
        **{**IDS, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64},
        lru_width=32,
        attention_window_size=8,
        num_key_value_heads=1,
        head_dim=8,
    ),
    "GPT-2": lambda: hf.GPT2Config(**GPT),
    "GPT-J": lambda: hf.GPTJConfig(**GPT, rotary_dim=4),
    "GPT-Neo": lambda: hf.GPTNeoConfig(
        **IDS,
        hidden_size=32,
        num_layers=2,
        attention_types=[[["global", "local"], 1]],
        num_heads=4,
        window_size=8,
        max_position_embeddings=128,
    ),
    "GPT-NeoX": lambda: hf.GPTNeoXConfig(**SIZES, rotary_pct=0.25),
    "GPT-BigCode": lambda: hf.GPTBigCodeConfig(**GPT),
    "CodeGen": lambda: hf.CodeGenConfig(**GPT, rotary_dim=4),
    "OPT": lambda: hf.OPTConfig(**SIZES, word_embed_proj_dim=32, ffn_dim=64),
    "OPT-350m": lambda: hf.OPTConfig(**SIZES, word_embed_proj_dim=16, ffn_dim=64, do_layer_norm_before=False),
    "Bloom": lambda: hf.BloomConfig(**IDS, hidden_size=32, n_layer=3, n_head=4),
    "Falcon": lambda: hf.FalconConfig(**SIZES, multi_query=True, parallel_attn=True),
    "Falcon, ALiBi": lambda: hf.FalconConfig(**SIZES, alibi=True, multi_query=False, parallel_attn=False),
    "MPT": lambda: hf.MptConfig(d_model=32, n_heads=4, n_layers=3, max_seq_len=128, vocab_size=128),
    "Phi": lambda: hf.PhiConfig(**SIZES),
    "Phi 3": lambda: hf.Phi3Config(**SIZES),
    "StableLM": lambda: hf.StableLmConfig(**SIZES, num_key_value_heads=4),
    "StarCoder 2": lambda: hf.Starcoder2Config(**SIZES, num_key_value_heads=2),
    "OLMo": lambda: hf.OlmoConfig(**SIZES),
    "OLMo 2": lambda: hf.Olmo2Config(**SIZES),
    "Cohere": lambda: hf.CohereConfig(**SIZES),
    "Granite": lambda: hf.GraniteConfig(**SIZES, embedding_multiplier=12.0, residual_multiplier=0.22),
    "GLM": lambda: hf.GlmConfig(**SIZES, **HEADS),
    "Nemotron": lambda: hf.NemotronConfig(**SIZES, num_key_value_heads=2),
    "Persimmon": lambda: hf.PersimmonConfig(**SIZES),
    "XGLM": lambda: hf.XGLMConfig(
        **IDS, d_model=32, num_layers=3, attention_heads=4, ffn_dim=64, max_position_embeddings=128
    ),
    "CTRL": lambda: hf.CTRLConfig(**GPT, dff=64),
    "BioGPT": lambda: hf.BioGptConfig(**SIZES),
    "Mixtral": lambda: hf.MixtralConfig(**SIZES, **EXPERTS, num_key_value_heads=2, num_local_experts=3),
    "OLMoE": lambda: hf.OlmoeConfig(**SIZES, **EXPERTS, num_experts=3),
    "Qwen 3 MoE": lambda: hf.Qwen3MoeConfig(
        **SIZES, **HEADS, **EXPERTS, num_experts=3, moe_intermediate_size=16, decoder_sparse_step=1
    ),
    "Jamba": lambda: hf.JambaConfig(
        **{**SIZES, "num_hidden_layers": 4},
        num_key_value_heads=2,
        attn_layer_period=2,
        attn_layer_offset=1,
        use_mamba_kernels=False,
        mamba_d_state=4,
        num_experts=2,
        expert_layer_period=2,
        expert_layer_offset=1,
    ),
    "Mamba": lambda: hf.MambaConfig(**IDS, hidden_size=32, num_hidden_layers=3, state_size=4),
    "Mamba 2": lambda: hf.Mamba2Config(
        **IDS, hidden_size=32, num_hidden_layers=3, state_size=4, num_heads=8, head_dim=8, n_groups=1
    ),
    "RWKV": lambda: hf.RwkvConfig(
        **{**IDS, "hidden_size": 32, "num_hidden_layers": 3, "context_length": 128, "attention_hidden_size": 32}
    ),
    "XLNet": lambda: hf.XLNetConfig(**IDS, d_model=32, n_layer=2, n_head=4, d_inner=64),
    "RoBERTa": lambda: hf.RobertaConfig(**SIZES),
    "BART": lambda: hf.BartConfig(
        **IDS,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
    ),
}
"""By the name people call it."""


def write_family(folder: Path, name: str, beginning: str = "") -> Path:
    """Write a random model whose every weight matters, and a tokenizer that puts a token before each text, or none."""
    torch.manual_seed(0)
    config = FAMILIES[name]()
    whole = {"BART": hf.BartForConditionalGeneration, "RoBERTa": hf.RobertaForMaskedLM}.get(name)
    model: Any = whole(config) if whole else hf.AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.1)
        elif not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    model.save_pretrained(folder)
    write_tokenizer(folder, beginning)
    return folder


def write_tokenizer(folder: Path, beginning: str = "", **settings: Any) -> None:
    """Write a tokenizer of single characters whose end is `</s>`; none of its tokens is called BOS."""
    words = ["</s>", "<unk>", *filter(None, beginning.split()), *CHARACTERS]
    tokenizer: Any = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
    if beginning:
        special = [(word, words.index(word)) for word in beginning.split()]
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{beginning} $A", special_tokens=special)
    fast = hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>", **settings)
    fast.save_pretrained(folder)
