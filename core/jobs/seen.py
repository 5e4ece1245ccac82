"""How a model sees a run's prompt: the attention that it gets, and the norm before it."""

import numpy as np
import pandas as pd

from core.analysis.behind_norm import InputNorm
from core.analysis.quantities import Quantity, quantity
from core.progress import Progress
from core.specs import TuningSpec
from core.store import Store
from core.store.prompts import RunPrompts


def attention_summary(table: pd.DataFrame) -> dict[str, Quantity]:
    """Return the share of attention that all prompt vectors get together, by block."""
    if table.empty:
        return {}
    found: dict[str, Quantity] = {}
    for block, rows in table.groupby("block"):
        prior, posterior = (rows[which].to_numpy(np.float64).sum() for which in ("prior", "posterior"))
        found[str(block)] = quantity(posterior, prior)
    return found


def attention_of(
    tuning: TuningSpec, prompts: RunPrompts, n_examples: int, store: Store, progress: Progress
) -> pd.DataFrame:
    """Return the share of attention that each vector gets in each block; empty where the model is not mapped."""
    from core.lm.prompted import FastPrompted
    from core.tuning.attention import mean_attention
    from core.tuning.setup import open_run

    prompted, examples = open_run(tuning, n_examples, store, progress)
    if not isinstance(prompted, FastPrompted):
        return pd.DataFrame()
    posterior = mean_attention(prompted, prompts.vectors[-1], examples)
    prior = mean_attention(prompted, prompts.vectors[0], examples) if prompts.begun else np.full_like(posterior, np.nan)
    blocks, vectors = np.indices(posterior.shape).reshape(2, -1)
    shares = {"prior": prior.ravel(), "posterior": posterior.ravel()}
    table = pd.DataFrame({"block": blocks, "vector": vectors, **shares})
    return table.dropna(subset="posterior").reset_index(drop=True)


def input_norm_of(tuning: TuningSpec, site: int, store: Store, progress: Progress) -> InputNorm:
    """Return the norm through which the block at a site sees its input; by direction where it is not mapped."""
    from core.lm.input_norm import input_norm
    from core.lm.load import load_model

    found = input_norm(load_model(tuning.model, store, progress), site)
    return InputNorm(*found) if found else InputNorm()
