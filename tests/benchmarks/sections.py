"""How each benchmark is shown on the page of `run_all`."""

from collections.abc import Mapping
from dataclasses import dataclass

Columns = Mapping[str, tuple[str, str]]
"""Key of a case → heading and format."""
MIB = "MiB"
"""A format of ours: bytes as mebibytes."""


@dataclass(frozen=True)
class Section:
    """How a benchmark is shown.

    Attributes:
        title: of the section.
        words: what is compared.
        columns: of the table of cases.
        further: name of another list in the document, with its columns.
    """

    title: str
    words: str
    columns: Columns
    further: tuple[str, Columns] | None = None


_TIMES = {"seconds": ("s", ".2f")}
_CASES: Columns = {"batch": ("batch", "d"), "tokens": ("tokens", "d")}
SECTIONS = {
    "tuning_vs_peft": Section(
        "A soft step",
        "Soft prompt-tuning of a model of SmolLM2-135M's shape against PEFT. *Of the bound* is the share of the time "
        "that the step's operations would take at the rate of one large product in the same number format.",
        {
            "side": ("side", "s"),
            **_CASES,
            **_TIMES,
            "ratio_to_peft": ("× PEFT", ".2f"),
            "ratio_to_peft_bfloat16": ("× PEFT bfloat16", ".2f"),
            "weight_bytes": ("weights", MIB),
            "step_bytes": ("step", MIB),
            "share_of_bound": ("of the bound", ".0%"),
            **{f"share_{part}": (part, ".0%") for part in ("attention", "MLP", "norms", "head", "optimiser", "other")},
        },
    ),
    "deep_cached_trunk": Section(
        "A deep step",
        "Prompts cut from the last three blocks of SmolLM2-135M, with the frozen trunk kept and run at each step, "
        "against PEFT's prefix-tuning.",
        {
            "name": ("data, number format", "s"),
            "cached_seconds": ("trunk kept, s", ".2f"),
            "uncached_seconds": ("trunk run, s", ".2f"),
            "peft_seconds": ("PEFT, s", ".2f"),
            "ratio_to_peft": ("× PEFT", ".2f"),
            "ratio_to_peft_bfloat16": ("× PEFT bfloat16", ".2f"),
        },
    ),
    "capture_vs_peers": Section(
        "Capture",
        "Exact moments and a sample of rows at every site of a small Llama, each side in a process of its own. "
        "Ours also writes the cloud and its table. *Taken* is what a side's memory grew by beside the model and its "
        "libraries.",
        {
            "side": ("side", "s"),
            "documents": ("documents", ",d"),
            "tokens_per_second": ("tokens/s", ",.0f"),
            "our_ratio": ("its time, times ours", ".2f"),
            "memory": ("most memory", MIB),
            "memory_taken": ("taken", MIB),
        },
    ),
    "capture_memory": Section(
        "Memory of a capture",
        "A tenth of the tokens against all of them; the ratio is 1 where memory does not grow.",
        {"ratio": ("ratio", ".2f"), "growth_bytes_a_token": ("bytes per further token", ".0f")},
    ),
    "generation_vs_generate": Section(
        "Generation",
        "Greedy continuation of a batch against `generate` of transformers, on a model of SmolLM2-135M's shape.",
        {
            "side": ("side", "s"),
            **_CASES,
            "new_tokens_per_second": ("new tokens/s", ",.0f"),
            "our_ratio": ("its time, times ours", ".2f"),
        },
    ),
    "maps_vs_peers": Section(
        "Maps",
        "Points of width 576. *Neighbours kept* is the share of the ten nearest that are among the ten nearest on "
        "the map. Ours runs in one thread, so that a seed gives one map; scikit-learn's t-SNE takes all threads.",
        {
            "map": ("map", "s"),
            "side": ("side", "s"),
            "points": ("points", ",d"),
            "seconds": ("s", ",.1f"),
            "our_ratio": ("its time, times ours", ".2f"),
            "kept_neighbours": ("neighbours kept", ".0%"),
        },
    ),
    "large_model": Section(
        "Llama-3.2-1B's shape",
        "1,235,814,400 random weights in bfloat16; deep prompts at the paper's sites (embeddings, last three blocks) "
        "and at the last three blocks alone, without a kept trunk.",
        {
            "what": ("what", "s"),
            **_CASES,
            **_TIMES,
            "tokens_per_second": ("tokens/s", ",.0f"),
            "bytes": ("beside the weights", MIB),
            "share_of_bound": ("of the bound", ".0%"),
        },
    ),
    "growth": Section(
        "Growth",
        "Random Llamas of which one size grows and the others stay. Exponents: time or bytes grow with this power of "
        "the size over its upper half; 1 is proportional.",
        {
            "axis": ("what grows", "s"),
            "size": ("to", ",d"),
            "soft_seconds": ("soft step, s", ".3f"),
            "soft_step_bytes": ("its bytes", MIB),
            "deep_seconds": ("deep step, s", ".3f"),
            "deep_step_bytes": ("its bytes", MIB),
            "capture_seconds": ("capture, s", ".3f"),
            "capture_ratio": ("transformers' time, times ours", ".2f"),
        },
        (
            "exponents",
            {
                "axis": ("exponent in", "s"),
                "soft_seconds": ("soft step", ".2f"),
                "soft_step_bytes": ("its bytes", ".2f"),
                "deep_seconds": ("deep step", ".2f"),
                "deep_step_bytes": ("its bytes", ".2f"),
                "capture_seconds": ("capture", ".2f"),
            },
        ),
    ),
    "page_times": Section(
        "Pages",
        "Seconds in Chromium without a graphics card, on a store with 20,000 points and 49,152 vocabulary rows, from "
        "the address to the headline, to the first picture and to the foot of a page: *cold* on a fresh server, *warm* "
        "in the next session. *Rerun* is what the server takes after a click. Then milliseconds of a move: until the "
        "browser sends it, on the server, in the browser, and in all.",
        {
            "name": ("page", "s"),
            **{
                f"{visited}_{part}_seconds": (f"{visited}: {part}", ".2f")
                for visited in ("cold", "warm")
                for part in ("headline", "picture", "foot")
            },
            "again_seconds": ("rerun", ".2f"),
        },
        (
            "moves",
            {"what": ("what", "s"), **{part: (part, ".0f") for part in ("waiting", "server", "browser", "picture")}},
        ),
    ),
    "server_memory": Section(
        "The app's server",
        "Memory of the app's process alone, with the same store; then the kilobytes that a first visit of a page sends "
        "to the browser: files, most of them Streamlit's and Plotly's, and messages, which hold the pictures.",
        {"when": ("when", "s"), "megabytes": ("MB", ",.0f")},
        ("pages", {"page": ("page", "s"), "files": ("files, kB", ",.0f"), "messages": ("messages, kB", ",.0f")}),
    ),
    "click_to_step": Section(
        "From a click to a run's first step",
        "Seconds from the click on *Start tuning* until the first step has been done, and until the page shows it; the "
        "engine's worker is *warm* once it has imported its libraries and loaded the model.",
        {"engine": ("engine", "s"), "step": ("step", ".2f"), "seen": ("seen", ".2f")},
    ),
    "start_up": Section(
        "The command line",
        "From the start of a process to its first output, for verbs that only read.",
        {
            "verb": ("verb", "s"),
            "first_output_seconds": ("first output, s", ".2f"),
            "processor_seconds": ("processor seconds", ".2f"),
        },
    ),
    "idle": Section(
        "Idle",
        "While nobody asks for anything: the engine after one job, and the app with System open in a browser.",
        {
            "part": ("part", "s"),
            "processor_seconds": ("processor seconds per minute", ".2f"),
            "megabytes": ("MB", ",.0f"),
        },
    ),
    "worker_memory": Section(
        "Memory of a long life",
        "What one worker holds after so many jobs of all kinds.",
        {"jobs": ("jobs", "d"), "megabytes": ("MB", ",.0f")},
    ),
    "cluster": Section(
        "A cluster",
        "A sweep on a Dask scheduler over TCP on this machine; where a worker is killed, *resumed* runs go on from "
        "their checkpoints, and the table is *equal* to that of the undisturbed sweep.",
        {
            "what": ("what", "s"),
            "seconds": ("s", ".2f"),
            "ratio": ("times as fast", ".2f"),
            "resumed": ("resumed", "d"),
            "equal": ("equal", "s"),
        },
    ),
}
