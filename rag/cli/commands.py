"""The command line: a thin face over the engine."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import click

from rag.cli import output as terminal
from rag.engine import Engine, ask
from rag.errors import InvalidRequest, LibraryError, RagError, UnknownArticle
from rag.evaluation import outcomes
from rag.evaluation.answers import evaluate_answers, read_cases
from rag.evaluation.beir import read_collection
from rag.evaluation.feedback import gradable
from rag.evaluation.report import check_report, write_report
from rag.evaluation.retrieval import evaluate_retrieval
from rag.ingestion.loading import IngestLimits
from rag.ingestion.pipeline import ingest
from rag.records import Answer, Filters, Mode, Question
from rag.serialization import to_json
from rag.settings import Settings, load_settings
from rag.wiring import connect

_MODES: tuple[Mode, ...] = ("auto", "written", "quotes")


class Day(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError as error:
            raise InvalidRequest(f"{value!r} is not a date", "write it as 2024-03-15") from error


@click.group(
    invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--verbose", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="dateline")
@click.pass_context
def rag(context: click.Context, verbose: bool) -> None:
    """Answers from your news archive that you can check."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@rag.command("ingest")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--if-empty", is_flag=True, help="Do nothing if the library holds articles already.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def ingest_command(sources: tuple[str, ...], if_empty: bool, as_json: bool) -> int:
    """Take articles in: files, folders, web addresses, feeds, .jsonl dumps."""
    settings = load_settings()
    with _engine(settings) as engine:
        if if_empty and engine.count():
            return 0
        rules = IngestLimits(max_bytes=settings.max_article_bytes, allow_private=settings.rag_allow_private_urls)
        with terminal.progress() as progress:
            report = ingest(sources, engine, rules, progress)
    if as_json:
        terminal.print_json(to_json(report))
    else:
        terminal.print_report(report)
    if report.failed:
        return 1 if report.taken else 2
    return 0 if report.taken else 2


@rag.command("ask")
@click.argument("question")
@click.option("--since", type=Day(), help="Only articles published on or after this day.")
@click.option("--until", type=Day(), help="Only articles published on or before this day.")
@click.option("--publisher", "publishers", multiple=True, help="Only articles of this publisher; may be repeated.")
@click.option("--all-dates", is_flag=True, help="Search articles of every date, and undated ones.")
@click.option("--mode", type=click.Choice(_MODES), default="auto", help="Who writes: a model, or nobody.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def ask_command(
    question: str,
    since: date | None,
    until: date | None,
    publishers: tuple[str, ...],
    all_dates: bool,
    mode: Mode,
    as_json: bool,
) -> int:
    """Ask one question."""
    filters = Filters(since, until, publishers)
    settings = load_settings()
    with _engine(settings, needs_articles=True) as engine:
        answer = ask(engine, Question(question, filters=filters, all_dates=all_dates, mode=mode))
        days = {} if as_json else _days(answer, engine)
    if as_json:
        terminal.print_json(to_json(answer))
    else:
        terminal.print_answer(answer, days)
    return 0 if answer.verdict == "answered" else 3


def _days(answer: Answer, engine: Engine) -> dict[str, str]:
    """The publication dates of the closest passages' articles, by the articles' ids; those of no date are left out."""
    days = {}
    for passage in answer.closest:
        with suppress(UnknownArticle):  # removed since
            day = engine.article(passage.article_id, passage.version).day
            days.update({passage.article_id: day} if day else {})
    return days


@rag.command("search")
@click.argument("query")
@click.option("--top-k", type=click.IntRange(1, 100), default=10, help="How many passages.")
@click.option("--json", "as_json", is_flag=True, help="Print the passages as JSON.")
def search_command(query: str, top_k: int, as_json: bool) -> int:
    """Search passages, without an answer."""
    with _engine(load_settings()) as engine:
        found = engine.search(query, Filters(), top_k)
    if as_json:
        terminal.print_json({"passages": [to_json(passage) for passage in found]})
    else:
        terminal.print_passages(found)
    return 0


