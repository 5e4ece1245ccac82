"""Clouds as they are read: points, what each point is, and moments. Free of torch."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from safetensors import safe_open

from core.array_types import Float32s
from core.errors import BadRequest, DamagedArtifact
from core.fits.moments import Moments
from core.sources.datasets import dataset_key
from core.sources.models import model_revision
from core.specs.base import JsonObject, Spec, canonical_json, fingerprint
from core.specs.cloud import FINAL, CloudSpec
from core.specs.model import ModelSpec
from core.specs.nearest import Nearest, holds, nearest
from core.store.artifacts import MANIFEST, Artifact, Manifest, Store
from core.store.record_files import check, read_digested

S = TypeVar("S", bound=Spec)

CLOUD = "cloud"
"""Kind of the artifacts that hold token activations."""
VOCABULARY = "vocabulary"
"""Kind of the artifacts that hold embedding matrices."""
VERSION = "1"
"""Goes up when the same spec would give other points."""
ROWS = "rows.parquet"


@dataclass(frozen=True)
class Cloud:
    """Points of one kind at one site or several, the same points at every site.

    Attributes:
        artifact: what is stored.
        sites: those asked for; the artifact may hold more.
    """

    artifact: Artifact
    sites: tuple[int | str, ...]

    @property
    def key(self) -> str:
        """Return the key of the artifact."""
        return self.artifact.key

    @property
    def kind(self) -> str:
        """Return 'cloud' (token activations) or 'vocabulary'."""
        return self.artifact.kind

    @property
    def info(self) -> JsonObject:
        """Return counts, widths, speed and provenance."""
        return self.artifact.info

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Return what each point is, one row per point, in the order of `points`.

        Token activations: row_id, document, record, group, position, token_id, token,
        context_before, context_after, special, first, pad, sink, norm; where a point is the mean
        over a text, its beginning stands for the token, and the id is -1. Vocabulary: row_id,
        token_id, token, special, norm.
        """
        return pd.read_parquet(self.artifact.folder / ROWS)

    def points(self, site: int | str) -> Float32s:
        """Return (n_rows, d_model) at a site; stored as float16 where every value fits.

        Raises:
            BadRequest: a site that is not in this cloud.
        """
        self._check(site)
        stored = np.load(self.artifact.folder / points_file(site), mmap_mode="r")
        return stored if stored.dtype == np.float32 else stored.astype(np.float32)

    def moments(self, site: int | str) -> Moments:
        """Return exact moments over all tokens of the cloud, not only its rows.

        Raises:
            BadRequest: a site that is not in this cloud.
        """
        self._check(site)
        with safe_open(self.artifact.folder / moments_file(site), framework="numpy") as file:
            return Moments(
                count=int(file.get_tensor("count")[0]),
                mean=file.get_tensor("mean"),
                covariance=file.get_tensor("covariance"),
            )

    def _check(self, site: int | str) -> None:
        if site not in self.sites:
            have = ", ".join(map(str, self.sites))
            raise BadRequest(f"Site {site!r} is not in this cloud; it has: {have}. Choose one, or capture that site.")


def find_cloud(spec: CloudSpec, store: Store) -> Cloud | None:
    """Return stored token activations with at least the requested sites, or None; fetches nothing.

    Raises:
        UnknownName, BadData: no such model, module or file.
    """
    revision = model_revision(spec.model)
    return find_capture(spec, revision, store) if revision else None


def find_capture(spec: CloudSpec, revision: str, store: Store) -> Cloud | None:
    """Return what was captured for a spec with the weights of a revision, or None."""
    for key in _candidates(base_key(spec, revision), spec.sites, store):
        artifact = store.find(CLOUD, key)
        if artifact:
            held = tuple(artifact.info["sites"])
            asked = held if spec.sites == "all" else tuple(site for site in held if site in spec.sites)
            return Cloud(artifact, asked)
    return None


