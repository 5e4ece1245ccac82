"""A claim is one file and one line: the worked example of the documentation, added to a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
LOOK = r"""
import json, os, sys
from pathlib import Path
from streamlit.testing.v1 import AppTest
from core import cli, reference
from core.commands import reproduce
from core.specs import StudyItemSpec
from core.engine import client
from core.store import Store
from core.studies.claims import CLAIMS
from core.studies.figure import keep
from core.studies.items import ITEMS, KIND, VERSION
from core.studies.report import report_html
from tests.unit.studies.claims.planted_runs import STUDY, Planted, RunsBench

assert ITEMS["claim-17"].title == "C17. Trained vectors do not fall onto tokens"
assert "## C17 · Trained vectors do not fall onto tokens" in reference.pages()["claims.md"]

store = Store.default()
bench = RunsBench(Store(Path("runs")), lambda _, seed: Planted(nearest=(0.0, 0.6 + 0.01 * (seed % 2))))
made = CLAIMS[17].reproduced(CLAIMS[17].judge(bench), STUDY)
job = client.prepare(KIND, StudyItemSpec(study=STUDY, item="claim-17"), store)
job.write_result({"version": VERSION, **keep(made, job.path), "seconds": 1.0})
job.update(state="succeeded")
assert "C17. Trained vectors do not fall onto tokens" in report_html(STUDY, store)

app = AppTest.from_file("app.py", default_timeout=120).run().switch_page("pages/findings.py").run()
assert not app.exception, app.exception
matrix = json.loads(app.get("plotly_chart")[0].proto.spec)
assert "C17 Trained vectors do not fall onto tokens" in matrix["layout"]["yaxis"]["ticktext"]

def make(study, items, *_):
    print("made", *items)
    sys.exit(0)

reproduce.make = make
sys.argv = ["core", "reproduce", "--claims", "--quick", "--out", "unused"]
cli.main()
"""


def test_a_claim_is_one_file_and_one_line(tmp_path):
    for folder in ("core", "pages", "tests/unit/studies", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", tmp_path)
    page = (ROOT / "docs" / "adding-a-claim.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    claims = tmp_path / "core" / "studies" / "claims"
    (claims / "collapse.py").write_text(code, encoding="utf-8")
    table = (claims / "__init__.py").read_text(encoding="utf-8")
    (claims / "__init__.py").write_text(table.replace("FILES = (", 'FILES = ("collapse", '), encoding="utf-8")
    surroundings = {**os.environ, "PYTHONPATH": str(tmp_path), "PRIORSCOPE_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK], cwd=tmp_path, env=surroundings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "made " + " ".join(f"claim-{number}" for number in range(1, 18))
