import json
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag.engine import LocalEngine, ask
from rag.errors import InvalidRequest, LibraryError, UnknownArticle, UnknownConversation
from rag.records import (
    Answer,
    Claim,
    Closest,
    Document,
    Excerpt,
    Filters,
    Note,
    Question,
    Quote,
    Source,
    StoredExchange,
    StoreResult,
    Timings,
)
from rag.settings import Settings
from rag.storage.conversations import Conversations
from rag.storage.database import Database
from rag.wiring import connect
from tests.models.test_remote_encoder import Endpoint, Reply, vectors_of_lengths

ANSWER = Answer(
    id="a1",
    question="Did it rain?",
    asked_as="Did it rain in Bergen?",
    verdict="answered",
    mode="written",
    degraded="timeout",
    text="It did. [1]",
    claims=(Claim("It did.", (Quote(1, "b", 0, 4, "Rain"), Quote(1, "b", 5, 9, "fell")), ("not found: 7 mm",)),),
    sources=(Source(1, "b", 2, "Rain", "AP", "2024-05-01", None, Excerpt(0, 9, "Rain fell"), ("https://x.example",)),),
    notes=(Note("stale", "Old.", (1,)),),
    closest=(Closest("b", "Rain", 0, 4, "Rain"),),
    as_of="2024-05-01",
    model="m",
    timings_ms=Timings(1, 2, 3),
    confidence=0.25,
)
FILTERS = Filters(date(2024, 1, 1), date(2024, 12, 31), ("AP", "Le “Monde”"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite3"


@pytest.fixture
def conversations(path: Path) -> Conversations:
    return Conversations(Database(path))


def change(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement, values)
    connection.close()


def test_what_was_asked_comes_back_as_it_was(conversations: Conversations, path: Path) -> None:
    begun = conversations.begin("me", "Rain", FILTERS)
    told = [
        StoredExchange("k1", "Did it rain?", ANSWER, filters=FILTERS),
        StoredExchange("k2", "And in Oslo?", None, "The server could not be reached."),
        StoredExchange("k3", "Stopped?"),
    ]
    for asked in told:
        conversations.keep(begun.id, "me", asked)
    again = Conversations(Database(path))
    assert again.asked(begun.id, "me") == told
    assert again.asked(begun.id, "me", last=2) == told[1:]
    assert again.asked(begun.id, "me", last=0) == []
    found = again.find(begun.id, "me")
    assert (found.id, found.title, found.filters, found.shared) == (begun.id, "Rain", FILTERS, False)
    assert found.updated > begun.updated


def test_a_key_that_is_there_keeps_its_place(conversations: Conversations) -> None:
    id_ = conversations.begin("me", "Rain").id
    for key in "abc":
        conversations.keep(id_, "me", StoredExchange(key, f"Question {key}"))
    conversations.keep(id_, "me", StoredExchange("b", "Question b again", ANSWER))
    assert [asked.question for asked in conversations.asked(id_, "me")] == [
        *("Question a", "Question b again", "Question c")
    ]
    conversations.drop(id_, "me", "b")
    conversations.drop(id_, "me", "never there")
    conversations.keep(id_, "me", StoredExchange("b", "Question b, edited"))
    assert [asked.key for asked in conversations.asked(id_, "me")] == ["a", "c", "b"]


def test_the_last_one_asked_in_comes_first(conversations: Conversations) -> None:
    first, second, third = (conversations.begin("me", title).id for title in ("one", "two", "three"))
    assert [one.id for one in conversations.mine("me")] == [third, second, first]
    conversations.keep(first, "me", StoredExchange("k", "Why?"))
    conversations.rename(second, "me", "renamed, which is no reason to come first")
    assert [one.id for one in conversations.mine("me")] == [first, third, second]
    assert [one.id for one in conversations.mine("me", limit=2)] == [first, third]


def test_it_is_renamed_narrowed_and_deleted(conversations: Conversations, path: Path) -> None:
    id_ = conversations.begin("me", "Rain").id
    conversations.keep(id_, "me", StoredExchange("k", "Why?", ANSWER))
    conversations.rename(id_, "me", "  Rain\nand snow ")
    conversations.narrow(id_, "me", FILTERS)
    found = conversations.find(id_, "me")
    assert (found.title, found.filters) == ("Rain and snow", FILTERS)
    with pytest.raises(InvalidRequest, match="title is empty"):
        conversations.rename(id_, "me", " \n")
    conversations.delete(id_, "me")
    assert conversations.mine("me") == []
    with pytest.raises(UnknownConversation):
        conversations.asked(id_, "me")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM exchanges").fetchone()[0] == 0
    connection.close()


WRITES: dict[str, Callable[[Conversations, str, str], object]] = {
    "keep": lambda all_, id_, owner: all_.keep(id_, owner, StoredExchange("k", "Mine now?")),
    "drop": lambda all_, id_, owner: all_.drop(id_, owner, "k"),
    "rename": lambda all_, id_, owner: all_.rename(id_, owner, "Mine"),
    "share": lambda all_, id_, owner: all_.share(id_, owner, True),
    "narrow": lambda all_, id_, owner: all_.narrow(id_, owner, Filters(publishers=("Mine",))),
    "delete": lambda all_, id_, owner: all_.delete(id_, owner),
}
READS: dict[str, Callable[[Conversations, str, str], object]] = {
    "find": lambda all_, id_, owner: all_.find(id_, owner),
    "asked": lambda all_, id_, owner: all_.asked(id_, owner),
    "copy": lambda all_, id_, owner: all_.copy(id_, owner),
}


@pytest.mark.parametrize("owner", ["you", "", "ME", "me "])
@pytest.mark.parametrize("shared", [False, True])
def test_others_change_nothing_and_see_what_is_shared(conversations: Conversations, owner: str, shared: bool) -> None:
    id_ = conversations.begin("me", "Rain", FILTERS).id
    conversations.keep(id_, "me", StoredExchange("k", "Did it rain?", ANSWER))
    conversations.share(id_, "me", shared)
    before = conversations.find(id_, "me")
    assert conversations.mine(owner) == []
    assert not conversations.owned(id_, owner)
    assert conversations.owned(id_, "me")
    for write in WRITES.values():
        with pytest.raises(UnknownConversation):
            write(conversations, id_, owner)
    assert conversations.find(id_, "me") == before
    assert conversations.asked(id_, "me") == [StoredExchange("k", "Did it rain?", ANSWER)]
    if shared:
        assert conversations.find(id_, owner) == before
        assert conversations.asked(id_, owner) == [StoredExchange("k", "Did it rain?", ANSWER)]
        conversations.share(id_, "me", False)
    for read in READS.values():
        with pytest.raises(UnknownConversation):
            read(conversations, id_, owner)


@pytest.mark.parametrize("id_", ["", "nope", "\ud800", "a\0b", "x' OR '1'='1", "%"])
def test_an_id_that_never_was_is_unknown(conversations: Conversations, id_: str) -> None:
    conversations.begin("me", "Rain")
    assert not conversations.owned(id_, "me")
    for call in (*WRITES.values(), *READS.values()):
        with pytest.raises(UnknownConversation):
            call(conversations, id_, "me")


def test_going_on_in_somebody_elses_makes_a_copy(conversations: Conversations) -> None:
    original = conversations.begin("me", "Rain", FILTERS).id
    conversations.keep(original, "me", StoredExchange("k1", "Did it rain?", ANSWER))
    conversations.share(original, "me", True)
    copy = conversations.copy(original, "you")
    conversations.keep(copy.id, "you", StoredExchange("k2", "And in Oslo?"))
    assert (copy.title, copy.filters, copy.shared) == ("Rain", FILTERS, False)
    assert [one.id for one in conversations.mine("you")] == [copy.id]
    assert [asked.key for asked in conversations.asked(copy.id, "you")] == ["k1", "k2"]
    assert [asked.key for asked in conversations.asked(original, "me")] == ["k1"]
    conversations.delete(original, "me")
    assert conversations.asked(copy.id, "you")[0].answer == ANSWER


def test_who_has_no_name_owns_nothing(conversations: Conversations) -> None:
    shared = conversations.begin("me", "Rain").id
    conversations.share(shared, "me", True)
    with pytest.raises(InvalidRequest, match="cookies"):
        conversations.begin("", "Rain")
    with pytest.raises(InvalidRequest, match="cookies"):
        conversations.copy(shared, "")


def test_the_file_holds_no_session(conversations: Conversations, path: Path) -> None:
    secret = "s3cr3t-that-is-in-the-cookie"
    conversations.keep(conversations.begin(secret, "Rain").id, secret, StoredExchange("k", "Why?", ANSWER))
    files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
    assert any(b"Did it rain in Bergen?" in file.read_bytes() for file in files)
    assert not any(secret.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize("text", ["half \ud800 a character", "a \0 in it", "\u202e backwards", '"quoted" \\ \n <b>'])
def test_any_text_can_be_kept(conversations: Conversations, text: str) -> None:
    stored = text.replace("\ud800", "?")  # which is also how it was searched
    begun = conversations.begin("me\ud800", text, Filters(publishers=(text,)))
    answer = replace(ANSWER, question=text, text=text, claims=(Claim(text, ANSWER.claims[0].quotes),))
    conversations.keep(begun.id, "me\ud800", StoredExchange(text, text, answer, text))
    conversations.rename(begun.id, "me\ud800", text)
    (found,) = conversations.mine("me\ud800")
    assert (found.title, found.filters.publishers) == (" ".join(stored.split()), (stored,))
    (asked,) = conversations.asked(begun.id, "me\ud800")
    assert (asked.key, asked.question, asked.problem) == (stored, stored, stored)
    assert asked.answer is not None
    assert (asked.answer.text, asked.answer.claims[0].text) == (stored, stored)
    conversations.drop(begun.id, "me\ud800", text)
    assert conversations.asked(begun.id, "me\ud800") == []


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("  Rain \n in\tBergen ", "Rain in Bergen"),
        (" \n", "New conversation"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("word " * 40, "word " * 14 + "word …"),
        ("Why? " + "x" * 100, "Why? " + "x" * 74 + "…"),
    ],
)
def test_a_title_is_one_short_line(conversations: Conversations, title: str, kept: str) -> None:
    assert conversations.begin("me", title).title == kept
    assert len(kept) <= 80


def test_an_answer_of_an_older_or_newer_version_is_read(conversations: Conversations, path: Path) -> None:
    id_ = conversations.begin("me", "Rain").id
    conversations.keep(id_, "me", StoredExchange("k", "Did it rain?", ANSWER))
    stored = asdict(ANSWER) | {"moods": ["new"]}
    for name in ("confidence", "timings_ms", "as_of", "model", "closest"):
        del stored[name]
    del stored["sources"][0]["copies"]
    change(path, "UPDATE exchanges SET answer = ?", json.dumps(stored))
    (asked,) = conversations.asked(id_, "me")
    source = replace(ANSWER.sources[0], copies=())
    assert asked.answer == replace(
        ANSWER, confidence=None, timings_ms=Timings(), as_of=None, model=None, closest=(), sources=(source,)
    )


@pytest.mark.parametrize("damage", ["{", "", "null", "[]", '{"id": "a"}', "[" * 100_000, b"\xff\xfe", 7])
def test_a_damaged_answer_costs_nothing_but_itself(conversations: Conversations, path: Path, damage: object) -> None:
    id_ = conversations.begin("me", "Rain", FILTERS).id
    for key in ("k1", "k2"):
        conversations.keep(id_, "me", StoredExchange(key, "Did it rain?", ANSWER))
    change(path, "UPDATE exchanges SET answer = CAST(? AS TEXT) WHERE key = 'k1'", damage)
    change(path, "UPDATE conversations SET filters = CAST(? AS TEXT)", damage)
    first, second = conversations.asked(id_, "me")
    assert (first.question, first.answer) == ("Did it rain?", None)
    assert first.problem and first.problem.endswith("can no longer be read.")
    assert second == StoredExchange("k2", "Did it rain?", ANSWER)
    assert conversations.mine("me")[0].title == "Rain"


def test_two_threads_lose_nothing_of_each_other(conversations: Conversations) -> None:
    id_ = conversations.begin("me", "Rain").id
    start = threading.Barrier(2)

    def keep(name: str) -> None:
        start.wait()
        for number in range(20):
            conversations.keep(id_, "me", StoredExchange(f"{name}{number}", name, ANSWER))

    threads = [threading.Thread(target=keep, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = conversations.asked(id_, "me")
    assert len(asked) == 40
    assert all(one.answer == ANSWER for one in asked)
    for name in "ab":
        assert [one.key for one in asked if one.question == name] == [f"{name}{number}" for number in range(20)]


def test_a_library_that_is_closed_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.sqlite3")
    conversations = Conversations(database)
    id_ = conversations.begin("me", "Rain").id
    database.close()
    with pytest.raises(LibraryError, match="being closed"):
        conversations.keep(id_, "me", StoredExchange("k", "Why?"))


def test_a_kept_answer_leads_to_the_version_that_it_quotes(settings: Settings) -> None:
    engine = connect(settings)
    assert isinstance(engine, LocalEngine)
    draft = Document("The lighthouse of Kiel was painted red in May.", "Lighthouse", "file:///kiel")
    (stored,) = engine.store([draft])
    answer = ask(engine, Question("When was the lighthouse of Kiel painted?", mode="quotes"))
    id_ = engine.conversations.begin("me", answer.question).id
    engine.conversations.keep(id_, "me", StoredExchange("k", answer.question, answer))
    assert (
        engine.store([replace(draft, text="In June the lighthouse of Kiel was painted white.")])[0].status == "updated"
    )
    (asked,) = engine.conversations.asked(id_, "me")
    assert asked.answer == answer
    (source,) = asked.answer.sources
    quote = asked.answer.claims[0].quotes[0]
    assert (source.article_id, source.version) == (stored.id, 1)
    article = engine.article(source.article_id, source.version)
    assert article.text[quote.start : quote.end] == quote.text == draft.text
    assert engine.article(source.article_id).version == 2
    engine.remove(source.article_id)
    with pytest.raises(UnknownArticle):
        engine.article(source.article_id, source.version)
    assert engine.conversations.asked(id_, "me") == [asked]
    engine.close()


def test_a_conversation_is_kept_while_articles_are_embedded(home: Path) -> None:
    endpoint, asked, go_on = Endpoint(), threading.Event(), threading.Event()

    def slow(body: dict[str, Any]) -> Reply:
        asked.set()
        go_on.wait(30)
        return vectors_of_lengths(body)

    endpoint.reply = slow
    threading.Thread(target=endpoint.server.serve_forever, daemon=True).start()
    engine = connect(Settings(rag_home=home, rag_encoder="openai", openai_base_url=endpoint.url, openai_api_key="sk"))
    assert isinstance(engine, LocalEngine)
    stored: list[StoreResult] = []
    ingest = threading.Thread(target=lambda: stored.extend(engine.store([Document("Rain fell.", "Rain", "file:///r")])))
    ingest.start()
    assert asked.wait(30)
    id_ = engine.conversations.begin("me", "Rain").id
    engine.conversations.keep(id_, "me", StoredExchange("k", "Did it rain?"))
    assert engine.count() == 0  # the article is not in yet
    go_on.set()
    ingest.join()
    assert [one.status for one in stored] == ["added"]
    assert len(endpoint.requests) == 1
    assert (engine.count(), len(engine.conversations.asked(id_, "me"))) == (1, 1)
    engine.close()
    endpoint.server.shutdown()
    endpoint.server.server_close()
