"""Measure one run's posterior and keep what was found in the job's folder. The reading side is free of torch."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from core.activations.clouds import Cloud
from core.analysis.behind_norm import BehindNorm, measure_behind_norm
from core.analysis.cloud_places import SiteCloud
from core.analysis.intervals import Interval, bootstrap
from core.analysis.prompt_measures import PromptMeasures, measure_prompt
from core.analysis.quantities import Quantity, quantity
from core.analysis.retained import run_features
from core.array_types import Float32s, Indices, Int64s
from core.engine.lookup import find_succeeded
from core.engine.tasks import Task
from core.jobs.context import labels
from core.jobs.made import Made
from core.jobs.seen import attention_of, attention_summary, input_norm_of
from core.progress import Progress
from core.specs import DatasetSpec, TuningSpec
from core.specs.base import JsonObject
from core.specs.measure import MeasureSpec
from core.store import JobFolder, Store
from core.store.endings import ending_of
from core.store.imported import unknown_settings
from core.store.prompts import RunPrompts, posterior_of, read_prompts, run_with_posterior

VERSION = "2"
"""Goes up when the same posterior would give other numbers."""
VOCABULARY = "vocabulary rows"
MAX_FRAMES = 40
"""Snapshots that are shown, and whose nearest tokens are looked up, at most."""
_NAMED_SETTINGS = ("learning_rate", "seed", "steps")
"""Settings that a summary lists; None for an imported run that does not record them."""
TABLES = ("vectors", "nulls", "worth", "trajectory", "attention")


@dataclass(frozen=True)
class Measures(Made[JsonObject]):
    """What was measured of a run."""

    def table(self, name: str) -> pd.DataFrame:
        """Return one of `TABLES`; an empty one where it was not measured."""
        path = self.job.file(f"{name}.parquet")
        return pd.read_parquet(path) if path.exists() else pd.DataFrame()

    @cached_property
    def null_points(self) -> dict[str, Float32s]:
        """Return some points of each null, by `site.name`."""
        return load_file(self.job.file("nulls.safetensors"))


def measure_spec(run: JobFolder, **more: Any) -> MeasureSpec:
    """Return the request to measure a run's present posterior.

    Raises:
        BadRequest: the run goes on, or has no posterior.
        DamagedArtifact: its files are not what they were.
    """
    return MeasureSpec.parse({"run": run.id, "posterior": posterior_of(run), **more})


def find_measures(spec: MeasureSpec, store: Store) -> Measures | None:
    """Return what was measured for a request; one that also asked what vectors are worth serves one that did not."""
    asked = (spec, spec.model_copy(update={"worth": True}))
    return next((Measures(job) for each in asked if (job := find_succeeded("measure", each, store))), None)


def measure(spec: MeasureSpec, job: JobFolder, store: Store, progress: Progress) -> JsonObject:
    """Measure all of a run's sites and write tables into the job's folder.

    Clouds that are missing are captured first.

    Returns:
        the summary: version, run, posterior, quality, evaluations, `sites` (a group of quantities each), `attention`
        (by block), `worth`.

    Raises:
        UnknownName: no such run.
        BadRequest: the run goes on, has no posterior, or has another one now.
        Cancelled: by the progress.
    """
    run = run_with_posterior(spec.run, spec.posterior, store)
    tuning, prompts = tuning_spec(run), read_prompts(run)
    assert prompts is not None  # noqa: S101 - there is a posterior
    shown = frames(len(prompts.steps))
    found: dict[int, PromptMeasures] = {}
    behind: dict[int, BehindNorm] = {}
    cut = tuning.method == "deep" and tuning.deep_form == "cut"
    gathered = gather_clouds(tuning, spec.datasets, prompts.sites, store, progress)
    for done, (site, (rows, clouds)) in enumerate(gathered.items()):
        progress(done, len(prompts.sites), f"Measuring site {site}")
        rng = np.random.default_rng((spec.seed, site))
        found[site] = measure_prompt(prompts.at(site)[shown], rows, clouds, rng, begun=prompts.begun)
        if cut:
            rng, ends = np.random.default_rng((spec.seed, site)), (prompts.prior(site), prompts.posterior(site))
            norm = input_norm_of(tuning, site, store, progress)
            behind[site] = measure_behind_norm(*ends, rows, clouds, rng, norm, begun=prompts.begun)
    progress(0, 0, "Measuring the attention that the prompt gets")
    attention = attention_of(tuning, prompts, spec.n_worth, store, progress)
    began = time.monotonic()
    worth = _worth(spec, tuning, prompts, found, store, progress) if spec.worth else pd.DataFrame()
    seconds = time.monotonic() - began
    _write(job.path, found, prompts.steps[shown], {"worth": worth, "attention": attention})
    return {
        "version": VERSION,
        "run": run.id,
        "posterior": spec.posterior,
        **about(run, tuning, prompts),
        "sites": [
            {
                "site": site,
                **at.summary,
                **({"behind_norm": behind[site]} if site in behind else {}),
                **worth_summary(worth, site, spec.seed),
                "features": run_features(prompts.posterior(site)).tolist(),
            }
            for site, at in found.items()
        ],
        "attention": attention_summary(attention),
        **worth_summary(worth, None, spec.seed),
        "n_worth": min(spec.n_worth, tuning.n_validation) if spec.worth else 0,
        "worth_seconds": seconds if spec.worth else None,
    }


def tuning_spec(run: JobFolder) -> TuningSpec:
    """Return what a run was asked for."""
    return TuningSpec.parse(run.spec)


def frames(n_snapshots: int, most: int = MAX_FRAMES) -> Indices:
    """Return which snapshots are shown: evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, n_snapshots - 1, min(n_snapshots, most)).round().astype(np.intp))


