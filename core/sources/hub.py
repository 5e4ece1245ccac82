"""The Hugging Face hub, asked in one place; each refusal becomes one line with a remedy."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import BadRequest, Unreachable
from core.progress import Progress
from core.sources.records import Availability
from core.store.files import disk_errors

TIMEOUT_SECONDS = 5.0
PROBE_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""A public repository to ask for when only an answer matters."""
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
_state = {"unreachable": ""}
"""Why the hub did not answer this process, so that it is not asked twice."""


def why_not() -> str:
    """Return why the hub should not be asked, or nothing if it may be."""
    for name in OFFLINE_VARIABLES:
        if os.environ.get(name, "").lower() in ("1", "true", "yes", "on"):
            return f"{name} is set"
    return _state["unreachable"]


def reachable_or_why() -> str:
    """Return nothing if the hub answers a short question, else why not."""
    if not why_not():
        with suppress(Unreachable, BadRequest):
            info("model", PROBE_ID)
    return why_not()


def availability(why_not: str, name: str = "") -> Availability:
    """Return whether the hub has a repository, given why the hub is out of reach (or nothing)."""
    if why_not:
        return Availability(None, f"the hub is out of reach ({why_not}); give a local file or folder")
    return Availability("hub", f"the hub: {name}" if name else "the hub")


def forget() -> None:
    """Ask the hub again next time, even if it did not answer before."""
    _state["unreachable"] = ""


def info(kind: str, name: str, revision: str | None = None) -> Any:
    """Return what the hub knows of a repository of kind 'model' or 'dataset', with file sizes.

    Raises:
        Unreachable: no answer, or no access.
        BadRequest: no such repository or revision.
    """
    with explained(kind, name, revision):
        from huggingface_hub import HfApi

        return HfApi().repo_info(name, repo_type=kind, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS)


def download(kind: str, name: str, files: dict[str, int], commit: str, progress: Progress) -> Path:
    """Fetch files into the hub's own cache, which other programs share.

    Args:
        kind: 'model' or 'dataset'.
        name: of the repository.
        files: path in the repository → bytes.
        commit: that they are of.
        progress: in bytes; it may cancel within a file.

    Returns:
        The folder they are in.
    """
    total, before, folder = sum(files.values()), 0, Path()
    for path, n_bytes in files.items():

        def tick(done: int, before: int = before, path: str = path) -> None:
            progress(min(before + done, total), total, f"downloading {name}: {path}")

        with explained(kind, name, commit), disk_errors(_cache_folder()):
            from huggingface_hub import hf_hub_download

            tick(0)
            fetched = hf_hub_download(name, path, repo_type=kind, revision=commit, tqdm_class=progress_bar(tick))
        folder = Path(fetched).parents[path.count("/")]
        before += n_bytes
    return folder


def cached(kind: str, name: str, path: str, revision: str | None = None) -> Path | None:
    """Return a file of the hub's own cache, or None; makes no request."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, path, revision=revision or "main", repo_type=kind)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def _cache_folder() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


@contextmanager
def explained(kind: str, name: str, revision: str | None = None) -> Iterator[None]:
    """Turn any error of the hub's library into one line with a remedy."""
    from huggingface_hub import errors

    noun, instead = _words(kind)
    reason = why_not()
    if reason:
        raise Unreachable(f"{noun} {name!r} is not on this machine and the hub is out of reach ({reason}); {instead}.")
    try:
        yield
    except errors.GatedRepoError:
        raise Unreachable(
            f"{noun} {name!r} is gated: accept its licence on its hub page and set HF_TOKEN to a token of yours; "
            f"or {instead}."
        ) from None
    except errors.RevisionNotFoundError:
        raise BadRequest(
            f"{noun} {name!r} has no revision {revision!r} on the hub; give a branch, tag or commit it has."
        ) from None
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        raise BadRequest(
            f"{noun} {name!r} was not found on the hub; check its spelling, set HF_TOKEN if it is private, "
            f"or {instead}."
        ) from None
    except errors.HfHubHTTPError as error:
        code = getattr(error.response, "status_code", "an error")
        raise Unreachable(f"{noun} {name!r}: the hub answered {code}; try again later, or {instead}.") from None
    except _connection_errors() as error:
        _state["unreachable"] = f"no answer: {type(error).__name__}"
        raise Unreachable(
            f"{noun} {name!r}: the hub did not answer ({type(error).__name__}); check the network, or {instead}."
        ) from None


def _connection_errors() -> tuple[type[Exception], ...]:
    """Return what a failed connection raises; the hub's library has changed its client over time.

    Not OSError as such: a full disk or a forbidden folder has nothing to do with the network.
    """
    from huggingface_hub import errors
    from huggingface_hub.utils import get_session

    kinds: list[type[Exception]] = [errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled]
    kinds += [ConnectionError, TimeoutError, socket.gaierror]
    client = type(get_session())
    for base in client.__mro__:
        module = __import__(base.__module__.partition(".")[0])
        names = ("TransportError", "RequestException")
        kinds.extend(getattr(module, name) for name in names if hasattr(module, name))
    return tuple(kinds)


def _words(kind: str) -> tuple[str, str]:
    if kind == "model":
        return (
            "Model",
            "give a local folder with config.json and safetensors, or take smollm2-135m (an encoder: all-minilm-l6-v2)",
        )
    return "Data set", "give a local file"


def progress_bar(tick: Callable[[int], None]) -> type:
    """Return a class of progress bars that report the bytes downloaded since the last report."""
    from tqdm.auto import tqdm

    class Bar(tqdm):
        """Passes the bytes on and prints nothing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})
            self._done = kwargs.get("initial", 0)

        def update(self, n: float | None = 1) -> None:
            self._done += int(n or 0)
            tick(self._done)

    return Bar