@rag.group("articles", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def articles_command(context: click.Context, as_json: bool) -> int:
    """List articles; `show` and `remove` take ids."""
    if context.invoked_subcommand is not None:
        return 0
    with _engine(load_settings()) as engine:
        articles = engine.articles()
    if as_json:
        terminal.print_json({"articles": [to_json(article) for article in articles], "next": None})
    else:
        terminal.print_articles(articles)
    return 0


@articles_command.command("show")
@click.argument("article_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the article as JSON.")
def show_command(article_id: str, as_json: bool) -> int:
    """Show one article with its stored text."""
    settings = load_settings()
    with _engine(settings) as engine:
        try:
            article = engine.article(article_id)
        except UnknownArticle as error:
            raise _not_in(settings, error) from error
    if as_json:
        terminal.print_json(to_json(article))
    else:
        terminal.print_article(article)
    return 0


@articles_command.command("remove")
@click.argument("article_ids", nargs=-1, required=True, metavar="ID...")
def remove_command(article_ids: tuple[str, ...]) -> int:
    """Remove articles with all their versions and vectors."""
    unknown = 0
    settings = load_settings()
    with _engine(settings) as engine:
        for article_id in article_ids:
            try:
                engine.remove(article_id)
                click.echo(f"removed {article_id}")
            except UnknownArticle as error:
                terminal.print_error(_not_in(settings, error))
                unknown += 1
    return 1 if unknown else 0


def _not_in(settings: Settings, error: UnknownArticle) -> InvalidRequest:
    """The error of an id that is unknown, with the library that was searched for it."""
    home = settings.rag_home.resolve()
    return InvalidRequest(error.message, f"the library in {home} was searched; `rag articles` lists what it holds")


@rag.command("serve")
@click.option("--host", help="Address to listen on; anything but loopback needs RAG_API_KEY.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
def serve_command(host: str | None, port: int | None) -> int:
    """Serve the chat page and the HTTP API."""
    # Gradio takes seconds to import, which the other commands do not pay.
    from rag.http.server import serve

    settings = load_settings()
    serve(settings, host or settings.rag_host, settings.rag_port if port is None else port)
    return 0


@rag.group("eval", no_args_is_help=False)
def eval_command() -> None:
    """Measure retrieval and answers, and compare two runs."""


_PER_QUERY = click.option(
    "--per-query", type=click.Path(dir_okay=False, path_type=Path), help="Write every question's scores to this file."
)


@eval_command.command("retrieval")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_PER_QUERY
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def eval_retrieval_command(folder: Path, per_query: Path | None, as_json: bool) -> int:
    """Measure search on a set in BEIR's layout, in a throw-away library."""
    if per_query:
        outcomes.check_writable("--per-query", per_query)
    collection = read_collection(folder)
    with terminal.steps() as step:
        run = evaluate_retrieval(collection, load_settings(), step)
    terminal.print_set_aside(run)
    if run.refused:
        terminal.print_line(
            f"documents refused, which count as not found: {len(run.refused)}; the first: {run.refused[0]}"
        )
    if as_json:
        terminal.print_json(run.to_json())
    else:
        terminal.print_retrieval(run)
    _keep(per_query, run.outcomes)
    return 0


@eval_command.command("answers")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--mode", type=click.Choice(_MODES), default="quotes", help="Who writes: a model, or nobody (the default)."
)
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), help="Write report.md and .html there.")
@_PER_QUERY
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def eval_answers_command(file: Path, mode: Mode, report: Path | None, per_query: Path | None, as_json: bool) -> int:
    """Ask the questions of a file and measure the quotes shown."""
    if per_query:
        outcomes.check_writable("--per-query", per_query)
    cases = read_cases(file)
    if report:
        check_report("--report", report)
    settings = load_settings()
    with _engine(settings, needs_articles=True) as engine, terminal.steps() as step:
        run = evaluate_answers(cases, engine, mode, step)
    if run.strangers:
        terminal.print_line(f"rag: {run.strangers} ids in the questions' articles are not in the library")
    if as_json:
        terminal.print_json(run.to_json())
    else:
        terminal.print_answers_run(run)
    _keep(per_query, run.outcomes())
    if report:
        write_report("--report", report, run)
    return 0


