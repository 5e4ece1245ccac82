"""What is in the store, to choose from; a choice fills the page's controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.activations.clouds import CLOUD, stored_specs
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TokenFilter
from core.store import Store
from pages.widgets.choices import COLUMNS, WITH_LOCAL_COPY
from pages.widgets.layout import counted
from pages.widgets.state import View


@dataclass(frozen=True)
class Stored:
    """Something in the store.

    Attributes:
        label: for people.
        values: what the page's controls must hold to ask for it, by parameter.
    """

    label: str
    values: Mapping[str, Any]


def stored_choice(view: View, found: Sequence[Stored]) -> None:
    """Draw the list of what is in the store, if there is anything; a choice fills the controls."""
    known = {one.label: one.values for one in reversed(found)}
    if not known:
        return
    key = view.key("stored")

    def fill() -> None:
        for name, value in known.get(st.session_state[key] or "", {}).items():
            view.choose(name, value)
        st.session_state[key] = None

    st.selectbox(
        "In the store",
        list(reversed(known)),
        index=None,
        key=key,
        on_change=fill,
        placeholder=f"Choose from {counted(len(known), 'result')}",
        help="Results made here, newest first. Choosing one fills the controls of this page.",
    )


def stored_captures(model: ModelSpec, store: Store) -> list[CloudSpec]:
    """Return the activations of a model that are in the store, newest first; without those of a prior's split."""
    every = stored_specs(store, CLOUD, CloudSpec)
    return [one for one in dict.fromkeys(every) if one.model == model and one.part == "all"]


def capture_words(clouds: Sequence[CloudSpec]) -> str:
    """Return activations in words, such as 'news · 200 texts · sites 0, 2, final'."""
    first = clouds[0]
    names = ", ".join(dict.fromkeys(one.dataset.label for one in clouds))
    sites = "all sites" if first.sites == "all" else f"site{'s' * (len(first.sites) > 1)} {_few(first.sites)}"
    parts = [names, counted(first.dataset.samples, "text"), sites]
    defaults = CloudSpec(model=first.model)
    if first.max_length != defaults.max_length:
        parts.append(f"up to {counted(first.max_length, 'token')}")
    if first.pooling != defaults.pooling:
        parts.append("means of texts")
    if first.tokens != defaults.tokens:
        parts.append("other tokens left out")
    return " · ".join([*parts, *([f"seed {first.seed}"] if first.seed else [])])


def cloud_values(clouds: Sequence[CloudSpec]) -> dict[str, Any]:
    """Return the values of `dataset_choices`, `token_filter` and the controls beside them that ask for clouds."""
    first = clouds[0]
    shared = {"rows": first.rows, "max_length": first.max_length, "pooling": first.pooling, "seed": first.seed}
    tokens = {name: getattr(first.tokens, name) for name in TokenFilter.model_fields}
    return {**datasets_values([one.dataset for one in clouds]), **shared, **tokens}


def datasets_values(datasets: Sequence[DatasetSpec]) -> dict[str, Any]:
    """Return the values of `dataset_choices` that ask for data sets of one size and seed."""
    first = datasets[0]
    files = [one.path for one in datasets if one.name == "file"]
    values: dict[str, Any] = {
        "data": list(dict.fromkeys(one.name for one in datasets)),
        "samples": first.samples,
        "data_seed": first.seed,
        "modules": [one.module for one in datasets if one.module],
        "difficulty": next((one.difficulty for one in datasets if one.difficulty), None),
        "files": files,
        "path": files[0] if files else "",
        **{f"{one.name}_path": one.path or "" for one in datasets if one.name in WITH_LOCAL_COPY},
        **{name: getattr(one, name) or "" for one in datasets if one.name == "file" for name in COLUMNS},
    }
    return {name: value for name, value in values.items() if value not in (None, [])}


def dataset_values(dataset: DatasetSpec) -> dict[str, Any]:
    """Return the values of `dataset_choice` that ask for a data set."""
    values: dict[str, Any] = {"data": dataset.name, "samples": dataset.samples, "data_seed": dataset.seed}
    values |= {"module": dataset.module, "difficulty": dataset.difficulty}
    values |= {name: getattr(dataset, name) for name in COLUMNS}
    values["path" if dataset.name == "file" else f"{dataset.name}_path"] = dataset.path
    return {name: value for name, value in values.items() if value is not None}


def of_one_form(clouds: Sequence[CloudSpec]) -> bool:
    """Return whether one set of controls can ask for all clouds: they differ in their data sets' names alone."""
    same = [one.model_copy(update={"dataset": clouds[0].dataset}) for one in clouds]
    sizes = {(one.dataset.samples, one.dataset.seed, one.dataset.validation_fraction) for one in clouds}
    levels = {one.dataset.difficulty for one in clouds if one.dataset.difficulty}
    return len(set(same)) == len(sizes) == 1 and len(levels) < 2


def _few(sites: Sequence[int | str]) -> str:
    shown = [str(site) for site in sites]
    return ", ".join(shown) if len(shown) < 5 else f"{shown[0]} to {shown[-1]}"
