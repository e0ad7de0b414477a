"""The command line as users have it: real processes, exit codes, one line for every error."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from rag.doctor import Doctor
from rag.engine import LocalEngine, ask
from rag.errors import EncoderError
from rag.models.reader import PACKAGED
from rag.records import Feedback, Message, Question
from rag.settings import Settings
from rag.storage.library import Library
from rag.wiring import connect
from tests.conftest import ROOT, SEEDS, Cli, Server, clean_environment, run_rag, start_server, stop_server


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def one_error(done: "subprocess.CompletedProcess[str]") -> str:
    assert "Traceback" not in done.stderr
    (line,) = [line for line in lines(done.stderr) if line.startswith("rag: ")]
    return line


def test_ingest_reports_and_a_second_time_changes_nothing(cli: Cli) -> None:
    first = cli("ingest", str(SEEDS), "--json")
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    assert report["added"] == len(list(SEEDS.glob("*.md")))
    assert report["failed"] == []
    assert report["passages"] >= report["added"]
    assert set(report) >= {"added", "updated", "unchanged", "duplicate", "failed", "passages", "seconds"}
    second = json.loads(cli("ingest", str(SEEDS), "--json").stdout)
    assert (second["unchanged"], second["added"], second["passages"]) == (report["added"], 0, 0)


def test_ask_answers_with_quotes_that_are_slices(seeded_copy: Path) -> None:
    done = run_rag(seeded_copy, "ask", "what did Iran demand in Muscat?", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert (answer["verdict"], answer["mode"], answer["degraded"]) == ("answered", "quotes", "no_model")
    assert "cease-fire in Gaza" in answer["claims"][0]["text"]
    assert not any("enrichment" in claim["text"] for claim in answer["claims"])
    for claim in answer["claims"]:
        for quote in claim["quotes"]:
            article = json.loads(run_rag(seeded_copy, "articles", "show", quote["article_id"], "--json").stdout)
            assert article["text"][quote["start"] : quote["end"]] == quote["text"]
    for source in answer["sources"]:
        assert source["published"] == "2024-03-15"


@pytest.mark.parametrize("question", ["Who is the chief executive of Apple?", "What did Iran demand in Geneva?"])
def test_ask_declines_what_the_articles_do_not_say(seeded: Path, tmp_path: Path, question: str) -> None:
    done = run_rag(seeded, "ask", question, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 3
    assert (answer["verdict"], answer["claims"], answer["sources"]) == ("no_evidence", [], [])
    assert 1 <= len(answer["closest"]) <= 3


def test_the_closest_passages_are_shown_with_their_dates(seeded: Path) -> None:
    question = "What did Iran demand in Geneva?"
    shown = run_rag(seeded, "ask", question).stdout
    for passage in json.loads(run_rag(seeded, "ask", question, "--json").stdout)["closest"]:
        article = json.loads(run_rag(seeded, "articles", "show", passage["article_id"], "--json").stdout)
        assert f"\n  {passage['title']} · {article['published'][:10]}\n" in shown


def test_filters_narrow_and_say_so(seeded: Path) -> None:
    question = "what did Iran demand?"
    later = json.loads(run_rag(seeded, "ask", question, "--since", "2026-01-01", "--json").stdout)
    assert all(source["published"] >= "2026-01-01" for source in later["sources"])
    assert [note["kind"] for note in later["notes"]] == ["filtered"]
    nobody = run_rag(seeded, "ask", question, "--publisher", "Nobody", "--json")
    assert nobody.returncode == 3
    assert {"kind": "filtered", "text": "No article in the library is by “Nobody”."}.items() <= (
        json.loads(nobody.stdout)["notes"][1].items()
    )
    everything = json.loads(run_rag(seeded, "ask", question, "--since", "2026-01-01", "--all-dates", "--json").stdout)
    assert any(source["published"] < "2026-01-01" for source in everything["sources"])


def test_search_ranks_passages(seeded: Path) -> None:
    done = run_rag(seeded, "search", "attacks on ships", "--top-k", "3", "--json")
    passages = json.loads(done.stdout)["passages"]
    assert len(passages) == 3
    assert [p["score"] for p in passages] == sorted((p["score"] for p in passages), reverse=True)
    assert set(passages[0]) >= {"article_id", "start", "end", "text", "score", "title", "published"}


def test_articles_are_listed_shown_and_removed(seeded_copy: Path) -> None:
    listed = json.loads(run_rag(seeded_copy, "articles", "--json").stdout)["articles"]
    id_ = listed[0]["id"]
    assert listed[0]["title"] in run_rag(seeded_copy, "articles", "show", id_).stdout
    assert run_rag(seeded_copy, "articles", "remove", id_).returncode == 0
    assert len(json.loads(run_rag(seeded_copy, "articles", "--json").stdout)["articles"]) == len(listed) - 1
    again = run_rag(seeded_copy, "articles", "remove", id_)
    assert again.returncode == 1
    assert id_ in one_error(again)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ask", "   "], 1, "empty"),
        (["ask", "x" * 20_000], 1, "20,000 characters"),
        (["ask", "q", "--since", "15 March"], 1, "'15 March' is not a date"),
        (["ask", "q", "--since", "2024-05-01", "--until", "2024-04-01"], 1, "swap"),
        (["search", ""], 1, "empty"),
        (["eval", "retrieval", "somewhere"], 1, "no folder somewhere"),
        (["eval", "answers", "nothing.jsonl"], 1, "no file nothing.jsonl"),
        (["eval", "compare", "a.jsonl", "b.jsonl:dense"], 1, "no file a.jsonl"),
        (["eval", "answers", "q.jsonl", "--per-query", "nowhere/x.jsonl"], 1, "nowhere/x.jsonl cannot be written"),
        (["eval", "answers", "."], 1, ". is a folder"),
        (["feedback", "export", "."], 1, "is a directory"),
        (["feedback", "export", "nowhere/x.jsonl"], 1, "nowhere/x.jsonl cannot be written"),
        (["nonsense"], 1, "'nonsense': `rag --help` lists"),
        (["ask"], 1, "QUESTION': `rag ask --help` lists"),
        (["ask", "q", "--nonsense"], 1, "--nonsense': `rag ask --help` lists"),
        (["articles", "show"], 1, "`rag articles show --help` lists"),
        (["ingest"], 2, "SOURCE...': `rag ingest --help` lists"),
        (["articles", "show", "nope"], 1, "/home was searched; `rag articles` lists what it holds"),
        (["articles", "remove", "nope"], 1, "/home was searched; `rag articles` lists what it holds"),
        (["serve", "--host", "0.0.0.0"], 1, "RAG_API_KEY"),
    ],
)
def test_bad_input_gets_one_line(cli: Cli, arguments: list[str], code: int, says: str) -> None:
    done = cli(*arguments)
    assert done.returncode == code
    assert says in one_error(done)
    assert done.stdout == ""


def test_without_a_command_there_is_help(cli: Cli) -> None:
    done = cli()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == cli("--help").stdout
    assert "ingest" in done.stdout


def test_doctor_names_what_is_wrong_in_dot_env(seeded_copy: Path) -> None:
    dot_env = seeded_copy.parent / ".env"
    dot_env.write_text('this is not a setting\nRAG_HOMEE=/tmp/x\nRAG_DEADLINE_S="30\n')
    done = run_rag(seeded_copy, "doctor", "--json", SLACK_OF_MINE="1")
    assert done.returncode == 1
    settings, *others = json.loads(done.stdout)["checks"]
    assert (settings["name"], settings["ok"]) == ("settings", False)
    assert all(check["ok"] for check in others)
    for said in (
        ".env line 1 cannot be read",
        ".env line 2: RAG_HOMEE is no setting (did you mean RAG_HOME?)",
        ".env line 3 cannot be read (the quotes around RAG_DEADLINE_S are not closed)",
        f"RAG_HOME is {seeded_copy}",
        "SLACK_OF_MINE in the environment",
    ):
        assert said in settings["message"]
    assert ".env line 1" in one_error(done)
    asked = run_rag(seeded_copy, "articles", "--json")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert ".env line 1 cannot be read" in one_error(asked)
    dot_env.write_text("RAG_HOMEE=/tmp/x\n")
    listed = run_rag(seeded_copy, "articles", "--json")
    assert (listed.returncode, len(lines(listed.stderr))) == (0, 1)
    assert one_error(listed).startswith("rag: .env line 1: RAG_HOMEE is no setting")
    assert json.loads(listed.stdout)["articles"]
    dot_env.unlink()
    foreign = json.loads(run_rag(seeded_copy, "doctor", "--json", RAG_OF_MINE="1").stdout)
    assert foreign["sound"]
    assert "RAG_OF_MINE in the environment" in foreign["checks"][0]["message"]


def test_a_command_that_begins_a_library_says_so_once(tmp_path: Path) -> None:
    home = tmp_path / "data"
    begun = run_rag(home, "articles", "--json")
    assert (begun.returncode, json.loads(begun.stdout)["articles"]) == (0, [])
    assert one_error(begun).startswith(f"rag: there was no library in {home}, an empty one was begun")
    again = run_rag(home, "articles", "--json")
    assert (again.returncode, again.stderr) == (0, "")


def test_a_failure_is_told_with_its_place_once(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "dump.jsonl").write_text('{"text": "The harbor reopened."}\n{x\n{"text": "a", "id": [1]}\n')
    (tmp_path / "empty.txt").touch()
    sources = [str(tmp_path / name) for name in ("dump.jsonl", "empty.txt", "none.txt")]
    done = cli("ingest", *sources)
    failed = [line for line in lines(done.stderr) if line.startswith("failed: ")]
    assert [line.count(str(tmp_path)) for line in failed] == [1] * 4
    assert failed[0] == f"failed: {tmp_path}/dump.jsonl:2 is no JSON: write one JSON object a line"
    assert failed[1].startswith(f"failed: {tmp_path}/dump.jsonl:3: 'id' is ")
    assert failed[2].startswith(f"failed: {tmp_path}/empty.txt: it is empty")


def test_one_bad_file_never_stops_the_rest(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a-empty.txt").write_bytes(b"")
    (folder / "b-binary.txt").write_bytes(bytes(range(256)) * 40)
    (folder / "c-good.txt").write_text("Harbor reopens\n\nThe harbor of Aden reopened on Monday, officials said.\n")
    (folder / "d-broken.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<")
    (folder / "e-huge.txt").write_bytes(b"word " * 11_000_000)
    done = cli("ingest", str(folder), "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["added"] == 1
    reasons = {Path(failure["source"]).name: failure["reason"] for failure in report["failed"]}
    assert sorted(reasons) == ["a-empty.txt", "b-binary.txt", "d-broken.pdf", "e-huge.txt"]
    assert "RAG_MAX_ARTICLE_MB" in reasons["e-huge.txt"]
    assert "Traceback" not in done.stderr


def test_a_bad_line_costs_nothing_but_itself(cli: Cli, tmp_path: Path) -> None:
    lines = [json.dumps({"id": f"a{n}", "text": f"Report number {n} of the day."}) for n in range(5)]
    lines[2] = '{"id": "bad\\ud800", "text": "Half a character."}'
    (tmp_path / "dump.jsonl").write_text("\n".join(lines))
    done = cli("ingest", str(tmp_path / "dump.jsonl"), "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["added"], len(report["failed"])) == (1, 4, 1)
    assert report["failed"][0]["source"].endswith("dump.jsonl:3")


def test_an_empty_library_says_so(cli: Cli) -> None:
    done = cli("ask", "anything at all?")
    assert done.returncode == 3
    assert "is empty" in done.stderr


@pytest.mark.parametrize("source", ["", "/nowhere/at/all.txt", "http://127.0.0.1:9/x", "ftp://example.org/a"])
def test_nothing_usable_exits_2(cli: Cli, source: str) -> None:
    done = cli("ingest", source)
    assert done.returncode == 2
    assert "failed" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_empty_folder_exits_2(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert cli("ingest", str(tmp_path / "empty")).returncode == 2


def test_a_library_of_a_newer_version_is_refused(seeded_copy: Path) -> None:
    connection = sqlite3.connect(seeded_copy / "library.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    done = run_rag(seeded_copy, "ask", "anything")
    assert done.returncode == 1
    assert "newer version" in one_error(done)


def test_doctor_finds_and_mends(seeded_copy: Path) -> None:
    assert run_rag(seeded_copy, "doctor").returncode == 0
    for path in (seeded_copy / "chroma").rglob("chroma.sqlite3"):
        path.write_bytes(b"\0" * 4096)
    sick = run_rag(seeded_copy, "doctor", "--json")
    assert sick.returncode == 1
    assert [check["name"] for check in json.loads(sick.stdout)["checks"] if not check["ok"]] == ["vector index"]
    assert run_rag(seeded_copy, "doctor", "--repair").returncode == 0
    assert run_rag(seeded_copy, "doctor").returncode == 0
    answer = json.loads(run_rag(seeded_copy, "ask", "what did Iran demand in Muscat?", "--json").stdout)
    assert answer["verdict"] == "answered"


def test_doctor_names_a_reranker_that_cannot_be_read(seeded_copy: Path, tmp_path: Path) -> None:
    done = run_rag(seeded_copy, "doctor", "--json", RAG_RERANKER_DIR=str(tmp_path / "nothing"))
    assert done.returncode == 1
    (bad,) = [check for check in json.loads(done.stdout)["checks"] if not check["ok"]]
    assert bad["name"] == "reranker"
    assert "RAG_RERANKER_DIR" in bad["message"]


@pytest.mark.parametrize("name", ["reader.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-1])])
def test_doctor_names_a_reader_that_is_not_the_released_one(
    seeded_copy: Path, tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    def nothing() -> NoReturn:
        raise EncoderError("not part of this test")

    weights = Path(shutil.copytree(PACKAGED, tmp_path / "weights"))
    library = Library(seeded_copy / "library.sqlite3")
    doctor = Doctor(Settings(), library, nothing, nothing, None, weights)
    assert {check.name: check.ok for check in doctor.examine(repair=False).checks}["reader"]
    damage(weights / name)
    (check,) = [check for check in doctor.examine(repair=False).checks if check.name == "reader"]
    library.close()
    assert not check.ok
    assert str(weights / name) in check.message
    assert check.message.endswith("install Dateline again")


def test_missing_weights_are_one_line(seeded: Path, tmp_path: Path) -> None:
    done = run_rag(seeded, "ask", "anything at all?", RAG_ENCODER_DIR=str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert "RAG_ENCODER_DIR" in one_error(done)


def dump(path: Path, articles: int) -> Path:
    with path.open("w") as file:
        for n in range(articles):
            text = f"Report {n}. " + " ".join(f"Ship {n}-{k} left the harbor of Aden at dawn." for k in range(30))
            file.write(json.dumps({"id": f"a{n:04}", "title": f"Report {n}", "text": text}) + "\n")
    return path


def start_ingest(home: Path, source: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "rag", "ingest", str(source)],
        env=clean_environment(RAG_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home.parent,
    )


def stored_articles(home: Path) -> int:
    if not (home / "library.sqlite3").exists():
        return 0
    connection = sqlite3.connect(home / "library.sqlite3")
    try:
        return int(connection.execute("SELECT count(*) FROM articles").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_ingest_goes_on_where_it_was(home: Path, tmp_path: Path, how: signal.Signals) -> None:
    source = dump(tmp_path / "dump.jsonl", 400)
    process = start_ingest(home, source)
    give_up = time.monotonic() + 60
    while stored_articles(home) < 48 and time.monotonic() < give_up:
        time.sleep(0.02)
    os.kill(process.pid, how)
    _, said = process.communicate(timeout=60)
    kept = stored_articles(home)
    assert 48 <= kept < 400, said
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "interrupted" in said
    assert "Traceback" not in said
    done = run_rag(home, "ingest", str(source), "--json")
    report = json.loads(done.stdout)
    assert (report["unchanged"], report["added"], report["failed"]) == (kept, 400 - kept, [])
    doctor = run_rag(home, "doctor")
    assert doctor.returncode == 0, doctor.stdout
    listed = json.loads(run_rag(home, "articles", "--json").stdout)["articles"]
    assert len(listed) == len({article["id"] for article in listed}) == 400


def test_beside_a_server_commands_go_through_it(seeded_copy: Path, tmp_path: Path) -> None:
    server = start_server(seeded_copy)
    try:
        answer = json.loads(run_rag(seeded_copy, "ask", "what did Iran demand in Muscat?", "--json").stdout)
        assert "cease-fire" in answer["claims"][0]["text"]
        assert json.loads(run_rag(seeded_copy, "search", "ships", "--json").stdout)["passages"]
        again = json.loads(run_rag(seeded_copy, "ingest", str(SEEDS), "--json").stdout)
        assert again["unchanged"] == len(list(SEEDS.glob("*.md")))
        note = tmp_path / "note.md"
        note.write_text("---\ntitle: A note\npublished: 2024-05-01\n---\n\nThe lighthouse of Kiel was painted red.\n")
        assert json.loads(run_rag(seeded_copy, "ingest", str(note), "--json").stdout)["added"] == 1
        listed = json.loads(run_rag(seeded_copy, "articles", "--json").stdout)["articles"]
        (id_,) = [article["id"] for article in listed if article["title"] == "A note"]
        shown = json.loads(run_rag(seeded_copy, "articles", "show", id_, "--json").stdout)
        assert (shown["published"], shown["published_from"]) == ("2024-05-01", "front matter")
        assert run_rag(seeded_copy, "articles", "remove", id_).returncode == 0
        assert run_rag(seeded_copy, "articles", "remove", id_).returncode == 1
        assert run_rag(seeded_copy, "doctor").returncode == 0
        second = run_rag(seeded_copy, "serve", "--port", "0")
        assert second.returncode == 1
        assert str(server.process.pid) in one_error(second)
    finally:
        stop_server(server)
    after = json.loads(run_rag(seeded_copy, "ingest", str(SEEDS), "--json").stdout)
    assert after["unchanged"] == len(list(SEEDS.glob("*.md")))


def test_a_library_held_by_another_command_names_its_process(home: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from rag.storage.lock import LibraryLock;"
            "hold = LibraryLock(Path(sys.argv[1])); hold.take(); print('held', flush=True); time.sleep(60)",
            str(home),
        ],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = run_rag(home, "search", "ships")
        assert done.returncode == 1
        assert str(holder.pid) in one_error(done)
    finally:
        holder.kill()
        holder.communicate()


def test_eval_retrieval_prints_json_and_nothing_else(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "per-query.jsonl"
    harbour = str(ROOT / "tests" / "evaluation" / "harbour")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = run_rag(home, "eval", "retrieval", harbour, "--json", "--per-query", str(kept), TMPDIR=str(temporary))
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert list(figures) == ["lexical", "dense", "hybrid", "queries", "documents", "passages", "seconds"]
    assert len(kept.read_text().splitlines()) == figures["queries"]
    assert not list(temporary.glob("dateline-eval-*"))
    assert not (home / "library.sqlite3").exists()  # the reader's own library is not touched
    compared = run_rag(home, "eval", "compare", f"{kept}:lexical", str(kept))
    assert compared.returncode == 0
    assert "nDCG@10" in compared.stdout
    assert "noise" in compared.stdout


def test_eval_answers_goes_through_a_server_and_writes_a_report(seed_server: Server, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    rows = [
        {"question": "what did Iran demand in Muscat?", "answers": ["ceasefire in Gaza"]},
        {"question": "Who is the chief executive of Apple?", "answers": None},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    done = run_rag(seed_server.home, "eval", "answers", str(file), "--json", "--report", str(tmp_path / "report"))
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["questions"], figures["answerable"], figures["exact_quotes"]) == (2, 1, 1)
    assert (figures["first_quote"], figures["declined_unanswerable"], figures["declined_answerable"]) == (1, 1, 0)
    assert (tmp_path / "report" / "report.html").read_text().startswith("<!doctype html>")


@pytest.fixture
def opinionated(seeded_copy: Path) -> Path:
    """A RAG_HOME with what readers thought of some answers."""
    engine = connect(Settings(rag_home=seeded_copy))
    assert isinstance(engine, LocalEngine)
    muscat = ask(engine, Question("what did Iran demand in Muscat?", mode="quotes"))
    asked = (Message("user", muscat.question), Message("assistant", muscat.text))
    more = ask(engine, Question("What did Washington demand there?", history=asked, mode="quotes"))
    apple = ask(engine, Question("Who is the chief executive of Apple?", mode="quotes"))
    for opinion in (
        Feedback("", muscat, (), good=True, comment="Just so, “Muscat” it was."),
        Feedback("", replace(muscat, id="2"), (), good=False, expected=" no such words "),
        Feedback("", more, asked, good=True, settings={"mode": "quotes", "since": ""}),
        Feedback("", apple, (), good=True),
        Feedback("", replace(apple, id="3"), (), good=False, comment="But I know who it is."),
        Feedback("", replace(apple, id="4"), (), good=True, settings={"publishers": "AP"}, face="slack"),
    ):
        engine.opinions.give(opinion, "reader")
    engine.close()
    return seeded_copy


def test_feedback_becomes_questions_of_an_answers_run(opinionated: Path, tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    file.write_text("an older export\n")
    done = run_rag(opinionated, "feedback", "export", str(file))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert one_error(done) == (
        "rag: 4 of 6 opinions make a question; left out: 1 without the words of a right answer, 1 asked with filters"
    )
    first, second, third, fourth = map(json.loads, file.read_text().splitlines())
    assert any("cease-fire in Gaza" in answer for answer in first["answers"])
    assert (first["good"], first["comment"]) == (True, "Just so, “Muscat” it was.")
    assert (second["question"], second["answers"], second["good"]) == (first["question"], ["no such words"], False)
    assert third["history"][0] == {"role": "user", "content": first["question"]}
    assert third["settings"] == {"mode": "quotes", "since": ""}
    assert fourth["answers"] is None
    measured = run_rag(opinionated, "eval", "answers", str(file), "--json")
    assert measured.returncode == 0, measured.stderr
    figures = json.loads(measured.stdout)
    assert (figures["questions"], figures["answerable"]) == (4, 3)
    assert figures["first_quote"] == round(2 / 3, 4)  # all but the one that was found wrong
    assert (figures["declined_unanswerable"], figures["exact_quotes"]) == (1, 1)


def test_feedback_comes_from_a_running_server_too(opinionated: Path) -> None:
    alone = run_rag(opinionated, "feedback", "export")
    server = start_server(opinionated)
    try:
        beside = run_rag(opinionated, "feedback", "export", "-")
    finally:
        stop_server(server)
    assert len(alone.stdout.splitlines()) == 4
    assert (beside.returncode, beside.stdout, beside.stderr) == (0, alone.stdout, alone.stderr)


def test_without_feedback_there_is_nothing_to_export(cli: Cli) -> None:
    done = cli("feedback", "export")
    assert (done.returncode, done.stdout) == (0, "")
    assert one_error(done) == "rag: no reader has given feedback yet"


def test_an_interrupted_evaluation_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    folder, temporary = tmp_path / "set", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    rows = (json.loads(line) for line in dump(tmp_path / "dump.jsonl", 400).read_text().splitlines())
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"_id": r["id"], **r}) + "\n" for r in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "ships at dawn"}\n')
    (folder / "qrels.tsv").write_text("q\ta0001\t1\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "eval", "retrieval", str(folder), "--json"],
        env=clean_environment(RAG_HOME=str(home), TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home.parent,
    )
    give_up = time.monotonic() + 60
    while not any(map(stored_articles, temporary.glob("dateline-eval-*"))) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert list(temporary.glob("dateline-eval-*"))
    os.kill(process.pid, signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    assert "interrupted" in said
    assert "Traceback" not in said
    assert not list(temporary.glob("dateline-eval-*"))


@pytest.mark.parametrize("line", [["-m", "rag"], [str(Path(sys.executable).with_name("rag"))]])
@pytest.mark.parametrize("imported", ["rag.__main__", "click", "numpy", "pydantic", "rag.engine"])
def test_ctrl_c_while_the_program_loads_is_one_line(home: Path, line: list[str], imported: str) -> None:
    # What is imported is told on stderr, which says where the program is.
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", *line, "articles"],
        env=clean_environment(RAG_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # Run with -m the entry is no import: the first one after it stands for it.
    first = "rag" if imported == "rag.__main__" else imported
    for told in process.stderr:
        if told.rpartition("|")[2].strip() == first:
            break
    if first == "rag":
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    assert "Traceback" not in said
    # What -X importtime says, of which the interrupt may cut a line in two.
    told = re.compile(r"import time:.*|[\s\d|]*[\w.]*")
    assert [line for line in said.splitlines() if not told.fullmatch(line)] == ["rag: interrupted"]


def test_an_evaluation_prints_its_figures_before_it_keeps_them(seed_server: Server, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "what did Iran demand in \\ud800 Muscat?", "answers": ["ceasefire in Gaza"]}\n')
    asked = ["eval", "answers", str(file), "--json"]
    kept = run_rag(seed_server.home, *asked, "--per-query", str(tmp_path / "kept.jsonl"))
    assert kept.returncode == 0, kept.stderr
    assert "\\ud800" in (tmp_path / "kept.jsonl").read_text()
    early = run_rag(seed_server.home, *asked, "--report", str(file))
    assert (early.returncode, early.stdout) == (1, "")
    assert "--report" in one_error(early)
    full = run_rag(seed_server.home, *asked, "--per-query", "/dev/full")  # opens, and holds nothing
    assert full.returncode == 1
    assert json.loads(full.stdout)["questions"] == 1
    assert "--per-query" in one_error(full)


def test_onnx_runtime_collects_nothing(seeded_copy: Path, tmp_path: Path) -> None:
    places = {name: tmp_path / name.lower() for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    for place in places.values():
        place.mkdir(exist_ok=True)
    settings = {**{name: str(place) for name, place in places.items()}, "ORT_DISABLE_TELEMETRY": "0"}
    done = run_rag(seeded_copy, "ask", "what did Iran demand in Muscat?", **settings)
    assert done.returncode == 0, done.stderr
    assert [path for place in places.values() for path in place.rglob("*")] == []


def test_a_port_in_use_is_named(seeded_copy: Path, home: Path) -> None:
    server = start_server(seeded_copy)
    try:
        port = server.url.rpartition(":")[2]
        done = run_rag(home, "serve", "--port", port)
        assert done.returncode == 1
        assert "in use" in one_error(done)
    finally:
        stop_server(server)


@pytest.mark.parametrize("ignored", [False, True])
def test_an_interrupted_server_says_that_it_stopped(seeded_copy: Path, tmp_path: Path, ignored: bool) -> None:
    # In the background of a script Ctrl-C is ignored, which the server is not told otherwise.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if ignored else None
    with (tmp_path / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "rag", "serve", "--port", "0"],
            env=clean_environment(RAG_HOME=str(seeded_copy)),
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
        )
    if before is not None:
        signal.signal(signal.SIGINT, before)
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and not server_is_up((tmp_path / "said.txt").read_text()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert lines((tmp_path / "said.txt").read_text())[-1] == "stopped"


def server_is_up(said: str) -> bool:
    address = re.search(r"http://\S+:\d+", said)
    try:
        return address is not None and httpx.get(f"{address.group()}/healthz", trust_env=False).is_success
    except httpx.HTTPError:
        return False
