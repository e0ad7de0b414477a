"""What the command line prints: answers, lists, reports, progress."""

from __future__ import annotations

import json
import logging
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from tqdm import tqdm

from rag.errors import RagError
from rag.evaluation.answers import AnswersRun
from rag.evaluation.library import Step
from rag.evaluation.outcomes import Comparison, compare, scores_of
from rag.evaluation.ranking import MEASURES
from rag.evaluation.retrieval import METHODS, RetrievalRun
from rag.records import Answer, Article, ArticleSummary, Claim, Diagnosis, IngestReport, SearchResult, Source
from rag.wording import UNSURE, degraded_because, unsure

_WIDTH = 100
_SECONDS_BETWEEN_LINES = 5.0


def set_up_logging(*, verbose: bool) -> None:
    """Warnings of this program as plain lines on stderr; those of libraries only when asked for."""
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(name)s: %(message)s")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("rag: %(message)s"))
    own = logging.getLogger("rag")
    own.handlers, own.propagate = [handler], False
    own.setLevel(logging.INFO if verbose else logging.WARNING)


def print_line(line: str) -> None:
    click.echo(line, err=True)


def print_greeting(address: str, articles: int, home: str, destination: str | None) -> None:
    """The first lines of a server: where it answers, what it holds, where passages are sent."""
    click.echo(f"Dateline answers on {address} (Ctrl-C stops it)")
    click.echo(f"{articles:,} articles in {home}" if articles else "The library is empty: `rag ingest FILE` fills it.")
    click.echo(destination or "No language model is configured: answers are made of quotes.")


def print_error(error: RagError) -> None:
    print_line(f"rag: {error}")


def print_json(data: dict[str, Any]) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


# Answers


def print_answer(answer: Answer, days: Mapping[str, str]) -> None:
    """`days` are the publication dates of the closest passages' articles, by the articles' ids."""
    if answer.verdict == "no_evidence":
        click.echo(answer.text)
        if answer.closest:
            click.echo("\nClosest, but not an answer:")
        for passage in answer.closest:
            click.echo(f"\n  {clean(passage.title)} · {days.get(passage.article_id, 'date unknown')}")
            click.echo(_wrapped(_shortened(passage.text, 300), indent="    "))
    else:
        click.echo(_header(answer))
        for claim in answer.claims:
            click.echo("\n" + _claim(claim, quoted=answer.mode == "quotes"))
        click.echo("\nSources")
        for source in answer.sources:
            click.echo(_wrapped(f"[{source.number}] {_source(source)}", indent="  "))
    for note in answer.notes:
        where = "".join(f"[{number}]" for number in note.sources)
        how = "(--all-dates)" if note.widens else ""
        click.echo("\n" + _wrapped(" ".join(f"Note: {note.text} {where} {how}".split())))


def _header(answer: Answer) -> str:
    if answer.mode == "written":
        return f"Written by {answer.model}; every sentence with the words it rests on."
    why = f" ({degraded_because(answer.degraded)})" if answer.degraded else ""
    doubt = f" {UNSURE}" if unsure(answer.confidence) else ""
    return f"Quotes from the articles; no answer was written{why}.{doubt}"


def _claim(claim: Claim, *, quoted: bool) -> str:
    markers = "".join(f"[{number}]" for number in dict.fromkeys(quote.source for quote in claim.quotes))
    if quoted:
        return _wrapped(f"“{clean(claim.text)}” {markers}")
    lines = [_wrapped(f"{clean(claim.text)} {markers}")]
    lines += [_wrapped(f"[{quote.source}] “{clean(quote.text)}”", indent="    ") for quote in claim.quotes]
    lines += [f"    ! {flag}" for flag in claim.flags]
    return "\n".join(lines)


def _source(source: Source) -> str:
    parts = [source.title, source.publisher, source.published or "date unknown", source.url, source.article_id]
    return " · ".join(clean(part) for part in parts if part)


def print_passages(found: Sequence[SearchResult]) -> None:
    if not found:
        click.echo("Nothing was found.")
    for n, passage in enumerate(found, start=1):
        date = passage.published or "date unknown"
        click.echo(f"{n}. {clean(passage.title)} · {date} · score {passage.score:.3f}")
        click.echo(f"   {clean(passage.article_id)} [{passage.start}:{passage.end}]")
        click.echo(_wrapped(_shortened(passage.text, 400), indent="   ") + "\n")


# Articles


def print_empty_library(home: str, *, begun: bool) -> None:
    what = f"there was no library in {home}, an empty one was begun" if begun else f"the library in {home} is empty"
    print_line(f"rag: {what}: `rag ingest FILE` fills it, RAG_HOME names another")


def print_articles(articles: Sequence[ArticleSummary]) -> None:
    if not articles:
        click.echo("The library is empty: `rag ingest FILE` takes articles in.")
    for article in articles:
        date = article.published[:10] if article.published else "date unknown"
        publisher = clean(article.publisher or "publisher unknown")
        click.echo(f"{clean(article.id)}  {date:<12}  {clean(article.title)}  ({publisher})")


