"""Answers that something comes between: a restart, an edit, a deletion, a library that fails; and hidden ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag.errors import LibraryError
from tests.fakes.slack_server import BOT, FakeSlack, Fault
from tests.ui.slack.helpers import Served, buttons_of, mention, said, served, words_of
from tests.ui.slack.test_settings import set_by_an_admin
from ui.slack.face import Limits

ASKED = "When did the ferry leave?"
ANSWER = "The ferry left at noon."
PAGE = "https://news.example.org"


@pytest.fixture
def face(slack: FakeSlack, tmp_path: Path) -> Iterator[Served]:
    with served(slack, tmp_path, rag_public_url=PAGE) as here:
        yield here


def edited(text: str) -> dict[str, Any]:
    new = {"user": "U1", "ts": "100.1", "text": f"<@{BOT}> {text}", "edited": {"user": "U1", "ts": "101.0"}}
    return said("", "101.0", subtype="message_changed", message=new, previous_message={**new, "text": "old"})


def deleted() -> dict[str, Any]:
    previous = {"user": "U1", "ts": "100.1", "text": f"<@{BOT}> {ASKED}"}
    return said("", "102.0", subtype="message_deleted", deleted_ts="100.1", previous_message=previous)


def finished(face: Served) -> Callable[[], bool]:
    return lambda: not face.engine.deliveries.unfinished()


def conversation_behind(face: Served, message: dict[str, Any]) -> list[str]:
    """The questions that can be read where "Open in Dateline" leads."""
    elements = [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]
    link = next(each["url"] for each in elements if "url" in each)
    return [each.question for each in face.engine.conversations.asked(link.partition("=")[2], "anybody")]


def test_a_hidden_answer_that_a_stop_kept_back_comes_to_who_asked_alone(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, rag_public_url=PAGE) as face:
        set_by_an_admin(face, "show:asker")
        slack.plays("chat.postEphemeral", *[Fault(503)] * 5)
        face.event(mention(ASKED, thread_ts="90.1"))
        slack.wait(lambda: len(slack.called("chat.postEphemeral")) == 5)
        time.sleep(0.4)
        assert [each.reader for each in face.engine.deliveries.unfinished()] == ["U1"]
    with served(slack, tmp_path, rag_public_url=PAGE) as face:
        slack.wait(finished(face))
        brought = slack.called("chat.postEphemeral")[-1]
        assert ANSWER in words_of(brought)
        assert (brought["user"], brought["thread_ts"]) == ("U1", "90.1")
        assert "share" in buttons_of(brought)
        assert conversation_behind(face, brought) == [ASKED]
    assert slack.messages("C1") == []
    assert slack.called("chat.postMessage") == []


def test_a_restart_during_a_hidden_answer_is_told_to_who_asked_alone(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path) as face:
        set_by_an_admin(face, "show:asker")
        face.engine.free.clear()
        face.event(mention(ASKED))
        slack.wait(face.engine.deliveries.unfinished)
        face.engine.closed = True
        face.face.close()
    with served(slack, tmp_path) as face:
        slack.wait(finished(face))
    (told,) = slack.called("chat.postEphemeral")
    assert "restarted" in words_of(told)
    assert "thread_ts" not in told
    assert slack.messages("C1") == []


def test_a_hidden_answer_links_to_nothing_that_others_were_told(face: Served, slack: FakeSlack) -> None:
    set_by_an_admin(face, "show:asker")
    face.event(mention("What of the harbour?", "100.1", thread_ts="90.1", user="U2"), "Ev1")
    slack.wait(lambda: slack.called("chat.postEphemeral"))
    slack.wait(finished(face))
    face.event(mention(ASKED, "100.2", thread_ts="90.1"), "Ev2")
    slack.wait(lambda: len(slack.called("chat.postEphemeral")) == 2)
    hidden = slack.called("chat.postEphemeral")[-1]
    assert conversation_behind(face, hidden) == [ASKED]
    container = {"type": "message", "message_ts": "5.5", "channel_id": "C1", "thread_ts": "90.1", "is_ephemeral": True}
    told = len(slack.responses())
    for action in ("show_quotes", "share"):
        face.press(action, buttons_of(hidden)["share"], container=container)
    slack.wait(lambda: len(slack.responses()) == told + 2)
    assert [conversation_behind(face, each) for each in slack.responses()[told:]] == [[ASKED], [ASKED]]
    face.press("opinion_good", buttons_of(hidden)["share"], container=container)
    (opinion,) = slack.wait(face.engine.opinions.all)
    assert opinion.history == ()


def test_what_one_reader_is_told_stays_out_of_what_others_can_open(face: Served, slack: FakeSlack) -> None:
    set_by_an_admin(face, "show:asker")
    face.event(mention("A secret?", "100.1", thread_ts="90.1", user="U2"), "Ev1")
    slack.wait(lambda: slack.called("chat.postEphemeral"))
    slack.wait(finished(face))
    set_by_an_admin(face, "show:all")
    face.event(mention(ASKED, "100.2", thread_ts="90.1"), "Ev2")
    slack.wait(lambda: any(ANSWER in words_of(each) for each in slack.messages("C1")))
    assert conversation_behind(face, slack.messages("C1")[-1]) == [ASKED]
    assert face.engine.asked[-1].history == ()
    slack.wait(finished(face))
    set_by_an_admin(face, "show:asker")
    face.event(said("And why?", "100.3", thread_ts="90.1", user="U2"), "Ev3")
    slack.wait(lambda: len(face.engine.asked) == 3)
    asked = [turn.content for turn in face.engine.asked[-1].history if turn.role == "user"]
    assert asked == [ASKED, "A secret?"]


def broken(*given: object) -> Any:
    raise LibraryError("the library is locked", "try again")


@pytest.mark.parametrize("hidden", [False, True])
def test_a_library_that_fails_before_the_answer_is_told(
    face: Served, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    if hidden:
        set_by_an_admin(face, "show:asker")
    monkeypatch.setattr(face.engine, "count", broken)
    face.event(mention(ASKED))

    def told() -> list[dict[str, Any]]:
        return slack.called("chat.postEphemeral") if hidden else slack.messages("C1")

    slack.wait(lambda: any("could not be answered just now" in words_of(each) for each in told()))
    slack.wait(finished(face))
    assert len(told()) == 1


@pytest.mark.parametrize("hidden", [False, True])
def test_a_question_that_cannot_be_taken_in_is_told(
    face: Served, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    if hidden:
        set_by_an_admin(face, "show:asker")
    monkeypatch.setattr(face.engine.deliveries, "claim", broken)
    face.event(mention(ASKED))
    told = "chat.postEphemeral" if hidden else "chat.postMessage"
    (body,) = slack.wait(lambda: slack.called(told))
    assert "could not be answered just now" in words_of(body)
    assert face.engine.asked == []


def test_a_conversation_that_cannot_be_begun_is_told(
    face: Served, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face.engine.conversations, "begin", broken)
    face.event(mention(ASKED))
    (told,) = slack.wait(lambda: slack.messages("C1"))
    assert "could not be answered just now" in words_of(told)
    slack.wait(finished(face))


def test_commands_that_waited_for_their_turn_are_told_of_a_restart(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, Limits(answers=1, first_wait_s=0.05), slack_bot_token=None) as face:
        face.engine.free.clear()
        for number in range(3):
            assert "Searching" in face.command(ASKED, trigger=f"t{number}").json()["text"]
        slack.wait(lambda: len(face.engine.deliveries.unfinished()) == 3)
        face.engine.closed = True
        face.face.close()
    assert slack.responses() == []
    with served(slack, tmp_path, slack_bot_token=None):
        slack.wait(lambda: len(slack.responses()) == 3)
    assert all("restarted" in words_of(each) for each in slack.responses())


def test_the_old_answer_does_not_come_over_that_of_an_edited_question(face: Served, slack: FakeSlack) -> None:
    face.engine.free.clear()
    face.event(mention("old: when did the ferry leave?"), "Ev1")
    slack.wait(lambda: slack.messages("C1"))
    face.event(edited(ASKED), "Ev2")
    slack.wait(lambda: ASKED in words_of(slack.messages("C1")[0]))
    face.engine.free.set()
    slack.wait(finished(face))
    time.sleep(0.3)
    answered = [each for each in slack.called("chat.update") if ANSWER in words_of(each)]
    assert len(answered) == 1
    assert len(slack.messages("C1")) == 1
    conversation = face.engine.conversations.mine("slack:C1:100.1")[0].id
    kept = face.engine.conversations.asked(conversation, "slack:C1:100.1")
    assert [each.question for each in kept] == [ASKED]


def test_a_question_that_is_deleted_while_it_is_answered_stays_deleted(face: Served, slack: FakeSlack) -> None:
    face.engine.free.clear()
    face.event(mention(ASKED), "Ev1")
    slack.wait(lambda: slack.messages("C1"))
    slack.wait(lambda: face.engine.deliveries.unfinished()[0].shown)
    face.event(deleted(), "Ev2")
    slack.wait(lambda: not slack.messages("C1"))
    face.engine.free.set()
    slack.wait(lambda: face.engine.asked)
    time.sleep(0.4)
    assert slack.messages("C1") == []
    assert not any(ANSWER in words_of(each) for each in slack.called("chat.update") + slack.called("chat.postMessage"))
    conversation = face.engine.conversations.mine("slack:C1:100.1")[0].id
    assert face.engine.conversations.asked(conversation, "slack:C1:100.1") == []


def test_an_edit_ends_the_stream_of_the_old_answer(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, openai_base_url="http://127.0.0.1:1/v1") as face:
        face.engine.free.clear()
        face.event(mention("old: when did the ferry leave?"), "Ev1")
        slack.wait(lambda: slack.messages("C1"))
        slack.wait(lambda: face.engine.deliveries.unfinished()[0].shown)
        face.event(edited(ASKED), "Ev2")
        slack.wait(lambda: slack.called("chat.stopStream"))
        face.engine.free.set()
        slack.wait(finished(face))
        assert ANSWER in words_of(slack.messages("C1")[0])
    assert len(slack.messages("C1")) == 1


@pytest.mark.parametrize("by_command", [False, True])
def test_an_opinion_says_what_narrowed_the_question(face: Served, slack: FakeSlack, by_command: bool) -> None:
    narrowed = f'since:2024-01-01 publisher:"The Gull" publisher:AP {ASKED}'
    if by_command:
        face.command(narrowed)
        message = slack.wait(slack.responses)[0]
        place: dict[str, Any] = {"container": {"channel_id": "C1", "message_ts": "5.5", "is_ephemeral": True}}
    else:
        face.event(mention("What of the harbour?", "100.1"), "Ev1")
        slack.wait(lambda: any(ANSWER in words_of(each) for each in slack.messages("C1")))
        slack.wait(finished(face))
        face.event(mention(narrowed, "100.2", thread_ts="100.1"), "Ev2")
        slack.wait(lambda: len(face.engine.asked) == 2)
        slack.wait(finished(face))
        message = slack.messages("C1")[-1]
        place = {"container": {"channel_id": "C1", "message_ts": message["ts"], "thread_ts": "100.1"}}
    face.press("opinion_bad", buttons_of(message)["opinion_bad"], **place)
    (opinion,) = slack.wait(face.engine.opinions.all)
    assert opinion.settings["since"] == str(date(2024, 1, 1))
    assert opinion.settings["publishers"] == "The Gull, AP"
    assert "until" not in opinion.settings
