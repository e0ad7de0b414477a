"""The report of an answers run, in Markdown and as a page that needs nothing but itself.

Questions and quotes come from files that others wrote: in the page they are escaped and no script or
address would be followed, in the Markdown every character with a meaning is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rag.evaluation.answers import AnswersRun
from rag.evaluation.findings import Findings, Mishap, find
from rag.evaluation.outcomes import check_writable, writing
from rag.evaluation.plots import Axes, bars, curve, dots

__all__ = ["check_report", "html_report", "markdown_report", "write_report"]

_MARKDOWN, _PAGE = "report.md", "report.html"
_RIGHT = "An answer counts as right if its first quote holds an expected string."
_NO_CONFIDENCE = "The answers state no confidence, so there are no curves."
_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --faint: #667085; --line: #d9dee7; --paper: #fff; --a: #1f6feb;
  --b: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --faint: #98a2b3; --line: #343b49; --paper: #14181f;
  --a: #6aa7ff; --b: #ff9d5c; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--faint); }
th { overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; flex: 1 1 24rem; max-width: 30rem; }
figcaption, .note { color: var(--faint); }
svg { width: 100%; height: auto; font-size: 11px; } svg text { fill: var(--faint); }
.tick.x, .name.x, svg .name.y { text-anchor: middle; } .tick.y, .key { text-anchor: end; }
.grid { stroke: var(--line); } .even { stroke: var(--faint); stroke-dasharray: 4 4; }
.line { fill: none; stroke: var(--a); stroke-width: 2; } .dot, rect.a { fill: var(--a); } rect.b { fill: var(--b); }
svg text.a { fill: var(--a); } svg text.b { fill: var(--b); }
"""


def check_report(option: str, folder: Path) -> None:
    """Before a run of minutes: make the folder. Raises InvalidRequest if the report could not be written there."""
    with writing(option, folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name in (_MARKDOWN, _PAGE):
        check_writable(option, folder / name)


def write_report(option: str, folder: Path, run: AnswersRun) -> None:
    """Write `report.md` and `report.html` into a folder, which is made where it is missing.

    Raises InvalidRequest, which names `option`, the one that asked for it.
    """
    findings = find(run)
    with writing(option, folder):
        folder.mkdir(parents=True, exist_ok=True)
        # A question may hold a lone surrogate, which has no UTF-8 form.
        (folder / _MARKDOWN).write_text(markdown_report(findings), encoding="utf-8", errors="replace")
        (folder / _PAGE).write_text(html_report(findings), encoding="utf-8", errors="replace")


# Markdown


def markdown_report(findings: Findings) -> str:
    """Figures, the curves as tables, and the worst questions."""
    parts = ["# Answers measured", _RIGHT, _md_table(("measure", "figure"), findings.figures)]
    if not findings.stated:
        parts.append(_NO_CONFIDENCE)
    if findings.risk:
        rows = [(f"{share:.2f}", f"{wrong:.3f}") for share, wrong in _thinned(findings.risk)]
        parts += ["## Risk and coverage", _md_table(("share answered", "wrong among them"), rows)]
    if findings.bins:
        counted = [(f"{b.confidence:.2f}", f"{b.right:.2f}", str(b.count)) for b in findings.bins]
        parts += ["## Reliability", _md_table(("confidence", "right", "answers"), counted)]
    for name, shares in findings.spread:
        ranges = [(f"{n / len(shares):.1f}–{(n + 1) / len(shares):.1f}", f"{s:.3f}") for n, s in enumerate(shares)]
        parts += [f"## Confidence of {name} questions", _md_table(("confidence", "share"), ranges)]
    for mishaps in findings.mishaps:
        parts.append(f"## {mishaps.name}: {mishaps.count}")
        if mishaps.shown:
            parts.append(_md_table(_MISHAP_HEAD, [_row(mishap) for mishap in mishaps.shown]))
    return "\n\n".join(parts) + "\n"


def _md_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(_md(cell) for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _md(text: str) -> str:
    """A text without any Markdown in it; figures stay readable."""
    return text if re.fullmatch(r"[\d.–]+", text) else _SPECIAL.sub(r"\\\1", text)


_MISHAP_HEAD = ("question", "expected", "quoted first, or closest", "confidence")


def _row(mishap: Mishap) -> tuple[str, ...]:
    confidence = "" if mishap.confidence is None else f"{mishap.confidence:.2f}"
    return mishap.question, mishap.expected, mishap.quoted, confidence


def _thinned(points: tuple[tuple[float, float], ...], most: int = 20) -> list[tuple[float, float]]:
    """At most twenty points of a curve, the last one among them."""
    every = max(1, -(-len(points) // most))
    return list(points[::-1][::every])[::-1]


# The page


def html_report(findings: Findings) -> str:
    """One file: no script, nothing fetched, light and dark."""
    body = [f"<h1>Answers measured</h1><p>{_RIGHT}</p>", _html_table(("measure", "figure"), findings.figures)]
    plots = _plots(findings)
    if plots:
        body.append(f'<h2>What the confidence is worth</h2><div class="plots">{plots}</div>')
    if not findings.stated:
        body.append(f'<p class="note">{_NO_CONFIDENCE}</p>')
    for mishaps in findings.mishaps:
        body.append(f"<h2>{escape(mishaps.name)}: {mishaps.count}</h2>")
        if mishaps.shown:
            body.append(_html_table(_MISHAP_HEAD, [_row(mishap) for mishap in mishaps.shown]))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Answers measured</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _plots(findings: Findings) -> str:
    drawn = []
    if findings.risk:
        axes = Axes("Risk and coverage", "share of all questions answered", "share wrong among them")
        drawn.append((curve(axes, findings.risk), "Risk and coverage: what answering fewer questions gains"))
    if findings.bins:
        axes = Axes("Reliability", "confidence stated", "share right")
        marks = [(b.confidence, b.right, f"{b.count} answers, {b.right:.0%} right") for b in findings.bins]
        drawn.append((dots(axes, marks), "Reliability: on the dashed line, confidence is what it says"))
    if findings.spread:
        highest = max(share for _, shares in findings.spread for share in shares)
        top = min(1.0, math.ceil(12.5 * highest) / 10)  # a tenth that leaves room for the key
        axes = Axes("Distribution of confidence", "confidence stated", "share of the questions", top=top)
        drawn.append((bars(axes, findings.spread), "Confidence of answerable and unanswerable questions"))
    return "".join(f"<figure>{svg}<figcaption>{escape(said)}</figcaption></figure>" for svg, said in drawn)


def _html_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    first = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    rest = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{first}</tr></thead><tbody>{rest}</tbody></table>"
