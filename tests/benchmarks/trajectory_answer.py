"""An answer step by step with the stream at every site, from the button to the figure's data, on a warm worker.

Two sides take turns at the same question. Ours is what the Trajectories page does: the job is submitted, done by the
engine's worker, waited for, and its tokens, alternatives and one site's streams are read back. The other is plain
transformers in this process: `generate(output_hidden_states=True, output_scores=True)` on the same weights in the same
number format, for as many tokens, and one site's hidden states stacked. In float32 both generate the same tokens; in
bfloat16, where transformers rounds the stream after each block and we do not, they may part; `same_tokens` tells when.

    python -m tests.benchmarks.trajectory_answer --json
"""

import json
import os
import time
from statistics import median
from typing import Any

import torch

from core.engine import client
from core.jobs.trajectory import ANSWER, find_trajectories, trajectory_spec
from core.lm.frozen import FrozenModel
from core.lm.load import load_model
from core.lm.text import tokens_of
from core.specs import ModelSpec
from core.store import Store
from tests.benchmarks.sides import measured_on, parser

QUESTION = "Question: Which city is the capital of France?\nAnswer:"
LIMIT_SECONDS = 120


def ours(store: Store, model: ModelSpec, n_new: int, turn: int) -> tuple[float, list[int], float]:
    """Return seconds from the button to the figure's data, the answer's tokens, and seconds per token in the worker."""
    began = time.perf_counter()
    # The seed does nothing to a typed text, but it makes each turn a job of its own.
    spec = trajectory_spec(store, model=model, texts=(QUESTION,), mode="generate", max_new_tokens=n_new, seed=turn)
    job = client.submit("trajectory", spec, store)
    status = client.wait(job, timeout=LIMIT_SECONDS)
    found = find_trajectories(spec, store)
    if found is None:
        raise SystemExit(f"The job {job.id} did not succeed: {status.state} {status.error}")
    found.streams("final")
    tokens = found.tokens
    answer = tokens[tokens["part"] == ANSWER]["token_id"].tolist()
    len(found.alternatives)
    seconds = time.perf_counter() - began
    pace = found.summary["seconds_a_token"]
    job.delete()
    if pace is None:
        raise SystemExit(f"The job {job.id} answered nothing, so there is no pace; give another question.")
    return seconds, answer, pace


def plain(frozen: FrozenModel, n_new: int) -> tuple[float, list[int]]:
    """Return seconds and tokens of transformers' own generation."""
    model: Any = frozen.model
    began = time.perf_counter()
    ids = [*frozen.beginning, *tokens_of(frozen.tokenizer, QUESTION)]
    out = model.generate(
        torch.tensor([ids], device=frozen.device),
        max_new_tokens=n_new,
        min_new_tokens=n_new,
        do_sample=False,
        output_hidden_states=True,
        output_scores=True,
        return_dict_in_generate=True,
    )
    torch.cat([step[-1][0] for step in out.hidden_states]).float().cpu().numpy()
    [score[0].float().softmax(-1).topk(5) for score in out.scores]
    return time.perf_counter() - began, out.sequences[0, len(ids) :].tolist()


def measure(model: ModelSpec, n_new: int, repeats: int, warm_up: int) -> dict[str, Any]:
    """Return the whole document."""
    store = Store.default()
    frozen = load_model(model, store)
    seconds: dict[str, list[float]] = {"ours": [], "transformers": []}
    paces: list[float] = []
    first = int(time.time()) % 1_000_000 * 1000
    n_tokens, same = 0, 0
    for turn in range(warm_up + repeats):
        mine, answer, pace = ours(store, model, n_new, first + turn)
        n_tokens = len(answer)
        other, theirs = plain(frozen, n_tokens)
        same = next((i for i in range(n_tokens) if answer[i] != theirs[i]), n_tokens)
        if turn >= warm_up:
            seconds["ours"].append(mine)
            seconds["transformers"].append(other)
            paces.append(pace)
    medians = {name: median(values) for name, values in seconds.items()}
    return {
        "benchmark": "trajectory_answer",
        "ratio": medians["ours"] / medians["transformers"],
        "seconds": medians,
        "seconds_least": {name: min(values) for name, values in seconds.items()},
        "worker_seconds": median(paces) * n_tokens,
        "n_tokens": n_tokens,
        "same_tokens": same,
        "sites": "all",
        "measured_on": {
            **measured_on(model.name, str(frozen.device), repeats, warm_up),
            "dtype": str(frozen.dtype).removeprefix("torch."),
            "load_average": os.getloadavg()[0],
        },
    }


def main() -> None:
    """Measure and print."""
    options = parser(__doc__, model=True)
    options.add_argument("--tokens", type=int, default=16, help="longest answer")
    options.add_argument("--dtype", default="auto", help="number format of the weights")
    chosen = options.parse_args()
    model = ModelSpec.parse({"name": chosen.model, "dtype": chosen.dtype})
    document = measure(model, chosen.tokens, chosen.repeats, chosen.warm_up)
    if chosen.json:
        print(json.dumps(document, indent=1))
        return
    told = document["seconds"]
    print(f"ours {told['ours']:.2f} s, transformers {told['transformers']:.2f} s, ratio {document['ratio']:.2f}")


if __name__ == "__main__":
    main()
