"""The hub, simulated: what it gives, and one clear line for each way of refusing."""

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors
from huggingface_hub.utils import get_session

from core.errors import BadData, BadRequest, Cancelled, DiskFull, Unreachable
from core.sources import hub
from core.sources.models import describe_model, model_revision, resolve_model
from core.specs import ModelSpec

COMMIT = "c" * 40
SPEC = ModelSpec(name="owner/thing")


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Let the hub be asked, with an empty cache of its own; forget what it answered."""
    for name in hub.OFFLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    hub.forget()
    yield tmp_path / "hub"
    hub.forget()


def answer(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    def repo_info(self, name, **_):
        if isinstance(value, Exception):
            raise value
        return value

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", repo_info)


def http(kind: type[Exception], status: int) -> Exception:
    """Return an error of the hub's library as its client would raise it."""
    session = get_session()
    module = __import__(type(session).__mro__[-2].__module__.partition(".")[0])
    request = module.Request("GET", "https://hub.example/api")
    return kind("the hub's own many words", response=module.Response(status, request=request))  # pyright: ignore


def connect_error() -> Exception:
    module = __import__(type(get_session()).__mro__[-2].__module__.partition(".")[0])
    return module.ConnectError("no route to hub.example")


def listing(folder: Path) -> SimpleNamespace:
    files = [SimpleNamespace(rfilename=path.name, size=path.stat().st_size) for path in folder.iterdir()]
    return SimpleNamespace(sha=COMMIT, siblings=files)


def serve(monkeypatch: pytest.MonkeyPatch, cache: Path, source: Path) -> list[str]:
    """Let downloads come from a folder, into the layout of the hub's cache."""
    asked: list[str] = []
    snapshot = cache / "models--owner--thing" / "snapshots" / COMMIT

    def hf_hub_download(name, path, *, repo_type, revision, tqdm_class):
        asked.append(path)
        snapshot.mkdir(parents=True, exist_ok=True)
        size = (source / path).stat().st_size
        bar = tqdm_class(total=size, initial=0, desc=path, name="huggingface_hub.http_get", unit="B")
        shutil.copy(source / path, snapshot / path)
        bar.update(size)
        bar.close()
        refs = snapshot.parents[1] / "refs"
        refs.mkdir(exist_ok=True)
        (refs / "main").write_text(COMMIT)
        return str(snapshot / path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hf_hub_download)
    return asked


def test_a_model_is_fetched_and_then_found_without_asking(online, tiny_folder, store, monkeypatch):
    answer(monkeypatch, listing(tiny_folder))
    asked = serve(monkeypatch, online, tiny_folder)
    assert describe_model(SPEC, store).where == "the hub"
    assert model_revision(SPEC) is None
    seen: list[tuple[int, int]] = []
    files = resolve_model(SPEC, store, lambda done, total, message="": seen.append((done, total)))
    assert files.revision == COMMIT
    assert files.provenance == {"source": "hub", "id": "owner/thing", "commit": COMMIT}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(asked)
    assert seen[-1][0] == seen[-1][1] > 0
    answer(monkeypatch, AssertionError("asked again"))
    assert resolve_model(SPEC, store) == files
    assert model_revision(SPEC) == COMMIT
    facts = describe_model(SPEC, store)
    assert (facts.n_layers, facts.present) == (3, True)


def test_only_safetensors_and_the_tokenizer_are_fetched(online, tiny_folder, store, monkeypatch, tmp_path):
    source = Path(shutil.copytree(tiny_folder, tmp_path / "source"))
    for name in ("pytorch_model.bin", "modeling_thing.py", "consolidated.safetensors", "README.md"):
        (source / name).write_bytes(b"x")
    answer(monkeypatch, listing(source))
    asked = serve(monkeypatch, online, source)
    resolve_model(SPEC, store)
    assert set(asked) <= {path.name for path in tiny_folder.iterdir()}


