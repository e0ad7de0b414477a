"""The report: what it says, and that hostile questions and quotes stay text."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rag.errors import InvalidRequest
from rag.evaluation.answers import AnswersRun, Case, Graded
from rag.evaluation.findings import find
from rag.evaluation.report import check_report, html_report, markdown_report, write_report
from rag.records import Answer, Claim, Quote

HOSTILE = '<script>alert(1)</script> "><img src=x onerror=y> | ![a](https://evil.example/x) [b](javascript:c) `d`\n# e'


def graded(n: int, confidence: float | None, *, answerable: bool, right: bool, text: str = "A quote.") -> Graded:
    quote = Quote(1, "a", 0, len(text), text)
    answer = Answer(
        str(n), text, text, "answered", "quotes", None, text, claims=(Claim(text, (quote,)),), confidence=confidence
    )
    return Graded(Case(str(n), text, (text,) if answerable else ()), answer, (quote,), (right,), (True,))


def a_run(confidence: bool = True, text: str = HOSTILE) -> AnswersRun:
    rows = [
        graded(n, n / 20 if confidence else None, answerable=n % 3 > 0, right=n % 3 > 0 and n > 8, text=text)
        for n in range(20)
    ]
    return AnswersRun(tuple(rows), "quotes", 0, 1.5)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_holds_nothing_of_what_others_wrote_but_text() -> None:
    page = html_report(find(a_run()))
    tags = Tags(page)
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "img", "a", "link", "iframe"})
    assert not any(name.startswith("on") or name in ("src", "href") for _, given in tags.seen for name in given)
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_the_plots_are_well_formed_and_complete() -> None:
    page = html_report(find(a_run()))
    drawn = ["<svg" + part.partition("</svg>")[0] + "</svg>" for part in page.split("<svg")[1:]]
    assert [ET.fromstring(svg).get("aria-label") for svg in drawn] == [
        "Risk and coverage",
        "Reliability",
        "Distribution of confidence",
    ]


def test_the_markdown_has_no_markup_of_others() -> None:
    text = markdown_report(find(a_run()))
    assert "<script>" not in text
    assert "![a](" not in text
    assert "\\!\\[a\\]\\(" in text
    for line in text.splitlines():
        if line.startswith("| \\<"):
            # Bars of the question are escaped: the row keeps its four cells.
            assert line.replace("\\|", "").count("|") == 5


def test_without_confidence_there_are_figures_and_no_curves() -> None:
    findings = find(a_run(confidence=False))
    assert (findings.risk, findings.bins, findings.spread) == ((), (), ())
    assert "state no confidence" in markdown_report(findings)
    page = html_report(findings)
    assert "<svg" not in page
    assert "state no confidence" in page


def test_the_worst_come_first_with_what_was_quoted() -> None:
    findings = find(a_run(text="Two ferries sank."))
    wrong, answered, declined = findings.mishaps
    assert (wrong.count, answered.count, declined.count) == (6, 7, 0)
    sure = [m.confidence or 0 for m in answered.shown]
    assert sure == sorted(sure, reverse=True)
    assert wrong.shown[0].quoted == "Two ferries sank."
    assert answered.shown[0].expected == "nothing"
    assert dict(findings.figures)["first quote right"] == str(round(7 / 13, 4))


def test_a_run_without_any_answer_is_reported_too() -> None:
    empty = AnswersRun((), "quotes", 0, 0.0)
    assert "none" in markdown_report(find(empty))
    html_report(find(empty))


def test_both_files_are_written_into_a_new_folder(tmp_path: Path) -> None:
    check_report("--report", tmp_path / "new" / "report")
    assert not any((tmp_path / "new" / "report").iterdir())
    write_report("--report", tmp_path / "new" / "report", a_run())
    assert {path.name for path in (tmp_path / "new" / "report").iterdir()} == {"report.md", "report.html"}
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidRequest, match=r"^--report: .*file.* cannot be written"):
            check_report("--report", place)
        with pytest.raises(InvalidRequest, match=r"^--report: .*file.* cannot be written"):
            write_report("--report", place, a_run())


def test_half_a_character_does_not_stop_the_report(tmp_path: Path) -> None:
    lonely = replace(graded(1, 0.5, answerable=True, right=False), case=Case("1", "Who \ud800?", ("x",)))
    write_report("--report", tmp_path, AnswersRun((lonely,), "quotes", 0, 1.0))
    assert "Who" in (tmp_path / "report.html").read_text(encoding="utf-8")
