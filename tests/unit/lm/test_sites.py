import pytest

from core.errors import BadRequest
from core.lm.sites import middle_site, resolve_prompt_sites, resolve_sites
from core.specs import TuningSpec


def test_all_is_every_block_input_and_the_end():
    assert resolve_sites("all", 3) == (0, 1, 2, "final")


def test_sites_come_in_the_order_of_the_stream_each_once():
    assert resolve_sites(("final", 2, 0, 2), 3) == (0, 2, "final")


def test_the_last_block_is_the_bound():
    assert resolve_sites((2,), 3) == (2,)
    with pytest.raises(BadRequest, match=r"Site 3 does not exist: the model has blocks 0 to 2; choose .* 'final'"):
        resolve_sites((0, 3), 3)


def test_no_site_is_refused():
    with pytest.raises(BadRequest, match="No site is named; name at least one, or 'all'"):
        resolve_sites((), 3)


def test_the_middle_is_halfway_up():
    assert middle_site(30) == 15


def test_prompted_blocks_may_be_counted_from_the_last():
    deep = TuningSpec.parse({"prior": "isotropic", "method": "deep"})
    assert resolve_prompt_sites(deep, 30) == (0, 27, 28, 29)
    assert resolve_prompt_sites(deep, 3) == (0, 1, 2)
    assert resolve_prompt_sites(TuningSpec.parse({"prior": "isotropic"}), 30) == (0,)


@pytest.mark.parametrize("site", [30, -31])
def test_a_block_that_is_not_there_cannot_be_prompted(site):
    spec = TuningSpec.parse({"prior": "isotropic", "method": "deep", "prompt_sites": [0, site]})
    with pytest.raises(BadRequest, match=f"^Block {site} cannot be prompted: the model has blocks 0 to 29, or -30 to"):
        resolve_prompt_sites(spec, 30)
