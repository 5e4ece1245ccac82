"""Where texts came from and how many were used, as a page shows it."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.activations.clouds import Cloud
from core.store import JobFolder
from pages.widgets.layout import plain

_ORIGIN = ("package", "id", "file", "member", "module", "difficulty", "version", "commit")
_HASHES = {"content_sha256": "texts drawn", "file_sha256": "file", "wheel_sha256": "package"}
_DIGITS = 16
"""Of a hash that are shown; the store keeps them all."""


def clouds_provenance(clouds: Mapping[str, Cloud]) -> None:
    """Show the origin of each cloud's texts in an expander; names are the clouds' labels."""
    with st.expander("Where the texts came from"):
        for label, cloud in clouds.items():
            info = cloud.info
            read = (
                f"Read: {info.get('n_tokens_read', 0):,} tokens read, {info.get('n_truncated', 0):,} texts cut at "
                f"{info.get('max_length')} tokens, {info.get('n_empty', 0):,} without a token"
            )
            _write(label, info.get("dataset_provenance") or {}, [read])


def run_provenance(job: JobFolder, label: str) -> None:
    """Show the origin of a run's texts and how many examples it could use, once the run has written them."""
    path = job.path / "provenance.json"
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        with st.expander("Where the texts came from"):
            examples = (known.get("examples") or {}).items()
            _write(label, known.get("data") or {}, [f"{part.capitalize()}: {_examples(n)}" for part, n in examples])


def origin(data: Mapping[str, Any]) -> list[str]:
    """Return what is known of a data set's texts, a line each: source, licence, counts, hashes, notes."""
    parts = [f"{name} {data[name]}" for name in _ORIGIN if data.get(name)]
    hashes = [f"{what} {data[name][:_DIGITS]}…" for name, what in _HASHES.items() if data.get(name)]
    groups = f", in {data['n_groups']:,} groups" if "n_groups" in data else ""
    lines = [
        f"Source: {data.get('source', 'not recorded')}{': ' if parts else ''}{', '.join(parts)}",
        f"Licence: {data.get('licence', 'not recorded')}",
    ]
    if "n_records" in data:
        lines.append(f"Used: {data['n_records']:,} of {data.get('n_available', data['n_records']):,} texts{groups}")
    lines.append(f"Left out: {_reasons(data.get('dropped') or {})}")
    if hashes:
        lines.append(f"SHA-256: {', '.join(hashes)}")
    return lines + [f"Note: {note}" for note in data.get("notes") or []]


def _examples(counts: Mapping[str, Any]) -> str:
    dropped = _reasons(counts.get("dropped") or {})
    return f"{counts['used']:,} examples used, {counts.get('truncated', 0):,} cut; left out: {dropped}"


def _reasons(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items()) or "none"


def _write(label: str, data: Mapping[str, Any], more: list[str]) -> None:
    title = f" · {plain(data['title'])}" if data.get("title") else ""
    st.markdown(f"**{plain(label)}**{title}")
    st.caption("  \n".join(plain(line) for line in [*origin(data), *more]))
