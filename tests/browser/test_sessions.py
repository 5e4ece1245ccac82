"""Ten people at once, each with a selection of their own, which stays theirs.

They go on for ten minutes times `PRIORSCOPE_FAULTS` (0.1), or for `PRIORSCOPE_SESSIONS_SECONDS`.
"""

import json
import os
import sys
import time
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import App
from tests.browser.test_closer import address as address
from tests.browser.test_walk import Walker
from tests.faults.tally import SHARE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(0)]
SECONDS = float(os.environ.get("PRIORSCOPE_SESSIONS_SECONDS", 600 * SHARE))
SITES = ("1 · entering block 1", "0 · token embeddings")
N_SESSIONS = 10
PATIENCE = 180
"""Seconds that one session may take while nine others are served."""


def test_ten_sessions_keep_their_own_selections(app: App, chromium: Browser, address: str):
    (cloud,) = {path.name.partition("-")[0] for path in app.store.root.glob("artifacts/cloud/*")}
    selections = [{cloud: list(range(k, 2 * k + 2))} for k in range(N_SESSIONS)]
    contexts = [chromium.new_context(viewport={"width": 1440, "height": 1000}) for _ in selections]
    walkers = [Walker(context.new_page(), app, PATIENCE) for context in contexts]
    for walker in walkers:
        walker.page.set_default_timeout(1000 * PATIENCE)
    for walker, selection in zip(walkers, selections, strict=True):
        chosen = urlencode({"selection": json.dumps(selection, separators=(",", ":"))})
        walker.page.goto(f"{address}&{chosen}")
    until, turn = time.monotonic() + SECONDS, 0
    while turn == 0 or time.monotonic() < until:
        for walker, selection in zip(walkers, selections, strict=True):
            selected = walker.page.get_by_text(f"{len(selection[cloud])} tokens selected")
            expect(selected).to_be_visible(timeout=1000 * PATIENCE)
            assert json.loads(parse_qs(urlparse(walker.page.url).query)["selection"][0]) == selection
        for walker in walkers:
            walker.ask("Site", SITES[turn % 2])
        for walker in walkers:
            walker.quiet()
            assert not walker.problems
        turn += 1
    sys.stdout.write(f"{turn * N_SESSIONS} views checked in {SECONDS:g} s\n")
    for context in contexts:
        context.close()