def _keep(path: Path | None, found: Sequence[outcomes.Outcome]) -> None:
    if path:
        with outcomes.writing("--per-query", path):
            outcomes.write_outcomes(path, found)


@eval_command.command("compare")
@click.argument("before", metavar="FILE[:SETTING]")
@click.argument("after", metavar="FILE[:SETTING]")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def eval_compare_command(before: str, after: str, as_json: bool) -> int:
    """Say whether two runs differ by more than chance, from what --per-query wrote.

    SETTING is lexical, dense or hybrid (where nothing is said), or the mode of answers.
    """
    compared = outcomes.compare(outcomes.read_scores(before), outcomes.read_scores(after))
    if as_json:
        terminal.print_json({"measures": [{**to_json(one), "noise": one.noise} for one in compared]})
    else:
        terminal.print_comparisons(compared)
    return 0


@rag.group("feedback", no_args_is_help=False)
def feedback_command() -> None:
    """What readers thought of answers."""


@feedback_command.command("export")
@click.argument("file", default="-", metavar="[FILE]", type=click.Path(dir_okay=False, path_type=Path))
def feedback_export_command(file: Path) -> int:
    """Write it as questions for `rag eval answers`, to FILE or to stdout."""
    to_stdout = file == Path("-")
    if not to_stdout:
        outcomes.check_writable("FILE", file)
    with _engine(load_settings()) as engine:
        found = gradable(engine.feedback())
    if to_stdout:
        click.echo(found.lines(), nl=False)
    else:
        with outcomes.writing("FILE", file):
            file.write_text(found.lines(), encoding="utf-8")
    terminal.print_line(f"rag: {found.told()}")
    return 0


@rag.command("doctor")
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor_command(repair: bool, as_json: bool) -> int:
    """Check settings, models, library and vector index against each other."""
    with _engine(load_settings(tolerant=True)) as engine:
        diagnosis = engine.diagnose(repair=repair)
    if as_json:
        terminal.print_json({"sound": diagnosis.sound, **to_json(diagnosis)})
    else:
        terminal.print_diagnosis(diagnosis)
    return 0 if diagnosis.sound else 1


@contextmanager
def _engine(settings: Settings, *, needs_articles: bool = False) -> Iterator[Engine]:
    """The engine of one command; says so where an empty library is of no use to it, or was begun by it."""
    begun = not os.path.exists(settings.rag_home)  # noqa: PTH110  # Path.exists() fails where a folder is closed
    engine = connect(settings)
    try:
        yield engine
        if (needs_articles or begun) and not engine.count():
            terminal.print_empty_library(str(settings.rag_home.resolve()), begun=begun)
    finally:
        engine.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. Errors are one line on stderr; `--verbose` adds where they come from."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Accepted anywhere on the line: whoever adds it has just seen an error and pressed "up".
    verbose = "--verbose" in arguments
    arguments = [a for a in arguments if a != "--verbose"]
    terminal.set_up_logging(verbose=verbose)
    try:
        code = rag.main(arguments, prog_name="rag", standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "rag"
        terminal.print_line(f"rag: {error.format_message().rstrip('.')}: `{asked} --help` lists what there is")
        code = 2 if error.exit_code == 2 and "ingest" in arguments[:1] else 1
    except (KeyboardInterrupt, click.Abort):
        safe = ": what was taken in is safe; run the command again to go on" if "ingest" in arguments[:1] else ""
        terminal.print_line(f"rag: interrupted{safe}")
        code = 130
    except RagError as error:
        code = _failed(error, verbose)
    except OSError as error:
        code = _failed(
            LibraryError(f"{error.strerror or error} ({error.filename or 'no file'})", "check the disk"), verbose
        )
    except Exception as error:  # noqa: BLE001  # a traceback in front of a user is a bug
        code = _failed(
            RagError(f"unexpected {type(error).__name__}: {error}", "run it with --verbose and report it"), verbose
        )
    sys.exit(code if isinstance(code, int) else 0)


def _failed(error: RagError, verbose: bool) -> int:
    if verbose:
        logging.getLogger(__name__).error("traceback", exc_info=True)
    terminal.print_error(error)
    return 1


if __name__ == "__main__":
    main()
