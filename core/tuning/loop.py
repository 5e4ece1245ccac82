"""Optimiser steps on a prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.utils import clip_grad_norm_, get_total_norm

from core.errors import Diverged
from core.lm.batch import Batch, Example, collate
from core.lm.memory import MEMORY_ERRORS
from core.lm.prompted import Prompted
from core.lm.shapes import Prompt, Scalar
from core.specs.tuning import TuningSpec
from core.tuning.order import Order
from core.tuning.regularisers.base import Regulariser, weighted


@dataclass
class TrainerState:
    """Where a run stands: everything the next step depends on.

    Attributes:
        step: how many steps were done.
        prompt: the current one.
        first_moment: AdamW's.
        second_moment: AdamW's.
    """

    step: int
    prompt: Prompt
    first_moment: Prompt
    second_moment: Prompt

    @classmethod
    def start(cls, prompt: Prompt) -> "TrainerState":
        """Begin at a prior sample."""
        prompt = prompt.detach().to(torch.float32).clone()
        return cls(0, prompt, torch.zeros_like(prompt), torch.zeros_like(prompt))


@dataclass(frozen=True)
class Step:
    """What one step did.

    Attributes:
        number: from 1.
        loss: mean over the batch's label tokens, before the step, without the penalty.
        gradient_norm: of loss and penalty together, before clipping.
        learning_rate: used.
        penalty: weighted sum of the regularisers, before the step; 0 without any.
    """

    number: int
    loss: float
    gradient_norm: float
    learning_rate: float
    penalty: float = 0.0


class Trainer:
    """AdamW on the prompt alone: warm-up, then a constant rate; gradients are clipped only where that is asked for.

    With a relative rate each site has its own, times the root mean square of its prior sample:
    AdamW moves a coordinate by about the rate whatever the gradient, so at one absolute rate a
    vector turns the more slowly the longer it is.
    """

    def __init__(
        self,
        spec: TuningSpec,
        prompted: Prompted,
        examples: Sequence[Example],
        state: TrainerState,
        prior_sample: Prompt,
        regularisers: Sequence[Regulariser] = (),
    ) -> None:
        """Go on from a state that began at a prior sample."""
        self.spec = spec
        self.prompted = prompted
        self.examples = examples
        self.regularisers = regularisers
        self.order = Order([len(example.ids) for example in examples], spec.batch_size, spec.seed)
        self.device = prompted.frozen.device
        self.sites = [site.to(self.device, copy=True).requires_grad_() for site in state.prompt]
        relative = spec.rate_unit == "relative"
        self.units = [float(site.square().mean().sqrt()) if relative else 1.0 for site in prior_sample]
        self.optimizer = torch.optim.AdamW(
            [{"params": [site]} for site in self.sites], lr=spec.learning_rate, weight_decay=spec.weight_decay
        )
        for site, first, second in zip(self.sites, state.first_moment, state.second_moment, strict=True):
            self.optimizer.state[site] = {
                "step": torch.tensor(float(state.step)),
                "exp_avg": first.to(self.device, copy=True),
                "exp_avg_sq": second.to(self.device, copy=True),
            }
        self.step = state.step
        self.last_good = state.prompt.detach().to(self.device, copy=True)

    @property
    def prompt(self) -> Prompt:
        """Return the prompt as it stands."""
        return torch.stack(self.sites)

    def state(self) -> TrainerState:
        """Return where the run stands, on the CPU."""
        moments = [self.optimizer.state[site] for site in self.sites]
        tensors = (self.sites, [m["exp_avg"] for m in moments], [m["exp_avg_sq"] for m in moments])
        return TrainerState(self.step, *(torch.stack(those).detach().cpu().clone() for those in tensors))

    def advance(self) -> Step:
        """Do one step.

        Raises:
            Diverged: the loss or its gradient is not finite; the prompt before the step that led
                there is `last_good`.
            OutOfMemory: not even one example fits.
        """
        examples = [self.examples[i] for i in self.order.batch(self.step)]
        batch = collate(examples).to(self.device)
        rate = self.spec.learning_rate * min(1.0, (self.step + 1) / max(1, self.spec.warmup_steps))
        for group, unit in zip(self.optimizer.param_groups, self.units, strict=True):
            group["lr"] = rate * unit
        loss = self._descend(batch)
        penalty = self._penalise()
        norm = float(get_total_norm([site.grad for site in self.sites if site.grad is not None]))
        self._clip()
        step = Step(self.step + 1, float(loss), norm, rate, penalty)
        self._require_finite(step)
        self.last_good.copy_(self.prompt.detach())
        self.optimizer.step()
        self._require_finite_prompt(step)
        self.step += 1
        return step

    def _descend(self, batch: Batch) -> Scalar:
        """Return the loss of a batch, and set its gradient; in parts where memory has run out."""
        (n_rows, width), portions = batch.ids.shape, self.prompted.portions
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            parts = portions.parts(n_rows, width)
            try:
                return self._accumulate([batch.part(rows) for rows in parts], len(batch.targets))
            except MEMORY_ERRORS as error:
                portions.shrink(parts[0].stop, width, error)

    def _accumulate(self, parts: Sequence[Batch], n_labels: int) -> Scalar:
        losses = []
        for part in parts:
            loss = self.prompted.loss(self.prompt, part) * (len(part.targets) / n_labels)
            loss.backward()
            losses.append(loss.detach())
        return torch.stack(losses).sum()

    def _penalise(self) -> float:
        """Add the penalty's gradient to the loss's, and return the penalty."""
        if not self.regularisers:
            return 0.0
        penalty = weighted(self.regularisers, self.prompt)
        penalty.backward()
        return float(penalty.detach())

    def _clip(self) -> None:
        """Shorten each site's gradient to the norm asked for.

        In units of the learning rate a vector is v / unit, so its gradient is the unit times that
        of v.
        """
        if self.spec.clip_norm:
            for site, unit in zip(self.sites, self.units, strict=True):
                clip_grad_norm_([site], self.spec.clip_norm / unit if unit else torch.inf)

    def _require_finite_prompt(self, step: Step) -> None:
        """Stop before a broken prompt reaches a snapshot or a checkpoint."""
        n_broken = int((~torch.isfinite(self.prompt.detach())).sum())
        if n_broken:
            raise Diverged(
                f"The prompt is no longer finite ({n_broken} values) after step {step.number} of {self.spec.steps}; "
                f"the last good prompt is kept. Lower the learning rate ({self.spec.learning_rate:g})."
            )

    def _require_finite(self, step: Step) -> None:
        for name, value in (("loss", step.loss), ("penalty", step.penalty), ("gradient norm", step.gradient_norm)):
            if not abs(value) < float("inf"):
                raise Diverged(
                    f"The {name} is {value:g} at step {step.number} of {self.spec.steps}, not a finite number; the "
                    f"last good prompt is kept. Lower the learning rate ({self.spec.learning_rate:g}) or choose a "
                    f"prior of smaller spread{' or smaller weights' if self.regularisers else ''}."
                )
