"""The atlas as a job: found again, resumed to the same numbers, refused where it cannot be."""

from pathlib import Path

import pandas as pd
import pytest

from core.analysis import atlas_measures as site_by_site
from core.engine.lookup import job_id
from core.engine.tasks import find_task
from core.errors import BadRequest, Cancelled
from core.jobs.atlas import Atlas, cloud_names, find_atlas, measure_atlas, measured_pace
from core.progress import silent
from core.specs import AtlasSpec, CloudSpec, DatasetSpec, ModelSpec
from core.store import JobFolder, Store, create_job


@pytest.fixture
def spec(tiny_folder: Path, tmp_path: Path) -> AtlasSpec:
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    texts = {"cats": "the cat sat on mat {}.", "sums": "{0} + {0} = 2 * {0}"}
    clouds = []
    for name, text in texts.items():
        path = tmp_path / f"{name}.txt"
        path.write_text("\n\n".join(text.format(i * i + 3) for i in range(12)))
        dataset = DatasetSpec(name="file", path=str(path), samples=10)
        clouds.append(CloudSpec(model=model, dataset=dataset, rows=150, max_length=64))
    return AtlasSpec(
        model=model, clouds=tuple(clouds), sites=(0, 2, "final"), n_permutations=19, n_components=6, n_map=40
    )


def run(spec: AtlasSpec, store: Store, progress=silent) -> JobFolder:
    job = create_job(store, "atlas", spec.as_json(), job_id("atlas", spec))
    job.write_result(measure_atlas(spec, job, store, progress))
    job.update(state="succeeded")
    return job


def tables(found: Atlas) -> list[pd.DataFrame]:
    return [found.statistics, found.directions, found.maps, found.points]


def test_an_atlas_is_found_again_with_all_its_tables(spec: AtlasSpec, store: Store) -> None:
    assert find_atlas(spec, store) is None
    run(spec, store)
    found = find_atlas(spec, store)
    assert found is not None
    assert found.sites == [0, 2, "final"]
    assert set(found.statistics["site"]) == {0, 2, "final"}
    assert len(found.maps) == 3 * len(found.points) == 3 * 40
    assert found.points["dataset"].value_counts().to_dict() == {0: 20, 1: 20}
    assert found.summary["names"] == ["cats.txt", "sums.txt"]
    assert found.summary["n_documents"] == [10, 10]
    pace = measured_pace(spec.model.name, store)
    assert pace is not None
    assert pace > 0
    assert find_atlas(spec.model_copy(update={"seed": 1}), store) is None


def test_an_interrupted_job_goes_on_and_ends_with_the_same_numbers(
    spec: AtlasSpec, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Atlas(run(spec, store))
    job = create_job(store, "atlas", spec.as_json(), "a-2")

    def stop(done: int, total: int, message: str = "") -> None:
        if message == "Site 2: neighbours":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        measure_atlas(spec, job, store, stop)
    assert [path.name for path in (job.path / "sites-1").iterdir()] == ["0"]
    measured = []
    ours = site_by_site.measure_atlas_site
    monkeypatch.setattr(site_by_site, "measure_atlas_site", lambda *given: measured.append(1) or ours(*given))
    job.write_result(measure_atlas(spec, job, store, silent))
    assert len(measured) == 2
    for one, other in zip(tables(whole), tables(Atlas(job)), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_site_has_the_same_numbers_whichever_others_are_asked_for(spec: AtlasSpec, store: Store) -> None:
    job = run(spec, store)
    alone = run(spec.model_copy(update={"sites": (2,)}), store)
    two = Atlas(alone).statistics
    every = Atlas(job).statistics
    mine = pd.DataFrame(every.loc[every["site"] == 2]).reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, two, check_dtype=False)


def test_a_site_that_the_model_does_not_have_is_refused(spec: AtlasSpec, store: Store) -> None:
    with pytest.raises(BadRequest, match=r"has no site 7; it has: 0, 1, 2, final\. Choose among those"):
        run(spec.model_copy(update={"sites": (7,)}), store)


def test_a_job_is_another_one_for_other_texts_and_is_refused_without_them(spec: AtlasSpec) -> None:
    task = find_task("atlas")
    before = task.context(spec)
    path = Path(spec.clouds[0].dataset.path or "")
    path.write_text(path.read_text() + "\n\nMore.")
    assert task.context(spec) != before
    path.unlink()
    with pytest.raises(BadRequest, match="cats"):
        task.context(spec)


def test_names_tell_data_sets_of_one_label_apart(spec: AtlasSpec) -> None:
    assert cloud_names([spec.clouds[0], spec.clouds[1]]) == ["cats.txt", "sums.txt"]
    assert cloud_names([spec.clouds[0], spec.clouds[0]]) == ["cats.txt", "cats.txt (2)"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clouds": ()}, "an atlas needs at least one cloud; choose a data set"),
        ({"n_permutations": 5}, "n_permutations: Input should be greater than or equal to 19"),
        ({"sites": "all"}, "has only the sites 0; add the atlas's sites to it or choose among those"),
        ({"model": {"name": "other"}}, "all clouds of an atlas must come from its own model; choose clouds of that"),
    ],
)
def test_wrong_requests_are_refused(spec: AtlasSpec, changes: dict, message: str) -> None:
    data = spec.as_json()
    for cloud in data["clouds"]:
        cloud["sites"] = [0]
    with pytest.raises(BadRequest, match=message):
        AtlasSpec.parse({**data, "sites": [0], **changes})


def test_the_same_cloud_twice_is_refused(spec: AtlasSpec) -> None:
    cloud = spec.clouds[0].as_json()
    with pytest.raises(BadRequest, match="the same cloud is named twice; leave one out"):
        AtlasSpec.parse({"model": cloud["model"], "clouds": [cloud, cloud]})