def test_a_half_fetched_model_does_not_count(online, tiny_folder, store, monkeypatch):
    serve(monkeypatch, online, tiny_folder)
    huggingface_hub.hf_hub_download(
        "owner/thing", "config.json", repo_type="model", revision=COMMIT, tqdm_class=hub.progress_bar(lambda done: None)
    )
    facts = describe_model(SPEC, store)
    assert (facts.n_layers, facts.present, facts.where) == (3, False, "the hub; only its config is here")


def test_cancel_within_a_file(online, tiny_folder, store, monkeypatch):
    answer(monkeypatch, listing(tiny_folder))
    serve(monkeypatch, online, tiny_folder)

    def stop(done: int, total: int, message: str = "") -> None:
        if done:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        resolve_model(SPEC, store, stop)
    assert hub.why_not() == ""


def test_gated(online, store, monkeypatch):
    answer(monkeypatch, http(errors.GatedRepoError, 403))
    with pytest.raises(
        Unreachable,
        match=r"^Model .owner/thing. is gated: accept its licence .*HF_TOKEN.*local folder.*all-minilm-l6-v2\)\.$",
    ):
        resolve_model(SPEC, store)
    assert hub.why_not() == ""


def test_not_found(online, store, monkeypatch):
    answer(monkeypatch, http(errors.RepositoryNotFoundError, 401))
    with pytest.raises(BadRequest, match=r"'owner/thing' was not found on the hub; check its spelling, set HF_TOKEN"):
        resolve_model(SPEC, store)


def test_no_such_revision(online, store, monkeypatch):
    answer(monkeypatch, http(errors.RevisionNotFoundError, 404))
    with pytest.raises(BadRequest, match=r"has no revision 'v9' on the hub"):
        resolve_model(ModelSpec(name="owner/thing", revision="v9"), store)


def test_a_malformed_id(online, store):
    with pytest.raises(BadRequest, match=r"'a b/c' was not found"):
        resolve_model(ModelSpec(name="a b/c"), store)
    assert "hub" in describe_model(ModelSpec(name="a b/c"), store).where


def test_the_hub_is_ill(online, store, monkeypatch):
    answer(monkeypatch, http(errors.HfHubHTTPError, 503))
    with pytest.raises(Unreachable, match="the hub answered 503; try again later"):
        resolve_model(SPEC, store)


@pytest.mark.parametrize("error", [connect_error(), TimeoutError(), errors.LocalEntryNotFoundError("lost")])
def test_no_answer_is_remembered(online, store, monkeypatch, error):
    answer(monkeypatch, error)
    with pytest.raises(
        Unreachable, match=r"'owner/thing': the hub did not answer \(\w+\); check the network"
    ) as caught:
        resolve_model(SPEC, store)
    assert "hub.example" not in str(caught.value)
    answer(monkeypatch, AssertionError("asked again"))
    with pytest.raises(Unreachable, match="out of reach"):
        resolve_model(SPEC, store)
    assert "out of reach" in describe_model(SPEC, store).where


def test_offline_by_choice(online, store, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Unreachable, match=r"out of reach \(HF_HUB_OFFLINE is set\)"):
        resolve_model(SPEC, store)


def test_no_safetensors(online, store, monkeypatch):
    files = [SimpleNamespace(rfilename=name, size=1) for name in ("config.json", "pytorch_model.bin")]
    answer(monkeypatch, SimpleNamespace(sha=COMMIT, siblings=files))
    with pytest.raises(BadData, match="only pickled weights"):
        resolve_model(SPEC, store)


def test_no_config(online, store, monkeypatch):
    answer(monkeypatch, SimpleNamespace(sha=COMMIT, siblings=[SimpleNamespace(rfilename="a.txt", size=None)]))
    with pytest.raises(BadData, match=r"holds no config\.json; choose a causal language model"):
        resolve_model(SPEC, store)


def test_a_full_disk_is_not_blamed_on_the_network(online, tiny_folder, store, monkeypatch):
    answer(monkeypatch, listing(tiny_folder))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    with pytest.raises(DiskFull):
        resolve_model(SPEC, store)
    assert hub.why_not() == ""
