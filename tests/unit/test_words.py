"""Documentation, pages, help and docstrings say one word for a thing, the glossary's, in plain English."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"docs/priors.md", "docs/claims.md", "docs/reference/specs.md", "docs/reference/commands.md"}
"""Made from the source, where the words are checked."""
QUOTES_OTHER_WORDS = {"docs/glossary.md"}
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
UNITS = "nats?|bits?|bytes|[kMG]B|ms|seconds|minutes|operations|steps|one|rows?|columns?|files?|objects?"
EACH = (
    "axis|batch|coordinate|device|document|example|group|job|line|point|prior|process|row|run|second|seed|site|step|"
    "text|token|vector"
)

BETTER = {
    r"\b[Pp]laces? (?:in|of) (?:the|its) (?:residual )?stream\b": "site",
    r"\b(?:lay|lays|laid|laying) (?:\w+ ){0,2}(?:on|onto|over|beside) \b": "overlay on",
    r"\bplacings?\b": "overlay",
    r"\b(?:[Pp]lay|[Ss]hare of|player of|[Aa]long) the way\b": "trajectory",
    r"\bway of (?:a|each|the) (?:text|prompt|vector|token)s?\b": "trajectory",
    r"\b[Ii]ts nulls\b|\bnulls of its own\b": "null samples",
    r"\b[Rr]ates? counts? in\b": "learning-rate unit",
    r"\b(?:interim looks?|(?:each|every|further|first|last|later) looks? (?:is|at the data|of))\b": "interim analysis",
    r"\b[Nn]obody told\b|\bof which nobody\b": "is not recorded",
    r"\bshall\b": "must, or the present tense",
    r"\banew\b": "again",
    rf"\b(?:{UNITS}) an? (?:{EACH})\b": "per",
    r"\bfore(?:see|saw|seen)\b": "predict or estimate",
    r"\btaken away\b|\btakes? (?:it|them|the points|tables?) away\b": "download, or remove",
    r"\b[Bb]eheld\b|\bwhither\b|\bthereof\b|\bwherein\b": "plain words",
}


def prose_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of what a person reads in a file: of a page all but code, of a module strings and comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield 1, CODE.sub(lambda code: "\n" * code[0].count("\n"), text)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, CODE.sub(lambda code: "\n" * code[0].count("\n"), node.value)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def read_by_people() -> list[Path]:
    """Return the documentation and the program's modules."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    kept = [path for path in pages if path.relative_to(ROOT).as_posix() not in GENERATED | QUOTES_OTHER_WORDS]
    return sorted([*kept, ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "core").rglob("*.py")])


def findings(text: str, first_line: int, where: str) -> Iterator[str]:
    """Yield each use of another word: file, line, the words, the better ones."""
    for pattern, better in BETTER.items():
        for match in re.finditer(pattern.replace(" ", r"\s+"), text):
            line = first_line + text.count("\n", 0, match.start())
            yield f"{where}:{line}: “{match[0]}”: {better}"


def test_prose_uses_the_words_of_the_glossary():
    found = [
        finding
        for path in read_by_people()
        for line, text in prose_of(path)
        for finding in findings(text, line, path.relative_to(ROOT).as_posix())
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("text", ["40 nats a token", "Points laid on\nthe map", "Play the way", "Its nulls"])
def test_another_word_would_be_found(text: str):
    assert list(findings(text, 1, "page.md"))


@pytest.mark.parametrize("text", ["a layer", "one way to do it", "a layout on a page", "once a person asks"])
def test_other_uses_are_left_alone(text: str):
    assert not list(findings(text, 1, "page.md"))
