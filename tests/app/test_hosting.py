"""An app for others: a login stands before it, and path fields read only what they may."""

import os

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.store import Store
from core.store.allowed import FOLDERS, of_a_server
from pages.widgets.reach import limit_paths, path_help
from tests.app.conftest import ROOT, Content, open_page, texts_of


def test_nothing_is_shown_before_the_login(store, monkeypatch):
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert [button.label for button in app.button] == ["Log in"]
    assert not [*app.header, *app.markdown, *app.caption]


@pytest.mark.parametrize(
    ("address", "limited"),
    [("localhost", False), ("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("", True), (None, True)],
)
def test_paths_are_limited_once_the_server_listens_elsewhere(store, monkeypatch, address, limited):
    monkeypatch.setenv(FOLDERS, "to be put back after the test")
    monkeypatch.delenv(FOLDERS)
    monkeypatch.setattr(st, "get_option", {"server.address": address}.__getitem__)
    limit_paths(store)
    assert os.environ.get(FOLDERS) == (of_a_server(store) if limited else None)
    assert path_help().startswith("Only files in the folders" if limited else "A path on this machine.")


def test_the_setting_counts_on_every_server(store, monkeypatch):
    monkeypatch.setenv(FOLDERS, "/data/texts")
    limit_paths(store)
    assert path_help() == "Only files in the folders that this server may read: /data/texts."


@pytest.mark.parametrize(("page", "data"), [("activations", '["file"]'), ("tune", "file")])
def test_a_path_outside_is_refused_on_a_page_and_the_form_says_which_may_be_read(
    filled: Content, no_engine, monkeypatch, page, data
):
    monkeypatch.setenv(FOLDERS, of_a_server(Store(filled.root)))
    app = open_page(page, model=filled.model.name, data=data, path="/etc/passwd")
    assert "is not in a folder that this server may read" in texts_of(app).replace("\\", "")
    assert not no_engine
    (field,) = [field for field in app.text_input if field.label == "Or a path on this machine"]
    assert field.help.startswith("Only files in the folders that this server may read: ")
