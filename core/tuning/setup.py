"""What a run is made of: the frozen model, its examples, and what is measured on them."""

from dataclasses import dataclass, field

from core.lm.batch import Example
from core.lm.chat import as_texts
from core.lm.frozen import FrozenModel
from core.lm.load import load_model
from core.lm.prompted import FastPrompted, Prompted, build_prompted
from core.lm.sites import resolve_prompt_sites
from core.progress import Progress, silent
from core.sources.datasets import TextData, load_dataset
from core.specs.base import JsonObject
from core.specs.tuning import TuningSpec
from core.store.artifacts import Store
from core.tuning.answers import choose_scoring
from core.tuning.evaluation import Generation, Validation
from core.tuning.examples import Prepared, longest_allowed, prepare, require_items
from core.tuning.instruction import Instruction, build_instruction
from core.tuning.permuted import permute_answers
from core.tuning.trunk import has_trunk, kept_trunk


@dataclass(frozen=True)
class SetUp:
    """A run before its prompt.

    Attributes:
        frozen: the model.
        data: its texts.
        training: examples to train on.
        held_out: examples to validate on.
        sites: blocks whose inputs are prompted, in the order of the stream.
        prompted: the model with a place for the prompt.
        validation: what is measured.
        instruction: the hand-written baseline, if there is one.
        trunk: site, bytes and seconds of the frozen part that was kept; empty where none is.
    """

    frozen: FrozenModel
    data: TextData
    training: Prepared
    held_out: Prepared
    sites: tuple[int, ...]
    prompted: Prompted
    validation: Validation
    instruction: Instruction | None = None
    trunk: JsonObject = field(default_factory=dict)


def set_up(spec: TuningSpec, store: Store, progress: Progress = silent) -> SetUp:
    """Return model, examples and measures of a run; the same spec gives the same.

    Raises:
        BadRequest: no such block, a prompt or instruction that does not fit into the model's
            context, or blocks of an architecture that is not mapped.
        BadData: no example is left.
    """
    # The texts first: what is wrong with them should be said before a model is fetched.
    data = load_dataset(spec.dataset, store, progress)
    frozen = load_model(spec.model, store, progress)
    data = as_texts(data, frozen)
    sites = resolve_prompt_sites(spec, frozen.n_layers)
    prompted = place_prompt(spec, frozen, sites)
    longest = longest_allowed(spec, frozen)
    training, held_out = (prepare(records, data.is_task, frozen.tokenizer, longest) for records in data.split())
    for part, name in ((training, "training"), (held_out, "validation")):
        require_items(part, name, longest)
    if spec.labels == "random":
        training = permute_answers(training, spec.dataset.seed, longest)
        require_items(training, "training", longest)
    validated = held_out.items[: spec.n_validation]
    instruction = build_instruction(spec, data.is_task, frozen, validated)
    trunk: JsonObject = {}
    if isinstance(prompted, FastPrompted) and has_trunk(spec, sites):
        examples = [item.example for item in (*training.items, *validated)]
        prompted.trunk, trunk = kept_trunk(prompted, spec.n_prompt, examples, store, progress)
    known = (answer for record in data.records for answer in record.answers)
    scoring = choose_scoring(spec.scoring, spec.dataset.name, known)
    generation = Generation(spec.n_generation, spec.max_new_tokens, scoring)
    validation = Validation(prompted, validated, generation)
    return SetUp(frozen, data, training, held_out, sites, prompted, validation, instruction, trunk)


def open_run(
    spec: TuningSpec, n_examples: int, store: Store, progress: Progress = silent
) -> tuple[Prompted, list[Example]]:
    """Return the model of a run with a place for its prompt, and the run's first validation examples.

    Raises:
        BadRequest, BadData: see `set_up`.
    """
    data = load_dataset(spec.dataset, store, progress)
    frozen = load_model(spec.model, store, progress)
    data = as_texts(data, frozen)
    longest = longest_allowed(spec, frozen)
    held_out = prepare(data.split()[1], data.is_task, frozen.tokenizer, longest)
    items = require_items(held_out, "validation", longest)[: min(n_examples, spec.n_validation)]
    return place_prompt(spec, frozen, resolve_prompt_sites(spec, frozen.n_layers)), [item.example for item in items]


def place_prompt(spec: TuningSpec, frozen: FrozenModel, sites: tuple[int, ...]) -> Prompted:
    """Return the model with a place for a run's prompt.

    Raises:
        BadRequest: a deep prompt in a model whose blocks are not mapped.
    """
    if spec.method == "soft":
        return build_prompted(frozen, spec.prompt_position)
    return FastPrompted(frozen, spec.prompt_position, sites, kept=spec.deep_form == "kept")
