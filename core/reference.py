"""Write the pages of the documentation that are made from the source: `python -m core.reference`."""

from pathlib import Path

from core.cli import VERBS, load
from core.commands.docs import command_page
from core.engine.tasks import task_specs
from core.priors.docs import prior_page
from core.specs.docs import documented_specs, spec_page
from core.studies.claims import CLAIMS
from core.studies.claims.docs import claims_page

DOCS = Path(__file__).resolve().parents[1] / "docs"


def pages() -> dict[str, str]:
    """Return what each page under `docs/` must say."""
    return {
        "priors.md": prior_page(),
        "claims.md": claims_page(CLAIMS),
        "reference/specs.md": spec_page(documented_specs(), task_specs()),
        "reference/commands.md": command_page({name: load(name) for name in VERBS}),
    }


def write(folder: Path = DOCS) -> None:
    """Write all of them."""
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
