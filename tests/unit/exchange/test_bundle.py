"""Runs that travel: out as a bundle, and into another cache folder."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from core.activations.vocabulary import vocabulary_cloud
from core.errors import BadRequest, DamagedArtifact
from core.exchange.bundle import export_bundle
from core.exchange.bundle_import import import_bundle, is_bundle
from core.exchange.peft_adapter import export_peft
from core.exchange.peft_import import import_peft
from core.jobs.comparison import comparison
from core.jobs.measure import tuning_spec
from core.jobs.projection import fit_projection
from core.progress import silent
from core.specs import ProjectionSpec
from core.store import create_job, find_job, list_jobs
from core.store.imported import imported, unknown_settings
from core.store.seal import CHECKSUMS
from tests.jobs import measured


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_another_cache_folder_compares_them_the_same(runs, store, other, tmp_path, name):
    before = comparison([measured(run, store, worth=True, n_worth=2) for run in runs], store)
    document = export_bundle(runs, tmp_path / name, store)
    assert document["n_measures"] == 2
    assert document["local_files"], "the person is told that places of files travel in the specs"
    assert is_bundle(tmp_path / name)
    found = import_bundle(tmp_path / name, other)
    assert found["runs"] == ["t-1", "t-2"]
    assert found["n_measures"] == 2
    assert found["n_files"] == document["n_files"]
    restored = [find_job(other, run) for run in found["runs"]]
    after = comparison([measured(run, other, worth=True, n_worth=2) for run in restored], other)
    assert json.dumps(after) == json.dumps(before)
    told = imported(restored[0]) or {}
    assert (told["format"], told["bundle"]) == ("bundle", name)
    assert not unknown_settings(restored[0])
    for run, back in zip(runs, restored, strict=True):
        names = {path.name for path in run.path.iterdir() if path.is_file() and not path.name.startswith(".")}
        assert {path.name for path in back.path.iterdir()} == {*names, CHECKSUMS}
        for file in names - {"provenance.json", "status.json", CHECKSUMS}:
            assert (back.path / file).read_bytes() == (run.path / file).read_bytes()
        assert replace(back.stored_status(), seal="") == replace(run.stored_status(), seal="")
        assert back.verify() == ""
    again = import_bundle(tmp_path / name, other)
    assert (again["already_there"], again["n_measures"]) == (["t-1", "t-2"], 0)


def test_coordinates_and_pages_are_there_where_a_map_is(runs, store, tmp_path):
    deep = tuning_spec(runs[1])
    vocabulary_cloud(deep.model, store)
    for i, where in enumerate(({"vocabulary": True}, {"site": 2, "clouds": (deep.activations(1, 2),)})):
        spec = ProjectionSpec.parse({"model": deep.model, "n_components": 3, **where})
        fit_projection(spec, create_job(store, "projection", spec.as_json(), f"p-{i}"), store, silent)
    assert export_bundle(runs, tmp_path / "out", store)["n_coordinates"] == 2
    table = pd.read_parquet(tmp_path / "out" / "coordinates" / "t-2-site-2.parquet")
    assert table["step"].unique().tolist() == [0, 1, 2, 3, 4]
    assert {"vector", "map", "component_1", "component_3", "off_plane_share"} <= set(table.columns)
    assert len(table) == 5 * 4
    pages = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert pages == {"plotly.min.js", "t-1-loss.html", "t-1-site-0.html", "t-2-loss.html", "t-2-site-2.html"}
    assert "http" not in (tmp_path / "out" / "figures" / "t-1-loss.html").read_text().replace("http-equiv", "")


def test_what_is_no_ended_run_is_not_bundled(runs, store, tmp_path):
    (job, *_) = list_jobs(store, "measure")
    with pytest.raises(BadRequest, match=r"is a measure job; only tuning runs go into a bundle"):
        export_bundle([job], tmp_path / "out", store)
    waiting = create_job(store, "tune", runs[0].spec, "t-3")
    with pytest.raises(BadRequest, match="Run t-3 is queued and has no posterior; wait for its end"):
        export_bundle([waiting], tmp_path / "out", store)
    (tmp_path / "b.zip").write_text("mine")
    with pytest.raises(BadRequest, match=r"b.zip exists already; name a new file"):
        export_bundle(runs, tmp_path / "b.zip", store)
    assert (tmp_path / "b.zip").read_text() == "mine"


def test_another_run_of_that_name_stays_as_it_is(folder, runs, store, other):
    shutil.copytree(runs[1].path, other.root / "runs" / "t-2")
    (other.root / "runs" / "t-2" / "posterior.safetensors").write_bytes(b"mine")
    with pytest.raises(BadRequest, match=r"Another t-2 exists here \(posterior.safetensors differs from the bundle\)"):
        import_bundle(folder, other)
    assert [path.name for path in (other.root / "runs").iterdir()] == ["t-2"]


def test_what_was_not_known_of_a_run_is_not_known_elsewhere(runs, store, other, tmp_path):
    export_peft(runs[0], tmp_path / "adapter")
    (tmp_path / "adapter" / "priorscope.json").unlink()
    known = {key: runs[0].spec[key] for key in ("model", "dataset")}
    (name,) = import_peft(tmp_path / "adapter", store, **known)["runs"]
    export_bundle([find_job(store, name)], tmp_path / "b.zip", store)
    import_bundle(tmp_path / "b.zip", other)
    back = find_job(other, name)
    assert unknown_settings(back) == unknown_settings(find_job(store, name))
    assert (imported(back) or {})["base_model"]


def test_a_damaged_run_is_not_exported(runs, store, tmp_path):
    runs[0].update(seal=runs[0].seal())
    path = runs[0].path / "posterior.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedArtifact, match=r"t-1 is damaged: posterior.safetensors does not match its checksum"):
        export_bundle(runs, tmp_path / "out", store)