def print_article(article: Article) -> None:
    click.echo(clean(article.title))
    date = f"{article.published} (from {article.published_from})" if article.published else "date unknown"
    facts = [article.publisher, ", ".join(article.authors), date, article.url, f"version {article.version}"]
    click.echo(" · ".join(clean(fact) for fact in facts if fact))
    for address in article.addresses:
        click.echo(clean(address))
    click.echo("\n" + "\n".join(clean(line) for line in article.text.split("\n")))


def print_diagnosis(diagnosis: Diagnosis) -> None:
    for check in diagnosis.checks:
        click.echo(f"{'ok   ' if check.ok else 'WRONG'} {check.name}: {check.message}")


# Ingest


def print_report(report: IngestReport) -> None:
    counts = ", ".join(
        f"{getattr(report, status)} {status}" for status in ("added", "updated", "unchanged", "duplicate")
    )
    click.echo(f"{counts}, {len(report.failed)} failed; {report.passages} passages in {report.seconds:.1f} s")
    for failure in report.failed:
        # Where the reason begins with its source or quotes it, it is not said twice.
        source, reason = failure.source, failure.reason
        named = reason.startswith((f"{source} ", f"{source}: ")) or repr(source) in reason
        where = "" if named else f"{clean(source)}: "
        click.echo(f"failed: {where}{clean(reason)}", err=True)
    if not report.taken and not report.failed:
        click.echo("rag: nothing was found to take in: name files, folders, addresses or dumps", err=True)


class _Bar:
    """A progress bar on a terminal."""

    def __init__(self) -> None:
        self._bar = tqdm(unit=" articles", desc="ingest", leave=False, file=sys.stderr)

    def advance(self, articles: int) -> None:
        self._bar.update(articles)

    def warn(self, source: str, message: str) -> None:
        tqdm.write(f"warning: {clean(source)}: {clean(message)}", file=sys.stderr)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """Plain lines where there is no terminal, one every few seconds."""

    def __init__(self) -> None:
        self._done = 0
        self._last = time.monotonic()

    def advance(self, articles: int) -> None:
        self._done += articles
        if time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            print_line(f"{self._done} articles")
            self._last = time.monotonic()

    def warn(self, source: str, message: str) -> None:
        print_line(f"warning: {clean(source)}: {clean(message)}")

    def close(self) -> None:
        pass


@contextmanager
def steps() -> Iterator[Step]:
    """Shows how far an evaluation is: a bar on a terminal, elsewhere a line every few seconds."""
    bar: tqdm[Any] | None = None
    last = time.monotonic()

    def on_terminal(doing: str, done: int, total: int) -> None:
        nonlocal bar
        if bar is None or bar.desc != f"{doing}: ":
            if bar is not None:
                bar.close()
            bar = tqdm(total=total, desc=doing, leave=False, file=sys.stderr)
        bar.update(done - bar.n)

    def in_lines(doing: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            print_line(f"{doing}: {done} of {total}")
            last = time.monotonic()

    try:
        yield on_terminal if sys.stderr.isatty() else in_lines
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def progress() -> Iterator[_Bar | _Lines]:
    shown = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        yield shown
    finally:
        shown.close()


# Evaluations


def print_set_aside(run: RetrievalRun) -> None:
    """What of a set is not in the library as it came, on stderr."""
    if run.without_text:
        print_line(f"documents without text, which count as not found: {run.without_text}")
    if run.copies:
        print_line(f"documents with the text of another one, ranked right behind it: {run.copies}")


def print_retrieval(run: RetrievalRun) -> None:
    counts = f"{len(run.outcomes):,} queries, {run.documents:,} documents, {run.passages:,} passages"
    click.echo(f"{counts}, {run.seconds:.1f} s\n")
    click.echo("          " + "".join(f"{name:>11}" for name in MEASURES))
    for method in METHODS:
        click.echo(f"{method:10}" + "".join(f"{value:11.3f}" for value in run.means(method).values()))
    click.echo("")
    for method in METHODS[:-1]:
        (first, *_) = compare(scores_of(run.outcomes, method), scores_of(run.outcomes, METHODS[-1]))
        click.echo(f"{METHODS[-1]} against {method}: {_comparison(first)}")


def print_answers_run(run: AnswersRun) -> None:
    for name, value in run.to_json().items():
        click.echo(f"{name.replace('_', ' '):24}{'none' if value is None else value}")


def print_comparisons(compared: Sequence[Comparison]) -> None:
    for one in compared:
        click.echo(_comparison(one))


def _comparison(one: Comparison) -> str:
    change = f"{one.measure} {one.before:.3f} -> {one.after:.3f} ({one.after - one.before:+.3f})"
    said = "may be noise" if one.noise else "more than noise"
    return f"{clean(change)} on {one.questions} questions, p = {one.p:.2g}: {said}"


def clean(text: str) -> str:
    """A text without control characters: an article must not move the cursor or ring the bell."""
    return "".join(c if c.isprintable() or c == "\t" else " " for c in text)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        " ".join(clean(text).split()), _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _shortened(text: str, most: int) -> str:
    return textwrap.shorten(text, most, placeholder=" …")
