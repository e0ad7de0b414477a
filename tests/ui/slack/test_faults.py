"""Slack at its worst: lines that break, blocks that it refuses, waits that it demands; and a library that is busy."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag.errors import UnknownConversation
from rag.records import Message
from tests.fakes.slack_server import BOT, FakeSlack, Fault
from tests.ui.slack.helpers import Served, buttons_of, callback, mention, said, served, words_of
from tests.ui.slack.test_interrupted import conversation_behind, deleted, edited, finished
from tests.ui.slack.test_settings import set_by_an_admin
from ui.slack import asking
from ui.slack.face import Limits

ASKED = "When did the ferry leave?"
ANSWER = "The ferry left at noon."
PAGE = "https://news.example.org"
MODEL = {"openai_base_url": "http://127.0.0.1:1/v1"}


def answered(slack: FakeSlack, count: int = 1, channel: str = "C1") -> list[dict[str, Any]]:
    """The answers that stand in a channel, once there are so many."""
    return slack.wait(lambda: found if len(found := _answers(slack, channel)) >= count else None)  # type: ignore[no-any-return]


def _answers(slack: FakeSlack, channel: str) -> list[dict[str, Any]]:
    return [each for each in slack.messages(channel) if ANSWER in words_of(each)]


def edited_again(text: str) -> dict[str, Any]:
    new = {"user": "U1", "ts": "100.1", "text": f"<@{BOT}> {text}", "edited": {"user": "U1", "ts": "103.0"}}
    return said("", "103.0", subtype="message_changed", message=new, previous_message={**new, "text": "older"})


@contextmanager
def taking_in_articles(face: Served) -> Iterator[None]:
    """While somebody else writes to the library."""
    done, begun = threading.Event(), threading.Event()

    def batch() -> None:
        with face.engine.database.writing():
            begun.set()
            done.wait(10)

    thread = threading.Thread(target=batch)
    thread.start()
    begun.wait(5)
    try:
        yield
    finally:
        done.set()
        thread.join()


def broken_off(slack: FakeSlack, folder: Path, **settings: Any) -> None:
    """A server that stops between "Searching…" and the answer."""
    with served(slack, folder, **settings) as face:
        face.engine.free.clear()
        face.event(mention(ASKED))
        slack.wait(lambda: face.engine.deliveries.unfinished() and face.engine.deliveries.unfinished()[0].shown)
        face.engine.closed = True
        face.face.close()


# Messages


def test_a_message_that_arrived_before_the_line_broke_is_not_sent_again(face: Served, slack: FakeSlack) -> None:
    slack.plays("chat.postMessage", Fault(drop=True, carried_out=True))
    face.event(mention(ASKED))
    answered(slack)
    slack.wait(finished(face))
    assert len(slack.messages("C1")) == 1


def test_a_message_that_did_not_arrive_is_sent_again(face: Served, slack: FakeSlack) -> None:
    slack.plays("chat.postMessage", Fault(drop=True))
    slack.plays("conversations.replies", Fault(error="missing_scope"))
    face.event(mention(ASKED))
    answered(slack)
    assert len(slack.called("chat.postMessage")) == 2


def test_a_stream_that_began_before_the_line_broke_ends_in_the_answer(slack: FakeSlack, tmp_path: Path) -> None:
    slack.plays("chat.startStream", Fault(drop=True, carried_out=True))
    with served(slack, tmp_path, **MODEL) as face:
        face.event(mention(ASKED))
        answered(slack)
        slack.wait(finished(face))
    assert len(slack.messages("C1")) == 1


def test_one_refused_stream_is_not_the_end_of_all(slack: FakeSlack, tmp_path: Path) -> None:
    slack.plays("chat.startStream", Fault(error="user_not_found"))
    with served(slack, tmp_path, **MODEL) as face:
        face.event(mention(ASKED, "100.1", user="U7", user_team="T7"), "Ev1")
        answered(slack)
        face.event(mention(ASKED, "100.2"), "Ev2")
        answered(slack, 2)
    assert [body["recipient_team_id"] for body in slack.called("chat.startStream")] == ["T7", "T1"]


def test_a_stream_that_a_restart_left_open_ends_in_the_same_message(slack: FakeSlack, tmp_path: Path) -> None:
    broken_off(slack, tmp_path, **MODEL)
    with served(slack, tmp_path, **MODEL) as face:
        slack.wait(finished(face))
    (message,) = slack.messages("C1")
    assert "restarted" in words_of(message)


def test_an_open_stream_goes_with_its_question(slack: FakeSlack, tmp_path: Path) -> None:
    broken_off(slack, tmp_path, **MODEL)
    slack.plays("chat.update", *[Fault(503)] * 5)
    with served(slack, tmp_path, **MODEL) as face:
        face.event(deleted(), "Ev2")
        slack.wait(lambda: not slack.messages("C1"))


def test_an_answer_whose_blocks_slack_refuses_comes_as_text(
    face: Served, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    face.engine.free.clear()
    face.event(mention(ASKED))
    slack.wait(lambda: slack.messages("C1"))
    slack.plays("chat.update", Fault(error="invalid_blocks"))
    face.engine.free.set()
    slack.wait(finished(face))
    (message,) = slack.messages("C1")
    assert message["blocks"] == []
    assert ANSWER in message["text"]
    assert "chat.update: invalid_blocks" in caplog.text


def test_a_command_whose_blocks_slack_refuses_is_answered_as_text(face: Served, slack: FakeSlack) -> None:
    slack.plays("response_url", Fault(400, "invalid_blocks"))
    face.command(ASKED)
    slack.wait(lambda: len(slack.responses()) == 2)
    assert slack.responses()[1]["blocks"] == []
    assert ANSWER in slack.responses()[1]["text"]


# Waiting


def test_a_question_deleted_while_slack_makes_us_wait_leaves_nothing(
    face: Served, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_SENDING_S", 0.2)
    slack.plays("chat.postMessage", Fault(429, "ratelimited", retry_after=1))
    face.event(mention(ASKED), "Ev1")
    slack.wait(lambda: slack.called("chat.postMessage"))
    face.event(deleted(), "Ev2")
    time.sleep(1.5)
    assert len(slack.called("chat.postMessage")) == 1


def test_a_message_that_arrives_after_its_question_was_deleted_goes_too(
    face: Served, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_SENDING_S", 0.2)
    slack.plays("chat.postMessage", Fault(drop=True, carried_out=True, wait_s=1.0))
    slack.plays("conversations.replies", Fault(503, wait_s=0.5))
    face.event(mention(ASKED), "Ev1")
    slack.wait(lambda: slack.called("conversations.replies"))
    assert len(slack.messages("C1")) == 1
    face.event(deleted(), "Ev2")
    slack.wait(lambda: slack.called("chat.delete"))
    slack.wait(finished(face))
    assert slack.messages("C1") == []
    assert len(slack.called("chat.postMessage")) == 1


def test_buttons_that_wait_for_slack_keep_no_question_waiting(face: Served, slack: FakeSlack) -> None:
    slack.plays("response_url", *[Fault(429, "ratelimited", retry_after=3)] * 4)
    for _ in range(4):
        face.press("opinion_good", "nothing")
    slack.wait(lambda: len(slack.responses()) == 4)
    begun = time.monotonic()
    face.event(mention(ASKED))
    answered(slack)
    assert time.monotonic() - begun < 2


def test_one_message_that_waits_for_slack_delays_no_other_limit_of_time(slack: FakeSlack, tmp_path: Path) -> None:
    slack.plays("chat.postMessage", Fault(429, "ratelimited", retry_after=4))
    with served(slack, tmp_path, Limits(patience_s=0.5, first_wait_s=0.05)) as face:
        face.engine.free.clear()
        face.event(mention(ASKED, "100.1"), "Ev1")
        slack.wait(lambda: slack.called("chat.postMessage"))
        begun = time.monotonic()
        face.event(mention(ASKED, "100.2", channel="C2"), "Ev2")
        slack.wait(lambda: any("too long" in words_of(each) for each in slack.messages("C2")))
        assert time.monotonic() - begun < 3


def test_an_answer_that_came_too_late_is_no_history(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, Limits(patience_s=0.3, first_wait_s=0.05)) as face:
        face.engine.free.clear()
        face.event(mention(ASKED), "Ev1")
        slack.wait(lambda: any("too long" in words_of(each) for each in slack.messages("C1")))
        face.engine.free.set()
        slack.wait(lambda: face.engine.asked)
        time.sleep(0.3)
        face.event(said("And the harbour?", "100.5", thread_ts="100.1"), "Ev2")
        slack.wait(lambda: len(face.engine.asked) == 2)
    assert face.engine.asked[1].history == ()


# A restart


def test_what_cannot_be_told_at_one_start_is_told_at_the_next(slack: FakeSlack, tmp_path: Path) -> None:
    broken_off(slack, tmp_path)
    slack.plays("chat.update", Fault(429, "ratelimited", retry_after=5))
    with served(slack, tmp_path):
        slack.wait(lambda: slack.called("chat.update"))
    with served(slack, tmp_path):
        slack.wait(lambda: "restarted" in words_of(slack.messages("C1")[0]))


def test_what_was_acknowledged_when_the_server_stops_is_told_of(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path) as face, taking_in_articles(face):
        for number in range(6):
            assert face.event(mention(ASKED, f"100.{number}"), f"Ev{number}").status_code == 200
        closing = threading.Thread(target=face.face.close)
        closing.start()
        time.sleep(0.3)
    closing.join()
    with served(slack, tmp_path):
        slack.wait(lambda: len({each["thread_ts"] for each in slack.messages("C1")}) == 6)


def test_a_stop_during_an_edit_brings_the_new_answer(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path) as face:
        face.event(mention("old: when?"), "Ev1")
        answered(slack)
        slack.wait(finished(face))
        before = len(slack.called("chat.update"))
        face.engine.free.clear()
        face.event(edited(ASKED), "Ev2")
        slack.wait(lambda: len(slack.called("chat.update")) > before)
        slack.plays("chat.update", *[Fault(503)] * 5)
        face.engine.free.set()
        slack.wait(lambda: len(slack.called("chat.update")) == before + 6)
    with served(slack, tmp_path) as face:
        slack.wait(finished(face))
    assert len(answered(slack)) == len(slack.messages("C1")) == 1


def test_a_stop_during_the_edit_of_a_hidden_question_is_told_where_it_was_asked(
    slack: FakeSlack, tmp_path: Path
) -> None:
    with served(slack, tmp_path) as face:
        set_by_an_admin(face, "show:asker")
        face.event(mention(ASKED, thread_ts="90.1"), "Ev1")
        slack.wait(lambda: slack.called("chat.postEphemeral"))
        slack.wait(finished(face))
        face.engine.free.clear()
        changed = edited("What of the harbour?")
        changed["message"]["thread_ts"] = changed["previous_message"]["thread_ts"] = "90.1"
        face.event(changed, "Ev2")
        slack.wait(face.engine.deliveries.unfinished)
        face.engine.closed = True
        face.face.close()
    with served(slack, tmp_path) as face:
        slack.wait(finished(face))
    told = slack.called("chat.postEphemeral")[-1]
    assert "restarted" in words_of(told)
    assert told["thread_ts"] == "90.1"


# Edits and deletions


@pytest.mark.parametrize(("then", "left"), [(deleted(), 0), (edited_again("What of the harbour?"), 1)])
def test_a_question_edited_while_it_waits_has_one_answer_that_follows_it(
    slack: FakeSlack, tmp_path: Path, then: dict[str, Any], left: int
) -> None:
    with served(slack, tmp_path, Limits(answers=1, first_wait_s=0.05)) as face:
        face.engine.free.clear()
        face.event(mention(ASKED, "90.1"), "Ev0")
        slack.wait(lambda: slack.messages("C1"))
        face.event(mention("old: when?"), "Ev1")
        slack.wait(lambda: len(face.engine.deliveries.unfinished()) == 2)
        face.event(edited(ASKED), "Ev2")
        slack.wait(lambda: len(face.engine.deliveries.unfinished()) == 3)
        face.engine.free.set()
        answered(slack, 2)
        slack.wait(finished(face))
        face.event(then, "Ev3")
        slack.wait(lambda: len(slack.called("chat.delete")) + len(face.engine.asked) == 3)
        slack.wait(finished(face))
    assert len([each for each in slack.messages("C1") if each["thread_ts"] == "100.1"]) == left


def test_no_deletion_overtakes_its_question_while_the_library_is_busy(face: Served, slack: FakeSlack) -> None:
    changed_while_busy(face, deleted())
    slack.wait(finished(face))
    slack.wait(lambda: not slack.messages("C1"))
    time.sleep(0.5)
    assert slack.messages("C1") == []


def test_no_edit_overtakes_its_question_while_the_library_is_busy(face: Served, slack: FakeSlack) -> None:
    changed_while_busy(face, edited(ASKED))
    answered(slack)
    slack.wait(finished(face))
    assert face.engine.asked[-1].text == ASKED
    assert len(slack.messages("C1")) == 1


def changed_while_busy(face: Served, change: dict[str, Any]) -> None:
    """A question and then a change of it, both while somebody else writes to the library."""
    with taking_in_articles(face):
        face.event(mention("old: when?"), "Ev1")
        time.sleep(0.2)
        face.event(change, "Ev2")
        time.sleep(0.2)


def test_a_hidden_answer_goes_with_its_question_wherever_it_is_kept(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, rag_public_url=PAGE) as face:
        set_by_an_admin(face, "show:asker")
        face.event(mention(ASKED), "Ev1")
        (hidden,) = slack.wait(lambda: slack.called("chat.postEphemeral"))
        slack.wait(finished(face))
        assert conversation_behind(face, hidden) == [ASKED]
        face.event(deleted(), "Ev2")
        time.sleep(0.5)
        with pytest.raises(UnknownConversation):
            conversation_behind(face, hidden)


# Where it belongs


@pytest.mark.parametrize("shared", [True, False])
def test_settings_are_those_of_the_workspace_that_the_app_is_in(face: Served, slack: FakeSlack, shared: bool) -> None:
    set_by_an_admin(face, "here:on publisher:AP")
    body = {**callback(mention(ASKED)), "team_id": "T7", "context_team_id": "T1", "is_ext_shared_channel": shared}
    face.post("/slack/events", json.dumps(body), "application/json")
    answered(slack)
    assert face.engine.asked[0].filters.publishers == ("AP",)


def test_thanks_come_where_the_answer_stands(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED))
    (message,) = answered(slack)
    container = {"type": "message", "message_ts": message["ts"], "channel_id": "C1", "thread_ts": "100.1"}
    face.press("opinion_good", buttons_of(message)["opinion_good"], container=container)
    (thanks,) = slack.wait(lambda: slack.called("chat.postEphemeral"))
    assert (thanks["thread_ts"], thanks["user"]) == ("100.1", "U1")
    assert "Thank you" in words_of(thanks)


def test_where_the_app_may_not_speak_thanks_come_to_the_channel(face: Served, slack: FakeSlack) -> None:
    slack.plays("chat.postEphemeral", Fault(error="not_in_channel"))
    container = {"type": "message", "message_ts": "5.5", "channel_id": "C1", "thread_ts": "100.1"}
    face.press("opinion_good", "nothing", container=container)
    (told,) = slack.wait(slack.responses)
    assert "no longer kept" in words_of(told)


def test_a_shared_answer_stays_under_its_question_with_its_quotes_open(face: Served, slack: FakeSlack) -> None:
    face.command(ASKED)
    (told,) = slack.wait(slack.responses)
    value = buttons_of(told)["share"]
    container = {"type": "message", "channel_id": "C1"}
    face.press("share", value, container={**container, "message_ts": "5.5", "is_ephemeral": True})
    slack.wait(lambda: len(slack.responses()) == 2)
    face.press("show_quotes", value, container={**container, "message_ts": "6.6"}, message={"ts": "6.6"})
    slack.wait(lambda: len(slack.responses()) == 3)
    assert slack.responses()[2]["replace_original"] is True
    assert all(f"Asked: {ASKED}" in words_of(each) for each in slack.responses()[1:])


def test_of_a_long_thread_the_last_is_read(face: Served, slack: FakeSlack) -> None:
    slack.threads["C1", "90.1"] = [said(f"Remark {number}", f"90.{number + 100}") for number in range(450)]
    face.event(mention(ASKED, thread_ts="90.1"))
    answered(slack)
    remarks = [f"Remark {number}" for number in (0, 447, 448, 449)]
    assert face.engine.asked[0].history == tuple(Message("user", remark) for remark in remarks)
    assert len(slack.called("conversations.replies")) == 3
