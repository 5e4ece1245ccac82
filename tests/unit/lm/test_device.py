import pytest
import torch

from core.errors import BadRequest
from core.lm.device import choose_device, choose_dtype, has_bfloat16

CPU = torch.device("cpu")


def pretend(monkeypatch, cuda: bool = False, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_best_device(monkeypatch, cuda, mps, expected):
    pretend(monkeypatch, cuda, mps)
    assert choose_device("auto").type == expected


def test_a_device_can_be_insisted_on(monkeypatch):
    pretend(monkeypatch, cuda=True)
    assert choose_device("cpu") == CPU
    assert choose_device("cuda").type == "cuda"


def test_an_absent_device_is_refused_with_what_there_is(monkeypatch):
    pretend(monkeypatch)
    with pytest.raises(BadRequest, match="'cuda' is requested but torch sees only: cpu; use 'auto' or one of those"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, torch.bfloat16), ({"amx_bf16": True}, torch.bfloat16), ({"avx2": True}, torch.float32)],
)
def test_auto_takes_bfloat16_only_where_the_cpu_has_it(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_dtype("auto", CPU) == expected


def test_auto_on_an_accelerator_without_bfloat16_is_float16(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert not has_bfloat16(torch.device("cuda"))
    assert choose_dtype("auto", torch.device("cuda")) == torch.float16


def test_a_format_can_be_insisted_on():
    assert choose_dtype("float16", CPU) == torch.float16


def test_an_unknown_format_is_refused():
    with pytest.raises(BadRequest, match="'int3' is unknown; use 'auto' or one of: float32, bfloat16, float16"):
        choose_dtype("int3", CPU)
