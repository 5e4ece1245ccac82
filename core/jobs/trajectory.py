"""Follow a few texts through a model, and keep every token's stream in the job's folder. Reading is free of torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import save_file

from core.activations.tokens import special_ids
from core.array_types import Float32s
from core.engine.lookup import find_succeeded
from core.engine.tasks import Task
from core.errors import BadRequest
from core.jobs.context import weights
from core.jobs.made import Made
from core.progress import Progress
from core.sources.datasets import dataset_key, load_dataset
from core.specs import Site, TrajectorySpec
from core.store import JobFolder, Store, find_job
from core.store.prompts import posterior_of, run_with_posterior

if TYPE_CHECKING:
    from core.jobs.following import Followed

VERSION = "1"
"""Goes up when the same request would give other streams."""
STREAMS = "streams.safetensors"
TOKENS = "tokens.parquet"
ALTERNATIVES = "alternatives.parquet"
TEXT, ANSWER = "text", "answer"


@dataclass(frozen=True)
class Asked:
    """One text to follow.

    Attributes:
        text: what is read.
        answers: accepted ones, where it is a question of a data set.
        record: its id in the data set; empty for a typed one.
    """

    text: str
    answers: tuple[str, ...] = ()
    record: str = ""


class FollowedText(TypedDict):
    """A text with its answer, and how many tokens each has."""

    text: str
    record: str
    answers: list[str]
    n_text: int
    n_answer: int
    answer: str
    truncated: bool
    ended: bool


class TrajectorySummary(TypedDict):
    """How texts were followed."""

    version: str
    revision: str
    dtype: str
    sites: list[Site]
    d_model: int
    n_prompt: int
    prompt_sites: list[Site]
    seconds_a_token: float | None
    texts: list[FollowedText]


@dataclass(frozen=True)
class Trajectories(Made[TrajectorySummary]):
    """Texts that were followed."""

    @cached_property
    def tokens(self) -> pd.DataFrame:
        """Return one row per token, in the order of `streams`.

        Columns: text (number), part ('text' or 'answer'), order (within its text, from 0), token_id, token, special,
        first, probability (of a generated token, else NaN).
        """
        return pd.read_parquet(self.job.file(TOKENS))

    @cached_property
    def alternatives(self) -> pd.DataFrame:
        """Return the likeliest tokens of each generated step, one row each.

        Columns: text, order, rank (from 1), token_id, token, probability.
        """
        return pd.read_parquet(self.job.file(ALTERNATIVES))

    def streams(self, site: Site) -> Float32s:
        """Return the stream of every token at a site, (n_tokens, d_model).

        Raises:
            BadRequest: a site that was not asked for.
        """
        self._check(site)
        return self._read(f"stream.{site}")

    def prompt(self, site: Site) -> Float32s | None:
        """Return the prompted positions at a site, (n_prompt, d_model), or None where there are none.

        Raises:
            BadRequest: a site that was not asked for.
        """
        self._check(site)
        return self._read(f"prompt.{site}") if site in self.summary["prompt_sites"] else None

    def _read(self, name: str) -> Float32s:
        with safe_open(self.job.file(STREAMS), framework="numpy") as file:
            return file.get_tensor(name)

    def _check(self, site: Site) -> None:
        if site not in self.summary["sites"]:
            have = ", ".join(map(str, self.summary["sites"]))
            raise BadRequest(f"These texts were not read at site {site!r}, only at: {have}; choose one of those.")


def trajectory_spec(store: Store, **asked: Any) -> TrajectorySpec:
    """Return a request; if it names a run, with what identifies the run's present posterior.

    Raises:
        UnknownName: no such run.
        BadRequest: a run of another model, one without a posterior, or a field that cannot be so.
    """
    spec = TrajectorySpec.parse({**asked, "posterior": "-" if asked.get("run") else None})
    if spec.run is None:
        return spec
    run = find_job(store, spec.run)
    named = spec.model_copy(update={"run": run.id, "posterior": posterior_of(run)})
    _require_own_model(run, spec)
    return named


def _require_own_model(run: JobFolder, spec: TrajectorySpec) -> None:
    if run.spec["model"]["name"] != spec.model.name:
        raise BadRequest(
            f"Run {run.id} tuned {run.spec['model']['name']!r}, not {spec.model.name!r}, so its prompt means nothing "
            "there; choose a run of the same model."
        )


def find_trajectories(spec: TrajectorySpec, store: Store) -> Trajectories | None:
    """Return what was followed for a request, or None."""
    job = find_succeeded("trajectory", spec, store)
    return Trajectories(job) if job else None


def trajectory(spec: TrajectorySpec, job: JobFolder, store: Store, progress: Progress) -> TrajectorySummary:
    """Follow texts and keep tokens and streams in the job's folder.

    Raises:
        UnknownName: no such run.
        BadRequest: no such site, a text without tokens or too long a question, or a run that does not fit.
        Cancelled: by the progress.
    """
    from core.activations.vocabulary import readable
    from core.jobs.following import follow

    if spec.run and spec.posterior:
        _require_own_model(run_with_posterior(spec.run, spec.posterior, store), spec)
    asked = _asked(spec, store, progress)
    frozen, sites, followed = follow(spec, [text.text for text in asked], store, progress)

    def word(token: int) -> str:
        return readable(frozen.tokenizer, token)

    tokens = _token_table(followed, special_ids(frozen.tokenizer), word)
    tokens.to_parquet(job.path / TOKENS, index=False)
    _alternatives_table(followed, word).to_parquet(job.path / ALTERNATIVES, index=False)
    prompt = followed[0].prompt
    streams = {f"stream.{site}": np.concatenate([path.streams[site] for path in followed]) for site in sites}
    save_file(streams | {f"prompt.{site}": own for site, own in prompt.items()}, job.path / STREAMS)
    return {
        "version": VERSION,
        "revision": frozen.revision,
        "dtype": str(frozen.dtype).removeprefix("torch."),
        "sites": list(sites),
        "d_model": frozen.d_model,
        "n_prompt": len(next(iter(prompt.values()), ())),
        "prompt_sites": list(prompt),
        "seconds_a_token": _pace(followed),
        "texts": [_about(text, path, frozen.tokenizer) for text, path in zip(asked, followed, strict=True)],
    }


def _asked(spec: TrajectorySpec, store: Store, progress: Progress) -> list[Asked]:
    """Return the typed texts, or those drawn from the data set: held-out questions where answers are generated."""
    if spec.dataset is None:
        return [Asked(text) for text in spec.texts]
    data = load_dataset(spec.dataset, store, progress)
    if data.is_chat:
        from core.lm.chat import as_texts
        from core.lm.load import load_model

        data = as_texts(data, load_model(spec.model, store, progress))
    questions = spec.mode == "generate" and data.is_task
    records = data.split()[1] if questions else data.records
    chosen = [records[i] for i in np.random.default_rng(spec.seed).permutation(len(records))[: spec.n_texts]]
    if questions:
        return [Asked(record.prompt, record.answers, record.id) for record in chosen]
    return [Asked(record.text, (), record.id) for record in chosen]


def _token_table(followed: "Sequence[Followed]", special: Sequence[int], word: Callable[[int], str]) -> pd.DataFrame:
    tables = []
    for number, path in enumerate(followed):
        n, order = len(path.ids), np.arange(len(path.ids))
        probability = np.full(n, np.nan)
        probability[path.n_text :] = path.probabilities
        columns = {
            "text": number,
            "part": np.where(order < path.n_text, TEXT, ANSWER),
            "order": order,
            "token_id": path.ids,
            "token": [word(token) for token in path.ids],
            "special": np.isin(path.ids, special),
            "first": order == 0,
            "probability": probability,
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _alternatives_table(followed: "Sequence[Followed]", word: Callable[[int], str]) -> pd.DataFrame:
    rows = [
        (number, path.n_text + step, rank, token, word(token), probability)
        for number, path in enumerate(followed)
        for step, best in enumerate(path.best)
        for rank, (token, probability) in enumerate(zip(*best, strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=["text", "order", "rank", "token_id", "token", "probability"])


def _pace(followed: "Sequence[Followed]") -> float | None:
    """Return seconds per generated token, reading the text included; None where there is none."""
    n_tokens = sum(len(path.probabilities) for path in followed)
    return sum(path.seconds for path in followed) / n_tokens if n_tokens else None


def _about(asked: Asked, path: "Followed", tokenizer: Any) -> FollowedText:
    answer = tokenizer.decode(path.ids[path.n_text :], skip_special_tokens=True) if path.probabilities else ""
    return {
        "text": asked.text,
        "record": asked.record,
        "answers": list(asked.answers),
        "n_text": path.n_text,
        "n_answer": len(path.ids) - path.n_text,
        "answer": answer,
        "truncated": path.truncated,
        "ended": path.ended,
    }


def _context(spec: TrajectorySpec) -> tuple[str, ...]:
    texts = (dataset_key(spec.dataset),) if spec.dataset else ()
    return *texts, weights(spec.model)


TRAJECTORY = Task("trajectory", "y", TrajectorySpec, trajectory, "quick", keeps=True, version=VERSION, context=_context)
