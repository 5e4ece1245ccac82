"""A real app in a process of its own, and a headless Chromium that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.engine import client
from core.store import Store
from tests.conftest import IN_CI

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
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


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Start the app on a free port with a cache folder of its own, and end it and its engine afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cache = tmp_path / "cache"
    store = Store(cache)
    environment = {**os.environ, "PRIORSCOPE_CACHE": str(cache)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    log = tmp_path / "app.txt"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            url = f"http://localhost:{port}"
            _until_it_answers(f"{url}/_stcore/health", process, log)
            screenshots = Path(os.environ.get("PRIORSCOPE_SCREENSHOTS", tmp_path / "screenshots"))
            screenshots.mkdir(parents=True, exist_ok=True)
            yield App(url, store, screenshots)
        finally:
            process.terminate()
            process.wait(20)
            client.stop_engine(store)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Return a fresh page of a laptop's size."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    yield context.new_page()
    context.close()


def _until_it_answers(url: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not start: {log.read_text()[-2000:]}")
