from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.records import Claim, Closest, Conversation, Done, Filters, Note, Quote, StoredExchange
from rag.serialization import event_from_json
from tests.ui.markup import HOSTILE, answer, quote, source
from ui.chat.export import as_json, as_markdown, file_name

FERRY = Conversation("f-1", "About the ferry", "2024-05-02T10:00:00.000000+00:00")
NARROWED = Filters(date(2024, 1, 1), None, ("AP", "Le *Monde*"))
LEFT = Claim("The ferry left at noon.", (quote("The ferry left at noon."),))
# With tables and strike-through, and with HTML passed on: the most that a reader could make of it.
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKDOWN = (
    *HOSTILE,
    "- a list",
    "+ a list",
    "* a list",
    "1. a list",
    "2024) a list",
    "# a heading",
    "a heading\n===",
    "---",
    "***",
    "===",
    "> a quote",
    "```\ncode",
    "~~~ code",
    "    indented",
    "`code`",
    "*soft* __loud__ ~~gone~~",
    "| a | b |\n| - | - |\n| c | d |",
    "[1]: https://evil.example 'title'",
    "[1]",
    "[link][1]",
    "![image][1]",
    "<https://evil.example>",
    "<!-- comment",
    "<?php ?>",
    "&lt;b&gt; &amp; &copy;",
    "(https://evil.example)",
    "ends with a backslash \\",
    "ends as a heading does #",
    "two\n\nparagraphs  \nand\ta break",
)


def everywhere(words: str) -> list[StoredExchange]:
    """Answers of every kind with the words in each place that an export has."""
    titled = source(title=words, publisher=words, published=words, url=words)
    claim = Claim(words, (Quote(1, "a", 0, 1, words),), (words,))
    quoted = answer(claim, sources=(titled,), notes=(Note("conflict", words, (1,)),), degraded="timeout")
    none = answer(verdict="no_evidence", text=words, closest=(Closest("a", words, 0, 1, words),))
    return [
        StoredExchange("1", words, quoted),
        StoredExchange("2", words, replace(quoted, mode="written", model=words)),
        StoredExchange("3", words, none),
        StoredExchange("4", words, problem=words),
        StoredExchange("5", words),
    ]


def flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or ())


def read(words: str) -> tuple[list[str], str]:
    """What a Markdown reader makes of a document with these words everywhere: its structure and its text."""
    tokens = list(flat(READER.parse(as_markdown(replace(FERRY, title=words), everywhere(words)))))
    structure = [f"{token.type} {token.tag}".strip() for token in tokens]
    return structure, "".join(token.content for token in tokens if token.type == "text")


HARMLESS = read("word")


def test_an_export_is_made_of_headings_quotes_and_a_list_of_sources_only() -> None:
    structure, text = HARMLESS
    kinds = {kind.split()[0] for kind in structure}
    assert kinds == {
        *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text"),
        *("blockquote_open", "blockquote_close", "em_open", "em_close"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    }
    assert structure.count("heading_open h1") == 1
    assert structure.count("heading_open h2") == 5
    assert text.count("word") == 26


@pytest.mark.parametrize("words", MARKDOWN)
def test_no_words_become_markup(words: str) -> None:
    structure, text = read(words)
    assert structure == HARMLESS[0]
    assert text == HARMLESS[1].replace("word", " ".join(words.split()))


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("-+=#*_`~<>[]()!|&;:\\/.\"'$^{}@?% \t\n1a"), min_size=1).filter(str.strip))
def test_no_punctuation_becomes_markup(words: str) -> None:
    structure, text = read(words)
    assert structure == HARMLESS[0]
    assert text == HARMLESS[1].replace("word", " ".join(words.split()))


def test_a_claim_is_followed_by_its_quotes_and_the_sources_by_their_dates() -> None:
    claim = Claim("It left.", (*LEFT.quotes, quote("Nobody was hurt.", 2)), ("not found in the quotes: it",))
    written = answer(claim, mode="written", model="m-1", sources=(source(1), source(2, published=None, publisher=None)))
    assert as_markdown(FERRY, [StoredExchange("1", "When?", written)]) == (
        "# About the ferry\n\n## When?\n\nWritten by m-1 from the articles.\n\nIt left. [1] [2]\n\n"
        "*not found in the quotes: it*\n\n> “The ferry left at noon.” [1]\n\n> “Nobody was hurt.” [2]\n\n"
        "Sources\n\n- [1] Ferry on time · The Gull · 2 May 2024\n- [2] Ferry on time · date unknown\n"
    )


