"""Whom the app serves: which paths it reads for them, and whether it only shows what is there."""

import os

import streamlit as st

from core.store import Store
from core.store.allowed import FOLDERS, allowed_folders, of_a_server
from core.store.read_only import read_only

NO_FILES = "it takes no files and no paths"
"""What a read-only server says where an upload or a path field would be."""
_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


def limit_paths(store: Store) -> None:
    """Limit path fields to uploads and what was made here, where the server listens to other machines.

    `PRIORSCOPE_FOLDERS` says otherwise, also behind a proxy, where the server listens to this machine alone.
    """
    if st.get_option("server.address") not in _OWN_MACHINE:
        os.environ.setdefault(FOLDERS, of_a_server(store))


def closed(what: str) -> bool:
    """If the server is read-only, write that something is off; return whether it is."""
    if read_only():
        st.caption(f":material/lock: This server is read-only: {what}.")
    return read_only()


def path_help() -> str:
    """Return the help of a path field: any file of this machine, or those in some folders."""
    folders = allowed_folders()
    if folders is None:
        return "A path on this machine."
    return f"Only files in the folders that this server may read: {', '.join(map(str, folders)) or 'none'}."
