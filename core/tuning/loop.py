"""Optimiser steps on a prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from core.errors import Diverged
from core.lm.batch import Example, collate
from core.lm.prompted import Prompted
from core.specs.tuning import TuningSpec
from core.tuning.order import Order
from core.tuning.regularisers.base import Regulariser, weighted


@dataclass
class Training:
    """Where a run stands: everything the next step depends on.

    Attributes:
        step: how many steps were done.
        prompt: (n_prompt, d_model) float32, the current one.
        first_moment: AdamW's, as the prompt.
        second_moment: AdamW's, as the prompt.
    """

    step: int
    prompt: Tensor
    first_moment: Tensor
    second_moment: Tensor

    @classmethod
    def start(cls, prompt: Tensor) -> "Training":
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
    """AdamW on the prompt alone: warm-up, then a constant rate."""

    def __init__(
        self,
        spec: TuningSpec,
        prompted: Prompted,
        examples: Sequence[Example],
        training: Training,
        regularisers: Sequence[Regulariser] = (),
    ) -> None:
        """Take up a training where it stands."""
        self.spec = spec
        self.prompted = prompted
        self.examples = examples
        self.regularisers = regularisers
        self.order = Order([len(example.ids) for example in examples], spec.batch_size, spec.seed)
        device = prompted.frozen.device
        self.prompt = training.prompt.to(device, copy=True).requires_grad_()
        self.optimizer = torch.optim.AdamW([self.prompt], lr=spec.learning_rate, weight_decay=spec.weight_decay)
        self.optimizer.state[self.prompt] = {
            "step": torch.tensor(float(training.step)),
            "exp_avg": training.first_moment.to(device, copy=True),
            "exp_avg_sq": training.second_moment.to(device, copy=True),
        }
        self.step = training.step
        self.last_good = training.prompt.detach().to(device, copy=True)

    def state(self) -> Training:
        """Return where the run stands, on the CPU."""
        moments = self.optimizer.state[self.prompt]
        tensors = (self.prompt, moments["exp_avg"], moments["exp_avg_sq"])
        return Training(self.step, *(tensor.detach().cpu().clone() for tensor in tensors))

    def advance(self) -> Step:
        """Do one step.

        Raises:
            Diverged: the loss or its gradient is not finite; the prompt before the step that led there is `last_good`.
        """
        examples = [self.examples[i] for i in self.order.batch(self.step)]
        batch = collate(examples).to(self.prompt.device)
        rate = self.spec.learning_rate * min(1.0, (self.step + 1) / max(1, self.spec.warmup_steps))
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.prompted.loss(self.prompt, batch)
        loss.backward()
        penalty = self._penalise()
        norm = float(clip_grad_norm_([self.prompt], self.spec.clip_norm))
        step = Step(self.step + 1, float(loss.detach()), norm, rate, penalty)
        self._require_finite(step)
        self.last_good.copy_(self.prompt.detach())
        self.optimizer.step()
        self._require_finite_prompt(step)
        self.step += 1
        return step

    def _penalise(self) -> float:
        """Add the penalty's gradient to the loss's, and return the penalty."""
        if not self.regularisers:
            return 0.0
        penalty = weighted(self.regularisers, self.prompt)
        penalty.backward()
        return float(penalty.detach())

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
