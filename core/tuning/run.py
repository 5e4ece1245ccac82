"""One prompt-tuning run, from its spec to its folder."""

import math
import time
from functools import cache, partial

from core.activations.references import make
from core.errors import Cancelled, Diverged
from core.lm.shapes import Prompt
from core.progress import Progress, silent
from core.specs.base import JsonObject, fingerprint
from core.specs.tuning import TuningSpec
from core.store.artifacts import Store
from core.store.endings import CONVERGED, FIXED, LONGEST, Ending
from core.store.files import write_json
from core.store.jobs import JobFolder
from core.store.record_files import read_object
from core.tuning import VERSION
from core.tuning.baselines import shared_baseline
from core.tuning.evaluation import ANSWER_SCORES
from core.tuning.loop import Trainer, TrainerState
from core.tuning.plateau import plateau
from core.tuning.provenance import counts, provenance
from core.tuning.record import Record, RunWriter, read_checkpoint, snapshot_interval
from core.tuning.regularisers.base import Ground, build_regularisers, effects
from core.tuning.setup import SetUp, set_up
from core.tuning.start import draw_prompt, fit_priors, report


def tune(spec: TuningSpec, job: JobFolder, store: Store, progress: Progress = silent) -> JsonObject:
    """Tune a prompt and return what the run found.

    Everything is written into the run's folder as it goes. A run that was cancelled or killed goes
    on from its last checkpoint and ends with the numbers that an undisturbed one gives.

    Args:
        spec: what was asked for.
        job: the run's folder.
        store: where model, texts and clouds are kept.
        progress: in steps.

    Returns:
        run, status, validation, baseline, ending (see `core.store.endings`), steps (done),
        warmup_steps, seconds, steps_per_second, prior (the fit's report, of a deep prompt by site),
        sites, trunk (what was kept of the frozen part), memory (only if it ran out) and counts.

    Raises:
        BadRequest: the prompt does not fit into the model's context.
        BadData: no example is left.
        Diverged: loss, penalty or gradient are not finite; the last good prompt is kept as the
            posterior.
        OutOfMemory: not even one example fits into it.
        Cancelled: by the progress; the prompt so far is kept as the posterior.
    """
    began = time.monotonic()
    run = set_up(spec, store, progress)
    frozen = run.frozen
    write_json(job.path / "provenance.json", provenance(spec, frozen, run.data, run.training, run.held_out))

    device, dtype = str(frozen.device), str(frozen.dtype)
    key = fingerprint(spec.canonical_json(), frozen.revision, device, dtype, run.data.key, VERSION)
    priors = cache(lambda: fit_priors(spec, run.sites, frozen.d_model, store, progress))
    found = read_checkpoint(job.path, key) if _has_begun(job) else None
    start, record = found or (TrainerState.start(draw_prompt(spec, priors())), Record())
    writer = RunWriter(job, record, run.sites if spec.method == "deep" else None)
    if found:
        job.append(event="resumed", step=start.step)
    else:
        writer.prior(start.prompt, report(spec, run.sites, priors()))

    prior_sample = record.snapshots.get(0, start.prompt)
    cloud = partial(make, store=store, progress=progress)
    regularisers = build_regularisers(Ground(spec, run.sites, prior_sample, priors, cloud, frozen.device))
    examples = [item.example for item in run.training.items]
    trainer = Trainer(spec, run.prompted, examples, start, prior_sample, regularisers)
    found_out = _Run(spec, key, trainer, run, writer, store, progress, began - record.seconds).to_the_end()
    return {
        "run": job.id,
        "status": "succeeded",
        **found_out,
        "prior": read_object(job.path / "prior.json"),
        "sites": list(run.sites),
        "trunk": run.trunk,
        **({"memory": run.prompted.portions.note} if run.prompted.portions.note else {}),
        "device": str(frozen.device),
        "dtype": str(frozen.dtype).removeprefix("torch."),
        "examples": {
            "training": counts(run.training),
            "validation": {**counts(run.held_out), "evaluated": min(spec.n_validation, len(run.held_out.items))},
        },
    }


def _has_begun(job: JobFolder) -> bool:
    """Return whether all that a run writes once, and a checkpoint does not hold, is there: else it begins again."""
    names = ("prior.safetensors", "prior.json", "events.jsonl")
    return all((job.path / name).is_file() for name in names)


