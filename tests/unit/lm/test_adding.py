"""The worked example of docs/adding-a-model.md: a family is one file and one line."""

import pytest

from core.lm import architectures
from core.lm.architectures import Unmapped, map_decoder, mapped_types
from tests.documented import module_of
from tests.unit.lm.models import CONFIGS, frozen_of


def test_a_family_of_one_file_is_mapped(monkeypatch):
    model = frozen_of(CONFIGS["llama"]).model
    monkeypatch.setattr(architectures, "FAMILIES", ("mistral",))
    with pytest.raises(Unmapped, match="not mapped for the architecture 'llama'; mapped are: mistral"):
        map_decoder(model)
    module_of("adding-a-model.md", "core.lm.architectures.yours", monkeypatch)
    monkeypatch.setattr(architectures, "FAMILIES", ("mistral", "yours"))
    assert "llama" in mapped_types()
    assert len(map_decoder(model).blocks) == 3
