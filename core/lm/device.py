"""Where a model runs and in which number format."""

import torch

from core.errors import BadRequest

BF16_CAPABILITIES = ("avx512_bf16", "amx_bf16", "sve_bf16", "bf16")
"""Instruction sets that multiply bfloat16 natively, by torch's names; elsewhere the CPU emulates
it, slowly."""


def choose_device(asked: str = "auto") -> torch.device:
    """Return the device for 'auto', 'cuda', 'mps' or 'cpu'; auto prefers CUDA, then MPS.

    Raises:
        BadRequest: the device asked for is not there.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        return torch.device(next(name for name, there in present.items() if there))
    if not present.get(asked, False):
        there = ", ".join(name for name, available in present.items() if available)
        raise BadRequest(f"Device {asked!r} is requested but torch sees only: {there}; use 'auto' or one of those.")
    return torch.device(asked)


def choose_dtype(asked: str, device: torch.device) -> torch.dtype:
    """Return the format of frozen weights for a name of `ModelSpec.dtype` on a device.

    Auto takes bfloat16 where the hardware has it; else float16 on an accelerator, float32 on a CPU.

    Raises:
        BadRequest: a format that is not on the list.
    """
    formats = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if asked in formats:
        return formats[asked]
    if asked != "auto":
        raise BadRequest(f"Number format {asked!r} is unknown; use 'auto' or one of: {', '.join(formats)}.")
    if has_bfloat16(device):
        return torch.bfloat16
    return torch.float32 if device.type == "cpu" else torch.float16


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware computes in bfloat16 itself, without emulation."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "mps":
        return torch.backends.mps.is_macos_or_newer(14, 0)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in BF16_CAPABILITIES)
