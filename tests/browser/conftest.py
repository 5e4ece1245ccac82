"""A real app in a process of its own, and a headless Chromium that looks at it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.engine import client
from core.store import Store
from tests.conftest import IN_CI
from tests.served import ROOT, served

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class App:
    """A started app: where it answers, its cache folder, and where screenshots go."""

    url: str
    store: Store
    screenshots: Path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return Debian's Chromium; without it, skip, but fail where CI insists."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if IN_CI:
            pytest.fail("Chromium is missing, and CI insists on it")
        pytest.skip("no Chromium here")
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def app_on(store: Store, folder: Path, script: Path = ROOT / "app.py") -> Iterator[App]:
    """Start the app on a free port, and end it and its engine afterwards; its log and screenshots go into a folder."""
    screenshots = Path(os.environ.get("PRIORSCOPE_SCREENSHOTS", folder / "screenshots"))
    screenshots.mkdir(parents=True, exist_ok=True)
    try:
        with served(script, store.root, folder / "app.txt") as url:
            yield App(url, store, screenshots)
    finally:
        client.stop_engine(store)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Return the app with a cache folder of its own."""
    with app_on(Store(tmp_path / "cache"), tmp_path) as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Return a fresh page of a laptop's size."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    yield context.new_page()
    context.close()