def find_vocabulary(spec: ModelSpec, store: Store) -> Cloud | None:
    """Return the stored vocabulary cloud of a model, or None; fetches nothing.

    Raises:
        UnknownName, BadData: no such model.
    """
    revision = model_revision(spec)
    artifact = store.find(VOCABULARY, vocabulary_key(spec, revision)) if revision else None
    return Cloud(artifact, (0,)) if artifact else None


def base_key(spec: CloudSpec, revision: str) -> str:
    """Return a key of weights, texts, filter, sample and number format, without the sites."""
    asked = spec.as_json(exclude={"sites", "dataset", "model"})
    # The split decides nothing but which documents the training part holds.
    split = () if spec.part == "all" else (str(spec.dataset.validation_fraction),)
    facts = (dataset_key(spec.dataset), revision, spec.model.device, spec.model.dtype, VERSION)
    return fingerprint(canonical_json(asked), *facts, *split)


def cloud_key(spec: CloudSpec, revision: str) -> str:
    """Return the key of a capture: `base_key` and the sites as asked."""
    return f"{base_key(spec, revision)}-{fingerprint(canonical_json(_plain(spec.sites)))[:8]}"


def vocabulary_key(spec: ModelSpec, revision: str) -> str:
    """Return the key of a vocabulary cloud."""
    return fingerprint(VOCABULARY, revision, spec.device, spec.dtype, VERSION)


def points_file(site: int | str) -> str:
    """Return the name of the file with a site's points."""
    return f"site-{site}.npy"


def moments_file(site: int | str) -> str:
    """Return the name of the file with a site's moments."""
    return f"moments-{site}.safetensors"


def stored_infos(store: Store, kind: str, keys: str = "*") -> Iterator[tuple[str, JsonObject]]:
    """Yield key and `info` of artifacts whose keys match, newest first; unverified, without unreadable ones."""
    for manifest in _manifests(store, kind, keys):
        yield manifest.key, manifest.info


def stored_specs(store: Store, kind: str, spec: type[S]) -> Iterator[S]:
    """Yield what stored artifacts were asked for, newest first; unverified, without unreadable ones."""
    for manifest in _manifests(store, kind, "*"):
        with suppress(BadRequest):  # written by another version
            yield spec.parse(manifest.spec)


def nearest_cloud(spec: CloudSpec, store: Store, elsewhere: bool = False) -> Nearest[CloudSpec] | None:
    """Return the stored activations of the same model that are nearest to a spec, or None.

    Args:
        spec: that is not stored.
        store: the cache folder.
        elsewhere: whether those at other sites count too, if there are none at the spec's.

    Raises:
        UnknownName, BadData: see `find_cloud`.
    """
    there = [one for one in stored_specs(store, CLOUD, CloudSpec) if one.part == spec.part]
    while found := nearest(
        spec, [one for one in there if holds(one.sites, spec.sites)] or (there if elsewhere else [])
    ):
        if find_cloud(found.spec, store):
            return found
        there.remove(found.spec)  # of other weights, or other texts, than are here now
    return None


def _manifests(store: Store, kind: str, keys: str) -> Iterator[Manifest]:
    paths = list((store.root / "artifacts" / kind).glob(f"{keys}/{MANIFEST}"))
    for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            yield check(read_digested(path), Manifest, MANIFEST)
        except (OSError, DamagedArtifact):
            continue


def _plain(sites: Sequence[int | str] | str) -> Any:
    if sites == "all":
        return "all"
    numbers = sorted({site for site in sites if isinstance(site, int)})
    return [*numbers, *([FINAL] if FINAL in sites else [])]


def _candidates(base: str, sites: Sequence[int | str] | str, store: Store) -> list[str]:
    """Return the keys of stored captures that hold the sites, those with the fewest sites first."""
    found: list[tuple[int, str]] = []
    for key, info in stored_infos(store, CLOUD, f"{base}-*"):
        enough = info["all_sites"] if sites == "all" else set(sites) <= set(info["sites"])
        if enough:
            found.append((len(info["sites"]), key))
    return [key for _, key in sorted(found)]
