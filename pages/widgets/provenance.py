"""Where texts came from and how many were used, as a page shows it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.widgets.layout import plain

_ORIGIN = ("package", "id", "file", "member", "module", "difficulty", "version", "commit")
_HASHES = {"content_sha256": "texts drawn", "file_sha256": "file", "wheel_sha256": "package"}
_DIGITS = 16
"""Digits of a hash that are shown; the store keeps them all."""


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
    lines.append(f"Left out: {reasons(data.get('dropped') or {})}")
    if hashes:
        lines.append(f"SHA-256: {', '.join(hashes)}")
    return lines + [f"Note: {note}" for note in data.get("notes") or []]


def reasons(dropped: Mapping[str, int]) -> str:
    """Return why texts were left out, with counts."""
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items()) or "none"


def write_origin(label: str, data: Mapping[str, Any], more: list[str]) -> None:
    """Write the origin of a data set's texts under its label, with further lines."""
    title = f" · {plain(data['title'])}" if data.get("title") else ""
    st.markdown(f"**{plain(label)}**{title}")
    st.caption("  \n".join(plain(line) for line in [*origin(data), *more]))