def gather_clouds(
    tuning: TuningSpec, further: Sequence[DatasetSpec], sites: Sequence[int], store: Store, progress: Progress
) -> dict[int, tuple[SiteCloud, list[SiteCloud]]]:
    """Return by site what vectors may have fallen onto, and the clouds they are placed in; captured where missing."""
    from core.activations.capture import capture
    from core.activations.vocabulary import vocabulary_cloud

    datasets = list(dict.fromkeys([tuning.dataset, *further]))
    own = tuning.activations(*sites)
    wanted = [own, *(own.model_copy(update={"dataset": data, "part": "all"}) for data in datasets[1:])]
    captured = [capture(cloud, store, progress)[0] for cloud in wanted]
    found = {}
    for site in sites:
        clouds = [_at(cloud, site, name) for cloud, name in zip(captured, labels(datasets), strict=True)]
        rows = replace(clouds[0], name=f"tokens of {clouds[0].name}") if site else None
        if rows is None:
            rows = _at(vocabulary_cloud(tuning.model, store, progress), 0, VOCABULARY)
            clouds.insert(0, rows)
        found[site] = (rows, clouds)
    return found


def about(run: JobFolder, tuning: TuningSpec, prompts: RunPrompts) -> JsonObject:
    """Return what a run is and how good it is, as far as its folder tells."""
    result = run.result() or {}
    evaluations = {int(event["step"]): event["validation"] for event in run.events(event="evaluation")}
    baselines: JsonObject = {}
    for event in run.events(event="baseline"):
        baselines = {name: found for name, found in event.items() if isinstance(found, dict)}
    steps = sorted(evaluations)
    last = result.get("validation") or (evaluations[steps[-1]] if steps else {})
    before = baselines.pop("prior_sample", {})
    nulls = {name.replace("_", " "): found for name, found in baselines.items()}
    return {
        "state": run.status().state,
        "ending": ending_of(run),
        "model": tuning.model.name,
        "prior": tuning.prior.kind,
        "data": tuning.dataset.label,
        "method": tuning.method,
        "n_prompt": prompts.vectors.shape[2],
        "d_model": prompts.vectors.shape[3],
        "learning_rate": tuning.learning_rate,
        "seed": tuning.seed,
        "steps": int(prompts.steps[-1]),
        **dict.fromkeys(set(_NAMED_SETTINGS) & set(unknown_settings(run))),
        "quality": {
            name: quantity(value, before.get(name), {null: found.get(name) for null, found in nulls.items()})
            for name, value in last.items()
            if value is not None and name != "step"
        },
        "evaluations": {"step": steps, "loss": [evaluations[step]["loss"] for step in steps]},
        "steps_per_second": result.get("steps_per_second"),
    }


