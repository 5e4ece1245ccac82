"""Pickers that several pages share: model, data sets, site, token filter."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import BadRequest
from core.sources.datasets import dataset_titles
from core.sources.hub import why_not
from core.sources.mathematics import MODULES
from core.sources.model_facts import ModelFacts
from core.sources.models import describe_model
from core.sources.packaged import PACKAGED
from core.specs import DEFAULT_MODEL, FINAL, DatasetSpec, ModelSpec, TokenFilter
from core.specs.dataset import DATASETS, DEFAULT_DIFFICULTY, DEFAULT_MODULE
from core.specs.describe import describe
from core.specs.model import short_name
from core.store import Store, list_jobs
from core.store.files import write_atomically
from core.store.read_only import read_only
from pages.widgets.forms import spec_fields
from pages.widgets.layout import plain
from pages.widgets.pages import SHARED
from pages.widgets.reach import NO_FILES, closed, path_help
from pages.widgets.state import View

COLUMNS = ("text_column", "prompt_column", "answer_column")
WITH_LOCAL_COPY = ("squad", "c4")
ENCODER = "all-minilm-l6-v2"
"""The encoder that needs no hub."""
_DIFFICULTIES = ("train-easy", "train-medium", "train-hard")
_NAME_BYTES = 200
"""Longest file name, in bytes; file systems take 255, and a copy beside it needs some."""
_FILE_TYPES = ["txt", "jsonl", "csv", "parquet", "json"]


def model_choice(store: Store, encoders: bool = False, studied: Sequence[str] = ()) -> tuple[ModelSpec, ModelFacts]:
    """Draw the model picker, the same on every page, and return the model and what is known of it.

    `studied` names further models, whose results the page shows though they are not here.

    Raises:
        BadRequest: an encoder is chosen, and the page needs a causal language model.
    """
    view = View(SHARED)
    packaged = [name for name in PACKAGED if encoders or name == DEFAULT_MODEL]
    known = list(dict.fromkeys([*packaged, *_used_models(store), *studied]))
    name = view.choice(
        "model",
        "Model",
        known,
        DEFAULT_MODEL,
        free=not read_only(),
        show=short_name,
        help="Choose from the list, or type a Hugging Face id (owner/name) or a local folder and press Enter.",
    )
    with st.expander("Where it runs"):
        asked = spec_fields(view, ModelSpec, ("device", "dtype"), columns=2)
    spec = ModelSpec.parse({"name": name.strip() or DEFAULT_MODEL, **asked})
    facts = describe_model(spec, store)
    shape = (
        f"{facts.n_layers} blocks, width {facts.d_model}, {facts.n_vocabulary:,} tokens · " if facts.n_layers else ""
    )
    away = spec.name in studied and not facts.present
    where = "not on this machine, but a study of it came with the program" if away else facts.where
    st.caption(f"{shape}{plain(where)}")
    if facts.encoder and not encoders:
        raise BadRequest(
            f"{short_name(spec.name)!r} is an encoder: Activations can show it, but a prompt for it cannot be tuned; "
            "choose a causal language model above."
        )
    if facts.where.startswith("the hub") and not facts.present and why_not():
        instead = ENCODER if facts.encoder or spec.name.rpartition("/")[2].startswith("t5") else DEFAULT_MODEL
        st.button(
            f"Use {instead} instead",
            key=view.key("instead"),
            on_click=view.choose,
            args=("model", instead),
            help="It comes from the package index, not from the hub.",
        )
    return spec, facts


def site_choice(view: View, facts: ModelFacts) -> int | str:
    """Draw the site picker: 0 is the token embeddings, k the stream entering block k."""
    sites: list[int | str] = [*range(facts.n_layers or 1), FINAL]
    return view.choice(
        "site",
        "Site",
        sites,
        0,
        show=site_name,
        help="Where the residual stream is read; final is before the last norm.",
    )


def site_name(site: int | str) -> str:
    """Return what a site is, for a person to choose."""
    return {0: "0 · token embeddings", FINAL: "final · leaving the last block"}.get(
        site, f"{site} · entering block {site}"
    )


def token_filter(view: View) -> TokenFilter:
    """Draw the token filter's switches."""
    switches = [field for field in describe(TokenFilter) if field.kind == "boolean"]
    values = {field.name: view.switch(field.name, field.title, field.default, help=field.help) for field in switches}
    text = next(field.help for field in describe(TokenFilter) if field.name == "sink_ratio")
    ratio = view.number("sink_ratio", "Drop sinks above", None, 1.01, 1e6, help=text, placeholder="keep")
    return TokenFilter(**values, sink_ratio=ratio)


