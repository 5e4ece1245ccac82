"""The finished studies that travel with the program, read where they lie. Free of torch.

A finished study is a folder of `core/studies/finished/`: `study.json` says what was studied, by which
rules, how and with which files; `items/` holds a job folder per figure, table and claim, `runs/` one
per arm, and `prompts.safetensors` the prompts of these runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import DamagedArtifact
from core.specs import DEFAULT_MODEL, StudyItemSpec, StudySpec
from core.specs.base import JsonObject
from core.store import JobFolder
from core.store.files import checksum
from core.store.prompts import RunPrompts
from core.studies.shipped_prompts import ShippedPrompts, read_shipped

FINISHED = Path(__file__).parent / "finished"
MANIFEST, PROMPTS = "study.json", "prompts.safetensors"
VERSION = "2"
"""Of the code that makes items; changes when the same study would give other pictures or numbers."""
REMEDY = "Install the program again, or make the study here with `python -m core reproduce --all --out DIR`."


class Manifest(BaseModel):
    """What `study.json` says of a finished study.

    Attributes:
        study: its spec.
        items: item → folder of the job that made it.
        left: item that was not made → tuning runs that it needed beside those that were there.
        runs: arm → folder of its first seed's run.
        prompts: arm → where its first run's prompts are in `PROMPTS`.
        version: of the code that made the items, see `VERSION`.
        rules_version: of the claims' rules.
        commit: of the program that the study began with; the rules were fixed by then.
        command: that makes the study again.
        hours: that its tuning runs took, one after another.
        machine: they ran on.
        files: path → SHA-256.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: JsonObject
    items: Mapping[str, str]
    left: Mapping[str, int]
    runs: Mapping[str, str]
    prompts: Mapping[str, ShippedPrompts]
    version: str
    rules_version: str
    commit: str
    command: str
    hours: float
    machine: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class FinishedStudy:
    """A finished study whose files are what its manifest says."""

    folder: Path
    manifest: Manifest

    @cached_property
    def spec(self) -> StudySpec:
        """Return the study."""
        return StudySpec.parse(self.manifest.study)

    @property
    def items(self) -> list[JobFolder]:
        """Return the folders of its items."""
        return [JobFolder(self.folder / path) for path in self.manifest.items.values()]

    def item(self, name: str) -> JobFolder | None:
        """Return the folder of an item, or None."""
        return _folder(self.folder, self.manifest.items.get(name))

    def run(self, arm: str) -> JobFolder | None:
        """Return the folder of an arm's first run, or None."""
        return _folder(self.folder, self.manifest.runs.get(arm))

    def prompts(self, arm: str) -> RunPrompts | None:
        """Return prior sample, snapshots and posterior of an arm's first run, or None."""
        shipped = self.manifest.prompts.get(arm)
        return read_shipped(shipped, self.folder / PROMPTS) if shipped else None

    def why_not(self, item: str) -> str:
        """Return in one line why an item is not in the study; empty if it is."""
        if item in self.manifest.items:
            return ""
        n_runs = self.manifest.left.get(item, 0)
        needs = f"it needs {n_runs} further tuning run{'s' * (n_runs > 1)}; " if n_runs else ""
        return f"not in the finished study: {needs}`{self.manifest.command}` makes it"

    @property
    def provenance(self) -> str:
        """Return in words where the study comes from."""
        made = self.manifest
        return (
            f"This study came with the program. Its tuning runs took {made.hours:.1f} hours on {made.machine}, "
            f"with rules {made.rules_version} fixed at commit {made.commit}. `{made.command}` makes it again."
        )


def finished_studies(version: str) -> Sequence[FinishedStudy]:
    """Return the finished studies that this program can read.

    Args:
        version: of the items that it makes.
    """
    return [one for one in _read_all(FINISHED, version) if isinstance(one, FinishedStudy)]


def problems(version: str) -> Sequence[str]:
    """Return a line for each finished study that is left out: why, and what can be done."""
    return [one for one in _read_all(FINISHED, version) if isinstance(one, str)]


def finished_of(study: StudySpec, version: str) -> FinishedStudy | None:
    """Return the finished study that is this one, or None."""
    return next((one for one in finished_studies(version) if one.spec == study), None)


def finished_with(items: Sequence[str], version: str) -> FinishedStudy | None:
    """Return the finished study that has one of these items, that of the default model first, or None."""
    known = sorted(finished_studies(version), key=lambda one: one.spec.model.name != DEFAULT_MODEL)
    return next((one for one in known if any(one.item(item) for item in items)), None)


def finished_item(spec: StudyItemSpec, version: str) -> JobFolder | None:
    """Return the folder of an item of a finished study, or None."""
    found = finished_of(spec.study, version)
    return found.item(spec.item) if found else None


@lru_cache(maxsize=4)
def _read_all(root: Path, version: str) -> tuple[FinishedStudy | str, ...]:
    return tuple(_read_or_say(path.parent, version) for path in sorted(root.glob(f"*/{MANIFEST}")))


def _read_or_say(folder: Path, version: str) -> FinishedStudy | str:
    try:
        return read_finished(folder, version)
    except DamagedArtifact as error:
        return str(error)


def read_finished(folder: Path, version: str) -> FinishedStudy:
    """Return the finished study of a folder, with every checksum verified.

    Raises:
        DamagedArtifact: a manifest that cannot be read, another version, a file that is missing or
            not what its checksum says.
    """
    name = f"The finished study {folder.name}"
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise DamagedArtifact(f"{name} is left out: its {MANIFEST} cannot be read ({reason}). {REMEDY}") from None
    if manifest.version != version:
        raise DamagedArtifact(
            f"{name} is left out: version {manifest.version} of the study's code made it, and this program reads "
            f"version {version}. {REMEDY}"
        )
    for path, digest in manifest.files.items():
        if not (folder / path).is_file():
            raise DamagedArtifact(f"{name} is left out: its file {path} is missing. {REMEDY}")
        if checksum(folder / path) != digest:
            raise DamagedArtifact(f"{name} is left out: its file {path} is not what its checksum says. {REMEDY}")
    return FinishedStudy(folder, manifest)


def _folder(root: Path, path: str | None) -> JobFolder | None:
    return None if path is None else JobFolder(root / path)
