"""The foot of every page: the commands that make what is on screen, a link, a citation; the glossary."""

import shlex
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from core import __version__
from core.specs import Spec
from core.specs.base import canonical_json
from core.store import JobFolder
from core.store.imported import imported

PAPER = (
    "S. Sedov, V. G. Kadamba, S. B. Hachalli Karanam, Exploring Embedding Priors in Prompt-Tuning for Improved "
    "Interpretability and Control"
)
GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"
NOTHING_MADE = ("doctor",)
"""The command of a page that shows what is here and makes nothing."""
FOOT = "foot"
"""Key of the container that the box is drawn in."""
_TITLE, _COMMANDS, _VALUES = "cite.title", "cite.commands", "cite.values"


def begin(title: str) -> None:
    """Forget what the page before, or its last run, cited; every page's header calls it."""
    st.session_state[_TITLE] = title
    st.session_state[_COMMANDS] = {}
    st.session_state[_VALUES] = {}


def note_value(name: str, text: str) -> None:
    """Note the text of a parameter of this view in an address, even if it is the default."""
    st.session_state.setdefault(_VALUES, {})[name] = text


def cite_command(*arguments: str) -> None:
    """Note a command of `python -m core` that makes something on screen."""
    st.session_state.setdefault(_COMMANDS, {})[arguments] = None


def cite_job(kind: str, spec: Spec) -> None:
    """Note a job that makes something on screen, by its spec without empty fields."""
    cite_command("make", kind, canonical_json(spec.as_json(exclude_none=True)))


def cite_run(job: JobFolder) -> None:
    """Note a run on screen; one that came from elsewhere is made by no command."""
    if imported(job):
        cite_command("runs", "show", job.id)
    else:
        from core.jobs.measure import tuning_spec  # takes long to import, and a page with a run has it already

        cite_job("tune", tuning_spec(job))


def cited() -> list[str]:
    """Return the command lines of what is on screen."""
    noted = st.session_state.get(_COMMANDS) or {NOTHING_MADE: None}
    return [shlex.join(["python", "-m", "core", *arguments]) for arguments in noted]


def link() -> str:
    """Return an address that shows the same later, whatever the newest run and the defaults."""
    address = urlsplit(st.context.url or "")
    values = {**st.query_params.to_dict(), **st.session_state.get(_VALUES, {})}
    return urlunsplit(address._replace(query=urlencode(sorted(values.items()))))


def citation(title: str, address: str, day: date) -> str:
    """Return a line that cites a view."""
    when = f"{day.day} {day:%B %Y}"
    return f"priorscope {__version__}, view “{title}” of {when}, {address}. After {PAPER}."


def box() -> None:
    """Draw the foot: a button that opens the citation of the view, and one that opens the glossary."""
    title = st.session_state.get(_TITLE)
    if title is None:
        return
    with st.container(key=FOOT, horizontal=True):
        if st.button("Cite this view", key="cite", type="tertiary", icon=":material/format_quote:"):
            view_citation(title)
        if st.button("Glossary", key="glossary", type="tertiary", icon=":material/menu_book:"):
            glossary()


@st.dialog("Cite this view", width="large")
def view_citation(title: str) -> None:
    """Draw commands, link and citation; in a dialog, since the browser loads 1.5 MB to draw the first line of code."""
    st.caption("Commands that make what is on screen. Existing results are not made again.")
    st.code("\n".join(cited()), language="bash", wrap_lines=True)
    st.caption("A link to this view, with everything chosen on this page.")
    st.code(link(), language=None, wrap_lines=True)
    st.caption("A citation.")
    st.code(citation(title, link(), datetime.now(UTC).date()), language=None, wrap_lines=True)


@st.dialog("Glossary", width="large")
def glossary() -> None:
    """Draw the page of the documentation that explains the words, without its title."""
    st.markdown(GLOSSARY.read_text(encoding="utf-8").partition("\n")[2])
