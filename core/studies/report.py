"""A study as one page that opens without a network: verdicts first, then every picture."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from plotly.io import to_html
from plotly.offline import get_plotlyjs

from core.figures.palette import POINTS_BELOW
from core.specs import StudyItemSpec, StudySpec, TuningSpec
from core.store import Store
from core.studies.claims.judgement import Judgement
from core.studies.claims.notes import notes
from core.studies.deviations import deviations
from core.studies.items import ITEMS, VERSION, Found, find_item, not_made
from core.studies.shipped import finished_of

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font-family: sans-serif; color: #222; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; }} h2 {{ font-size: 1.2rem; font-weight: 600; margin-top: 3rem; }}
p {{ color: #444; line-height: 1.5; }} .quiet {{ color: #666; font-size: 0.9rem; }}
table {{ border-collapse: collapse; margin: 1rem 0; font-size: 0.92rem; }}
th, td {{ border-bottom: 1px solid #ddd; padding: 0.35rem 0.7rem; text-align: left; vertical-align: top; }}
td.holds {{ color: #0B6E4F; font-weight: 600; }} td.fails {{ color: #B3261E; font-weight: 600; }}
td.undecided {{ color: #6A6A6A; font-weight: 600; }}
a {{ color: #1F6FC4; text-decoration: none; }} a:hover {{ text-decoration: underline; }}
{below}
</style>
<script>{plotly}</script></head>
<body><h1>{title}</h1>
<p>{setting}</p>
{provenance}
{verdicts}
{contents}
{sections}
{deviations}
</body></html>
"""


def report_html(study: StudySpec, store: Store) -> str:
    """Return the page of all items of a study that were made so far."""
    asked = [StudyItemSpec(study=study, item=item) for item in ITEMS]
    found = [one for one in (find_item(spec, store) for spec in asked) if one]
    return report_page(study, found, left=not_made(study, store))


def report_page(
    study: StudySpec,
    found: Sequence[Found],
    failed: Mapping[str, str] | None = None,
    left: Mapping[str, str] | None = None,
) -> str:
    """Return the page of items.

    Args:
        study: of the items.
        found: in the order of the page.
        failed: title → reason of items that could not be made, shown at the end.
        left: item → reason of those that a finished study does not have, listed before the pictures.
    """
    sections = [_section(one) for one in found]
    sections += [f"<h2>{escape(title)}</h2><p>Not made: {escape(why)}</p>" for title, why in (failed or {}).items()]
    return _PAGE.format(
        title=escape(f"priorscope: the paper on {study.model.label}"),
        below=POINTS_BELOW,
        plotly=get_plotlyjs(),
        setting=escape(_setting(study)),
        provenance=_provenance(study),
        deviations=_deviations(study),
        verdicts=_verdicts(found),
        contents=_contents(found) + _left(left or {}),
        sections="\n".join(sections),
    )


def _setting(study: StudySpec) -> str:
    warmup = TuningSpec.model_fields["warmup_steps"].default
    return (
        f"Model {study.model.label}; texts {study.texts.label}, questions {study.questions.label}, arithmetic "
        f"{study.arithmetic.label}; {study.n_texts:,} texts of each. Soft prompts on {study.soft_task.label}: "
        f"{study.n_seeds} seeds, {_length(study, study.steps)}; deep prompts on {study.deep_task.label}, before blocks "
        f"{', '.join(map(str, study.prompt_sites))}: {study.n_deep_seeds} seeds, {_length(study, study.deep_steps)}; "
        f"{warmup} steps of warm-up, no clipping. Encoder {study.encoder.label}. Seed {study.seed}."
    )


def _length(study: StudySpec, steps: int) -> str:
    """Return how long runs are in words."""
    if not study.patience:
        return f"{steps} steps of {study.batch_size} examples"
    return f"until the loss stops improving or {steps} steps of {study.batch_size} examples"


def _provenance(study: StudySpec) -> str:
    """Return where the study comes from, if it came with the program."""
    own = finished_of(study, VERSION)
    return f'<p class="quiet">{escape(own.provenance)}</p>' if own else ""


def _deviations(study: StudySpec) -> str:
    rows = "".join(f"<li>{escape(line)}</li>" for line in deviations(study))
    return f"<h2>Where this is not the paper’s setting</h2><ul>{rows}</ul>"


def _verdicts(found: Sequence[Found]) -> str:
    """Return a table of the claims among the items."""
    rows = []
    for one in found:
        if "judgement" in one.result.numbers:
            judged = Judgement.model_validate(one.result.numbers["judgement"])
            verdict = f'<td class="{judged.verdict}">{judged.verdict}</td>'
            beside = "".join(f"<li>{escape(line)}</li>" for line in notes(judged))
            words = f'{escape(judged.words)}<ul class="quiet">{beside}</ul>'
            rows.append(f"<tr><td>{_link(one)}</td>{verdict}<td>{words}</td></tr>")
    if not rows:
        return ""
    head = "<tr><th>Claim</th><th>Verdict</th><th>Finding</th></tr>"
    return f"<h2>Claims</h2><table>{head}{''.join(rows)}</table>"


def _contents(found: Sequence[Found]) -> str:
    links = [_link(one) for one in found if "judgement" not in one.result.numbers]
    return f"<h2>Contents</h2><p>{'<br>'.join(links)}</p>" if links else ""


def _left(left: Mapping[str, str]) -> str:
    rows = "".join(f"<li>{escape(ITEMS[item].title)}: {escape(why)}</li>" for item, why in left.items())
    return f"<h2>Not made</h2><ul>{rows}</ul>" if rows else ""


def _link(one: Found) -> str:
    return f'<a href="#{escape(one.spec.item)}">{escape(one.title)}</a>'


def _section(one: Found) -> str:
    kept = one.reproduced
    look: dict[str, Any] = {"full_html": False, "config": {"displaylogo": False}, "auto_play": False}
    picture = to_html(kept.picture, include_plotlyjs=False, **look)
    took = f'<p class="quiet">Made in {one.result.seconds:,.0f} s, including the new jobs it needed.</p>'
    return (
        f'<h2 id="{escape(one.spec.item)}">{escape(one.title)}</h2>{picture}<p>{escape(kept.caption)}</p>'
        f"{_numbers_table(kept.numbers.get('table'))}{took}"
    )


def _numbers_table(rows: Sequence[Mapping[str, Any]] | None) -> str:
    """Return the rows of a table, if an item has one."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row.values()) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