class _Run:
    """A run from wherever it stands to its end."""

    def __init__(
        self,
        spec: TuningSpec,
        key: str,
        trainer: Trainer,
        setup: SetUp,
        writer: RunWriter,
        store: Store,
        progress: Progress,
        began: float,
    ) -> None:
        self.spec = spec
        self.key = key
        self.trainer = trainer
        self.validation = setup.validation
        self.instruction = setup.instruction
        self._shared = partial(shared_baseline, setup.frozen, store=store)
        self.writer = writer
        self.record = writer.record
        self.report = progress
        self.began = began
        self.interval = snapshot_interval(spec.steps, spec.snapshot_every, trainer.prompt.numel())

    def to_the_end(self) -> JsonObject:
        """Do what is left of the run and return its measures."""
        try:
            self._do_what_is_due()
            while self.trainer.step < self.spec.steps and not self.converged:
                self._step()
                self._do_what_is_due()
        except Diverged:
            self._write(self.trainer.last_good)
            raise
        except Cancelled:
            self._save()
            raise
        self._save()
        return {
            **({"scoring": self.validation.generation.scoring} if self.validation.asked else {}),
            "validation": {name: value for name, value in self.record.evaluations[-1].items() if name != "step"},
            "baseline": self.record.baseline,
            **self._regularised(),
            "ending": self.ending,
            "steps": self.trainer.step,
            "warmup_steps": self.spec.warmup_steps,
            "seconds": self.record.seconds,
            "steps_per_second": self.trainer.step / self.record.training_seconds,
        }

    @property
    def converged(self) -> bool:
        """Return whether the run ends here because it has stopped getting better; told from what it has evaluated."""
        return self._converged_with()

    @property
    def ending(self) -> Ending:
        """Return how the run ended."""
        return CONVERGED if self.converged else LONGEST if self.spec.patience else FIXED

    def _converged_with(self, *further: float) -> bool:
        losses = [*(evaluation["loss"] for evaluation in self.record.evaluations), *further]
        return plateau(losses, self.spec.patience, self.spec.improvement)

    def _regularised(self) -> JsonObject:
        regularisers = self.trainer.regularisers
        found = effects(regularisers, self.record.snapshots[0], self.trainer.prompt)
        return {"regularisers": found} if found else {}

    def _step(self) -> None:
        before = time.monotonic()
        step = self.trainer.advance()
        self.writer.step(step, time.monotonic() - before)
        words = f"Step {step.number} of {self.spec.steps}, loss {step.loss:.3f}"
        note = self.trainer.prompted.portions.note
        self.report(step.number, self.spec.steps, f"{words}; {note}" if note else words)

    def _do_what_is_due(self) -> None:
        """Do what belongs to the present step and was not done before the run was interrupted, if it was."""
        step, last = self.trainer.step, self.trainer.step == self.spec.steps
        if (step % self.interval == 0 or last) and step not in self.record.snapshots:
            self.writer.snapshot(step, self.trainer.prompt)
        if not self.record.baseline:
            self._measure_baselines()
        evaluated = self.record.evaluations[-1]["step"] if self.record.evaluations else -1
        answering = step % self.spec.answer_every == 0 or last
        if (step % self.spec.evaluate_every == 0 or answering) and step != evaluated:
            self._evaluate(answering)
        if self.converged and step not in self.record.snapshots:
            self.writer.snapshot(step, self.trainer.prompt)
        if step % self.spec.checkpoint_every == 0:
            self._save()

    def _evaluate(self, answering: bool) -> None:
        step, prompt = self.trainer.step, self.trainer.prompt.detach()
        measured = self.validation.measure(prompt, self._stage("Evaluating"))
        if not math.isfinite(measured["loss"]):
            raise Diverged(
                f"The validation loss is {measured['loss']} after step {step} of {self.spec.steps}, not a finite "
                f"number; the last good prompt is kept. Lower the learning rate ({self.spec.learning_rate:g})."
            )
        answering = answering or self._converged_with(measured["loss"])
        answered = self.validation.answer(prompt, self._stage("Answering")) if answering else {}
        self.writer.evaluation(step, {**measured, **answered})
        self.writer.metrics()

    def _measure_baselines(self) -> None:
        prior = self.record.snapshots[0]
        stage = self._stage("Baseline: no prompt")
        baseline = {"no_prompt": self._shared(self.validation, prior[:, :0], (), progress=stage)}
        stage = self._stage("Baseline: prior sample")
        answered = self.spec.answer_every < self.spec.steps
        baseline["prior_sample"] = {
            **self.validation.measure(prior, stage),
            **(self.validation.answer(prior, stage) if answered else dict.fromkeys(ANSWER_SCORES)),
        }
        if given := self.instruction:
            stage = self._stage("Baseline: instruction")
            baseline["instruction"] = self._shared(
                self.validation.through(given.prompted), given.prompt, given.ids, progress=stage
            )
        self.writer.baselines(baseline)
        self.writer.evaluation(0, baseline["prior_sample"])

    def _stage(self, words: str) -> Progress:
        def report(done: int, total: int, message: str = "") -> None:
            self.report(self.trainer.step, self.spec.steps, message or f"{words} ({done} of {total})")

        return report

    def _save(self) -> None:
        """Write a point to go on from, and the prompt so far as the posterior."""
        self._write(self.trainer.prompt)
        self.writer.checkpoint(self.trainer.state(), self.key)

    def _write(self, posterior: Prompt) -> None:
        self.record.seconds = time.monotonic() - self.began
        self.writer.posterior(posterior)
        self.writer.metrics()
        if self.record.snapshots:
            self.writer.trajectory()
