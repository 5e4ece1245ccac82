"""Folders of jobs that are not what the program wrote: said, deletable, and harmless to everything else."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.engine import client
from core.engine.local import unfinished
from core.errors import DamagedArtifact
from core.specs import TuningSpec, parse_prior
from core.store import JobFolder, Store, create_job, damaged_folders, find_job, list_jobs, list_succeeded, maintenance
from core.store.imported import imported, unknown_settings
from core.store.losses import read_losses
from core.store.prompts import read_prompts
from core.store.record_files import write_digested
from core.store.seal import CHECKSUMS
from tests.unit.jobs.measured import written

SPEC = TuningSpec(prior=parse_prior("isotropic"), steps=4, n_prompt=3)
WAY = np.arange(3 * 3 * 8, dtype=np.float32).reshape(3, 3, 8)
REQUEST = {"kind": "tune", "spec": SPEC.as_json(), "created": 1.0}
SOUND = "t-sound"


def ended(store: Store, name: str) -> JobFolder:
    """Return a run that has succeeded, with checksums."""
    job = written(SPEC, store, name, WAY)
    job.write_result({"run": name, "validation": {"loss": 2.0}, "steps": 4, "seconds": 1.0, "steps_per_second": 4.0})
    (job.path / "provenance.json").write_text('{"program": "0.1.0", "hardware": "CPU"}')
    job.update(state="succeeded", done=4, seal=job.seal())
    return job


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({**REQUEST, "created": "soon"}),
        json.dumps({**REQUEST, "created": float("nan")}),
        json.dumps({**REQUEST, "created": 1e300}),
        json.dumps({**REQUEST, "kind": 3}),
        json.dumps({**REQUEST, "spec": {**SPEC.as_json(), "steps": 0}}),
        json.dumps({**REQUEST, "sha256": "0" * 64}),
        "[1]",
        "null",
        "",
        "[" * 100_000,
        '{"created": ' + "9" * 5000 + "}",
        "\x00",
    ],
)
def test_an_odd_request_bricks_nothing_and_can_be_deleted(store: Store, text: str) -> None:
    ended(store, SOUND)
    odd = ended(store, "t-odd")
    (odd.path / "spec.json").write_text(text)
    assert [job.id for job in list_jobs(store)] == [SOUND]
    assert [job.id for job, _ in list_succeeded(store, "tune")] == [SOUND]
    (found,) = damaged_folders(store)
    assert found.reason.startswith("t-odd is damaged: spec.json")
    assert found.reason.endswith("; delete it with `python -m core runs delete t-odd`.")
    assert client.engine_state(store).jobs_damaged == ("t-odd",)
    assert unfinished(store) == []
    assert {entry.key: problem for entry, problem in maintenance.verify_all(store)} == {
        SOUND: "",
        "t-odd": found.reason,
    }
    with pytest.raises(DamagedArtifact, match="t-odd is damaged"):
        find_job(store, "t-odd")
    find_job(store, "t-odd", damaged=True).delete()
    assert not odd.path.exists()


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_folder_that_cannot_be_read_is_deleted_whatever_its_state(store: Store, state: str) -> None:
    job = create_job(store, "tune", SPEC.as_json(), "t-odd")
    job.update(state=state)
    (job.path / "spec.json").unlink()
    find_job(store, "t-odd", damaged=True).delete()
    assert not job.path.exists()


def test_a_request_is_made_anew_over_a_folder_that_cannot_be_read(store: Store) -> None:
    job = ended(store, "t-1")
    (job.path / "spec.json").write_text("[1]")
    assert create_job(store, "tune", SPEC.as_json(), "t-1").status().state == "queued"
    assert len(list((store.root / "damaged").iterdir())) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "done"),
        ("created", "soon"),
        ("created", -1.0),
        ("done", -3),
        ("done", 1.5),
        ("process", 2**40),
        ("heartbeat", float("inf")),
        ("message", None),
    ],
)
def test_an_odd_status_is_damage(store: Store, field: str, value: Any) -> None:
    job = ended(store, "t-1")
    write_digested(job.path / "status.json", {**asdict(job.stored_status()), field: value})
    status = job.status()
    assert status.state == "damaged"
    assert f"status.json: {field}" in status.error
    assert "`python -m core runs resume t-1` makes it again, `runs delete` removes it" in status.error
    job.delete()


FILES = [
    "spec.json",
    "status.json",
    "result.json",
    "events.jsonl",
    "provenance.json",
    "prior.safetensors",
    "trajectory.safetensors",
    "posterior.safetensors",
    CHECKSUMS,
]


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
@pytest.mark.parametrize("name", FILES)
def test_every_file_of_an_ended_run_is_checked(store: Store, name: str, harm: str) -> None:
    ended(store, SOUND)
    job = ended(store, "t-1")
    path = job.path / name
    if harm == "delete":
        path.unlink()
    elif harm == "cut":
        os.truncate(path, path.stat().st_size - 1)
    else:
        flip(path)
    problems = {entry.key: problem for entry, problem in maintenance.verify_all(store)}
    assert problems[SOUND] == ""
    assert problems["t-1"].startswith("t-1 is damaged: ")
    if name != "spec.json":
        assert find_job(store, "t-1").status().state == "damaged"
    assert [job.id for job, _ in list_succeeded(store, "tune")] == [SOUND]
    find_job(store, "t-1", damaged=True).delete()


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("events.jsonl", read_losses),
        ("trajectory.safetensors", read_prompts),
        ("prior.safetensors", read_prompts),
        ("posterior.safetensors", read_prompts),
    ],
)
def test_a_flipped_bit_is_an_error_where_the_file_is_read(store: Store, name: str, read: Any) -> None:
    job = ended(store, "t-1")
    flip(job.path / name)
    with pytest.raises(DamagedArtifact, match=f"t-1 is damaged: {name} does not match its checksum"):
        read(job)
    assert job.status().state == "damaged", "it is marked, so that the next request makes it again"


def test_a_lost_result_is_damage_with_or_without_checksums(store: Store) -> None:
    job = ended(store, "t-1")
    (job.path / "result.json").unlink()
    assert "result.json is missing" in job.status().error
    job.update(seal="")
    assert "result.json is missing" in job.status().error
    with pytest.raises(DamagedArtifact, match=r"result.json is missing"):
        job.result()


@pytest.mark.parametrize(
    "result",
    [
        {"validation": {"loss": "low"}},
        {"validation": {"loss": float("nan")}},
        {"validation": [1]},
        {"baseline": {"no_prompt": 3}},
        {"regularisers": {"spread": 3}},
        {"steps": -1},
    ],
)
def test_an_odd_result_is_damage(store: Store, result: dict[str, Any]) -> None:
    job = ended(store, "t-1")
    job.write_result(result)
    job.update(seal="")
    assert job.status().error.startswith("t-1 is damaged: result.json: ")


@pytest.mark.parametrize(
    "event",
    [
        {"event": "step", "step": 1, "loss": "low"},
        {"event": "step", "step": 1},
        {"event": "evaluation", "step": 1, "validation": {"loss": float("inf")}},
        {"event": "baseline", "no_prompt": [3]},
        {"event": 3},
        {"event": "step", "step": -1, "loss": 1.0},
    ],
)
def test_an_odd_event_is_damage(store: Store, event: dict[str, Any]) -> None:
    job = ended(store, "t-1")
    job.append(**event)
    job.update(seal="")
    with pytest.raises(DamagedArtifact, match=r"t-1 is damaged: events.jsonl: "):
        read_losses(job)
    assert job.status().state == "damaged"


@pytest.mark.parametrize("text", ["[1]", '{"imported": 3}', '{"imported": {"unknown": 3}}', '{"examples": {"a": 1}}'])
def test_an_odd_provenance_is_damage_but_the_run_still_has_a_name(store: Store, text: str) -> None:
    job = ended(store, "t-1")
    job.update(seal="")
    (job.path / "provenance.json").write_text(text)
    assert imported(job) is None
    assert unknown_settings(job) == ()
    assert "provenance.json" in job.status().error


def test_a_folder_of_version_010_is_read_and_said_to_have_no_checksums(store: Store) -> None:
    job = ended(store, "t-1")
    for name in ("spec.json", "status.json"):
        data = json.loads((job.path / name).read_text())
        data.pop("sha256")
        data.pop("seal", None)
        (job.path / name).write_text(json.dumps(data))
    (job.path / CHECKSUMS).unlink()
    assert maintenance.without_checksums(store) == ["t-1"]
    assert job.status().state == "succeeded"
    assert job.result() is not None
    assert read_prompts(job) is not None
    assert [problem for _, problem in maintenance.verify_all(store)] == [""]


def test_what_is_damaged_is_set_aside_and_the_rest_stays(store: Store) -> None:
    job = ended(store, "t-1")
    flip(job.path / "posterior.safetensors")
    assert job.set_aside() == ["posterior.safetensors"]
    assert not (job.path / "posterior.safetensors").exists()
    assert (job.path / "trajectory.safetensors").exists()
    assert len(list((store.root / "damaged").glob("t-1-*/posterior.safetensors"))) == 1


def test_where_no_checksum_tells_what_is_whole_all_is_set_aside(store: Store) -> None:
    job = ended(store, "t-1")
    job.update(seal="")
    job.write_result({"steps": -1})
    assert job.status().state == "damaged"
    job.set_aside()
    assert {path.name for path in job.path.iterdir() if path.name[0] != "."} == {"spec.json", "status.json"}


def test_the_end_of_an_endless_log_is_shown_without_reading_it(store: Store) -> None:
    job = ended(store, "t-1")
    with (job.path / "log.txt").open("wb") as file:
        file.truncate(3_000_000_000)
        file.seek(0, os.SEEK_END)
        file.write(b"\nlast line\n" + b"x" * 5000)
    tail = job.log_tail()
    assert tail.splitlines()[-2] == "last line"
    assert len(tail) < 5000


def test_what_a_killed_import_left_is_known_and_goes_once_it_is_old(store: Store) -> None:
    job = ended(store, "t-1")
    left = [store.root / "tmp" / "abc", store.root / "runs" / ".t-9.0123abcd", job.path / ".result.json.0123abcd"]
    for path in left[:2]:
        path.mkdir()
    left[2].write_text("{")
    assert {entry.folder for entry in maintenance.leftovers(store)} == set(left)
    assert maintenance.prune(store, dry_run=False) == []
    for path in left:
        os.utime(path, (0, 0))
    assert len(maintenance.prune(store, dry_run=False)) == 3
    assert not any(path.exists() for path in left)
    assert job.status().state == "succeeded"