def dataset_choices(view: View, store: Store) -> list[DatasetSpec]:
    """Draw the picker of several data sets and return their specs, one per module or file."""
    titles = "  \n".join(f"{name}: {title}" for name, title in dataset_titles().items())
    names = view.several("data", "Data sets", list(DATASETS), ["news"], help=titles)
    with st.container(horizontal=True):
        samples = view.number("samples", "Texts per data set", 200, 2, 1_000_000, step=50)
        seed = seed_field(view, "data_seed", "Data seed")
    shared = {"samples": samples, "seed": seed}
    return [
        DatasetSpec.parse({"name": name, **shared, **part})
        for name in names
        for part in _parts(view, name, store, True)
    ]


def dataset_choice(view: View, store: Store) -> DatasetSpec | None:
    """Draw the picker of one data set to train on."""
    name = view.choice("data", "Data set", list(DATASETS), "math", show=_title)
    parts = _parts(view, name, store, False)
    with st.container(horizontal=True):
        samples = view.number(
            "samples", "Samples", 1000, 2, 1_000_000, step=100, help="For training and validation together."
        )
        seed = seed_field(view, "data_seed", "Data seed", "Determines the samples and the split.")
    return DatasetSpec.parse({"name": name, "samples": samples, "seed": seed, **parts[0]}) if parts else None


def seed_field(view: View, name: str, title: str = "Seed", help: str | None = None, **look: Any) -> int:  # noqa: A002
    """Draw the field of a seed."""
    return view.number(name, title, 0, 0, 2**31 - 1, step=1, help=help, **look)


def _parts(view: View, name: str, store: Store, several: bool) -> list[dict[str, str]]:
    """Draw what a data set needs besides its name: modules, files or a local copy."""
    if name == "math":
        modules = (
            view.several("modules", "Modules of math", list(MODULES), [DEFAULT_MODULE])
            if several
            else [view.choice("module", "Module", list(MODULES), DEFAULT_MODULE)]
        )
        level = view.choice("difficulty", "Difficulty", _DIFFICULTIES, DEFAULT_DIFFICULTY)
        return [{"module": module, "difficulty": level} for module in modules]
    if name == "file":
        paths, named = file_choices(view, store), columns(view)
        return [{"path": path, **named} for path in paths]
    path = (
        name in WITH_LOCAL_COPY
        and not closed(NO_FILES)
        and view.text(
            f"{name}_path", f"Local file of {dataset_titles()[name]}", help=f"{path_help()} Leave it empty to download."
        ).strip()
    )
    return [{"path": path} if path else {}]


def columns(view: View) -> dict[str, str]:
    """Draw the names of a table's columns, and return those that are filled in."""
    values = {name: (value or "").strip() for name, value in spec_fields(view, DatasetSpec, COLUMNS).items()}
    return {name: value for name, value in values.items() if value}


def file_choices(view: View, store: Store) -> list[str]:
    """Draw an upload and a list of earlier uploads; a file is kept in the cache folder by its content."""
    if closed(NO_FILES):
        return []
    folder = store.root / "uploads"
    uploaded = st.file_uploader("Your own texts", type=_FILE_TYPES, accept_multiple_files=True, key=view.key("upload"))
    new = [keep_upload(folder, file.name, file.getvalue()) for file in uploaded or []]
    kept = sorted({*map(str, folder.glob("*/*")), *new})
    path = view.text("path", "Or a path on this machine", help=path_help())
    known = [*kept, *([path] if path and path not in kept else [])]
    names = [Path(file).name for file in known]

    def show(file: str) -> str:
        # The browser tells options apart by what they show.
        name = Path(file).name
        return f"{name} ({Path(file).parent.name[:8]})" if names.count(name) > 1 else name

    chosen = view.several("files", "Files", known, new, format_func=show)
    return list(dict.fromkeys([*chosen, *new, *([path] if path else [])]))


def keep_upload(folder: Path, name: str, content: bytes) -> str:
    """Write an uploaded file under a folder named by its content, and return its path; a long name is cut."""
    last = Path("".join(letter for letter in Path(name).name if letter.isprintable()).lstrip(".") or "file")
    stem = last.stem.encode()[: _NAME_BYTES - len(last.suffix.encode())].decode(errors="ignore")
    target = folder / hashlib.sha256(content).hexdigest()[:16] / f"{stem}{last.suffix}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
    return str(target)


def _title(name: str) -> str:
    title = dataset_titles()[name]
    return f"{name} · {title}" if title.lower() != name else name


def _used_models(store: Store) -> list[str]:
    names = []
    for job in list_jobs(store):
        spec = job.spec
        names.append(spec.get("model", {}).get("name") if isinstance(spec.get("model"), dict) else spec.get("name"))
    return list(dict.fromkeys(name for name in names if name))