def test_quotes_say_that_nothing_was_written_and_why() -> None:
    text = as_markdown(FERRY, [StoredExchange("1", "When?", answer(LEFT, degraded="timeout", confidence=0.01))])
    assert "no answer was written (the language model took too long). Perhaps none of these answers" in text
    assert text.count("The ferry left at noon.") == 1
    assert "no answer was written.\n" in as_markdown(FERRY, [StoredExchange("1", "When?", answer(LEFT))])


def test_what_was_not_answered_says_why() -> None:
    text = as_markdown(
        FERRY, [StoredExchange("1", "When?", problem="The question is too long."), StoredExchange("2", "Who?")]
    )
    assert "## When?\n\nThe question is too long.\n\n## Who?\n\nNot answered.\n" in text


def test_the_answers_of_a_json_export_are_answers_again() -> None:
    titled = source(copies=("https://tide.example/ferry",), version=3)
    full = answer(
        Claim("It left.", LEFT.quotes, ("a flag",)),
        mode="written",
        model="m-1",
        sources=(titled,),
        notes=(Note("filtered", "Two.", (1,), widens=True),),
        as_of="2024-05-02",
        confidence=0.5,
    )
    none = answer(verdict="no_evidence", text="Nothing.", closest=(Closest("a", "t", 0, 1, "x"),))
    record = json.loads(
        as_json(
            FERRY,
            [
                StoredExchange("1", "When?", full, filters=NARROWED),
                StoredExchange("2", "Who?", none),
                StoredExchange("3", "x", None, "No."),
            ],
        )
    )
    first, second, third = record["exchanges"]
    assert event_from_json("done", first["answer"]) == Done(full)
    assert event_from_json("done", second["answer"]) == Done(none)
    assert (third["answer"], third["problem"], third["question"]) == (None, "No.", "x")
    assert (record["title"], record["updated"]) == (FERRY.title, FERRY.updated)
    assert first["filters"] == {"since": "2024-01-01", "publishers": "AP, Le *Monde*"}
    assert second["filters"] == {}


def test_what_narrowed_a_question_is_said_under_it() -> None:
    text = as_markdown(
        FERRY, [StoredExchange("1", "When?", answer(LEFT), filters=NARROWED), StoredExchange("2", "Who?")]
    )
    assert "## When?\n\nNarrowed to since 2024-01-01; publishers AP, Le \\*Monde\\*\n\nQuotes" in text
    assert text.count("Narrowed") == 1


@pytest.mark.parametrize("words", HOSTILE)
def test_words_come_out_of_json_as_they_went_in(words: str) -> None:
    (exchange, *_) = json.loads(as_json(replace(FERRY, title=words), everywhere(words)))["exchanges"]
    assert exchange["question"] == exchange["answer"]["claims"][0]["text"] == words


def test_half_a_character_can_be_exported() -> None:
    broken = [StoredExchange("1", "Wh\ud800n?", answer(LEFT))]
    assert json.loads(as_json(FERRY, broken).encode())["exchanges"][0]["question"] == "Wh\ud800n?"
    assert b"## Wh?n?" in as_markdown(FERRY, broken).encode()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("When did the ferry leave?", "when-did-the-ferry-leave"),
        ("Où est le café ?", "ou-est-le-cafe"),
        ("../../etc/passwd", "etc-passwd"),
        ('a"; filename="b.exe\r\nx: y', "a-filename-b-exe-x-y"),
        ("渡し船はいつ", "conversation"),
        ("…", "conversation"),
        ("x" * 500, "x" * 60),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_a_title_becomes_a_files_name_that_says_nothing_to_a_system(title: str, name: str) -> None:
    assert file_name(replace(FERRY, title=title)) == name
