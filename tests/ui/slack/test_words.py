from __future__ import annotations

import time
from contextlib import suppress
from datetime import date

import pytest

from rag.errors import InvalidRequest
from rag.records import Filters
from ui.slack.words import Wanted, read_words, without_mentions


@pytest.mark.parametrize(
    ("text", "question", "filters"),
    [
        ("Who won?", "Who won?", Filters()),
        ("since:2024-01-01 publisher:AP Who won?", "Who won?", Filters(date(2024, 1, 1), None, ("AP",))),
        ("Who won until:2024-2-3?", "Who won until:2024-2-3?", None),
        ('publisher:"The Gull" publisher:AP publisher:AP who?', "who?", Filters(None, None, ("The Gull", "AP"))),
        ("publisher:“The Gull” who?", "who?", Filters(None, None, ("The Gull",))),
        ("SINCE:2024-01-01 Until: 2024-02-01 who?", "who?", Filters(date(2024, 1, 1), date(2024, 2, 1))),
        ("who won since: the war", "who won since: the war", None),
        ('publisher:"" who?', "who?", Filters()),
        ("the author:AP", "the author:AP", Filters()),
        ("what of xsince:2024-01-01", "what of xsince:2024-01-01", Filters()),
        ("is <https://example.org/a?b=1|this page> right &amp; fair?", "is this page right & fair?", Filters()),
        ("who is <@U1> in <#C1|news> &lt;b&gt;", "who is in #news <b>", Filters()),
        ("<!channel> and <!subteam^S1|@editors> why?", "@channel and @editors why?", Filters()),
    ],
)
def test_a_question_and_what_narrows_it(text: str, question: str, filters: Filters | None) -> None:
    if filters is None:
        with pytest.raises(InvalidRequest, match="is no date: write it as"):
            read_words(text)
    else:
        assert read_words(text) == Wanted("ask", question, filters)


@pytest.mark.parametrize("words", ["since: " * 60, 'publisher:"a" ' * 60, "here:on " * 60])
def test_many_settings_with_a_slip_are_read_at_once(words: str) -> None:
    begun = time.thread_time()
    with suppress(InvalidRequest):
        assert read_words(f"settings {words}what happened?").kind == "ask"
    assert time.thread_time() - begun < 0.5


@pytest.mark.parametrize(
    "value", ["yesterday", "2024-02-30", "2024", "01.02.2024", "2024-13-01", "20240101", "٢٠٢٤-01-01"]
)
def test_a_wrong_date_is_named(value: str) -> None:
    with pytest.raises(InvalidRequest, match=f"since:{value} is no date: write it as since:2024-03-15"):
        read_words(f"since:{value} what happened?")


def test_dates_the_wrong_way_round_are_told() -> None:
    with pytest.raises(InvalidRequest, match="nothing lies between"):
        read_words("since:2024-05-01 until:2024-04-01 what happened?")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("help", "help"),
        (" Help ", "help"),
        ("?", "help"),
        ("", "empty"),
        ("since:2024-01-01", "empty"),
        ("settings", "settings"),
        ("help me find the ferry", "ask"),
    ],
)
def test_what_is_no_question(text: str, kind: str) -> None:
    assert read_words(text).kind == kind


def test_only_its_own_mention_is_taken_out() -> None:
    assert without_mentions("<@U0BOT> who is <@U1>, <@U0BOT|dateline>?", "U0BOT").split() == [
        "who",
        "is",
        "<@U1>,",
        "?",
    ]
    assert without_mentions("<@U1> hi", None) == "<@U1> hi"