def worth_summary(table: pd.DataFrame, site: int | None, seed: int) -> dict[str, dict[str, Quantity]]:
    """Return the mean change of the loss, by change, of those made at a site (None: at all sites at once)."""
    if table.empty:
        return {}
    here = table.loc[table["site"].isna() if site is None else table["site"] == site]
    here = here.loc[here["change"] != "unchanged"]
    rng = np.random.default_rng(seed)
    found: dict[str, Quantity] = {}
    for change, rows in here.groupby("change", sort=False):
        deltas = rows["delta_loss"].to_numpy(np.float64)
        shuffled = change == "shuffle"
        of_orders = Interval(float(deltas.mean()), float(deltas.min()), float(deltas.max()))
        found[str(change)] = quantity(of_orders if shuffled else bootstrap(deltas, rng))
    return {"worth": found} if found else {}


def _worth(
    spec: MeasureSpec,
    tuning: TuningSpec,
    prompts: RunPrompts,
    found: dict[int, PromptMeasures],
    store: Store,
    progress: Progress,
) -> pd.DataFrame:
    from core.tuning.changes import TunedPrompt
    from core.tuning.worth import worth

    snapped = {site: at.snapped for site, at in found.items()}
    prior, posterior = prompts.vectors[0] if prompts.begun else None, prompts.vectors[-1]
    tuned = TunedPrompt(prior, posterior, prompts.sites, snapped)
    rows = worth(tuning, tuned, store, spec.n_worth, spec.seed, progress)
    table = pd.DataFrame([asdict(row) for row in rows]).rename(columns={"name": "change"})
    return table.astype({"site": "Int64", "vector": "Int64"})


def _at(cloud: Cloud, site: int, name: str) -> SiteCloud:
    documents = cloud.rows["document"].to_numpy() if "document" in cloud.rows else None
    return SiteCloud(name, cloud.points(site), cloud.rows["token"].tolist(), documents, cloud.moments(site))


def _write(folder: Path, found: dict[int, PromptMeasures], steps: Int64s, further: dict[str, pd.DataFrame]) -> None:
    tables = {"vectors": {site: at.vectors for site, at in found.items()}}
    tables["nulls"] = {site: at.nulls for site, at in found.items()}
    tables["trajectory"] = {site: _trajectory_table(at.trajectory_tokens, steps) for site, at in found.items()}
    for name, by_site in tables.items():
        frames_of_sites = [table.assign(site=site) for site, table in by_site.items()]
        pd.concat(frames_of_sites, ignore_index=True).to_parquet(folder / f"{name}.parquet", index=False)
    for name, table in further.items():
        if not table.empty:
            table.to_parquet(folder / f"{name}.parquet", index=False)
    points = {f"{site}.{name}": values for site, at in found.items() for name, values in at.null_points.items()}
    save_file({name: np.ascontiguousarray(values) for name, values in points.items()}, folder / "nulls.safetensors")


def _trajectory_table(tokens: NDArray[np.object_], steps: Int64s) -> pd.DataFrame:
    n_prompt = tokens.shape[1]
    vectors = np.tile(np.arange(n_prompt), len(steps))
    return pd.DataFrame({"step": np.repeat(steps, n_prompt), "vector": vectors, "token": tokens.ravel()})


MEASURE = Task("measure", "e", MeasureSpec, measure, "heavy", keeps=True, version=VERSION)
