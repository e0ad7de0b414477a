"""Mentions, direct messages, threads and buttons on a real server, against a fake Slack on a real socket."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.records import Message
from tests.fakes.slack_server import BOT, FakeSlack, Fault
from tests.ui.slack.helpers import Served, buttons_of, callback, mention, said, served, slowest_of_the_best, words_of
from tests.ui.slack.test_settings import set_by_an_admin
from ui.slack.face import Limits

ASKED = "When did the ferry leave?"
ANSWER = "The ferry left at noon."


def answers(slack: FakeSlack, count: int, channel: str = "C1") -> list[dict[str, Any]]:
    """The messages of a channel once so many of them are answers."""

    def found() -> list[dict[str, Any]]:
        return [each for each in slack.messages(channel) if "blocks" in each and ANSWER in words_of(each)]

    slack.wait(lambda: len(found()) >= count)
    return found()


def quiet(slack: FakeSlack, seconds: float = 0.4) -> None:
    """Long enough for an answer to come that should not."""
    time.sleep(seconds)


def test_slack_can_verify_the_address(face: Served) -> None:
    said = face.post("/slack/events", '{"type": "url_verification", "challenge": "abc"}', "application/json")
    assert (said.status_code, said.json()) == (200, {"challenge": "abc"})


def test_a_mention_is_answered_in_its_thread(face: Served, slack: FakeSlack) -> None:
    assert face.event(mention(ASKED)).status_code == 200
    (answer,) = answers(slack, 1)
    assert answer["thread_ts"] == "100.1"
    assert [body["channel"] for body in slack.called("chat.postMessage")] == ["C1"]
    assert "Searching" in words_of(slack.called("chat.postMessage")[0])
    assert len(slack.called("chat.update")) == 1
    assert face.engine.asked[0].text == ASKED


def test_four_deliveries_make_one_answer_also_across_a_restart(slack: FakeSlack, tmp_path: Path) -> None:
    retry = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    with served(slack, tmp_path) as face:
        with ThreadPoolExecutor(3) as pool:
            sent = [pool.submit(face.event, mention(ASKED), "Ev1", **retry) for _ in range(3)]
        assert {each.result().status_code for each in sent} == {200}
        answers(slack, 1)
        slack.wait(lambda: not face.engine.deliveries.unfinished())
    with served(slack, tmp_path) as face:
        assert face.event(mention(ASKED), "Ev1", **retry).status_code == 200
        quiet(slack)
        assert len(slack.messages("C1")) == 1
        assert face.engine.asked == []


def test_a_mention_that_is_also_a_message_is_one_question(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED, thread_ts="90.1"), "Ev1")
    answers(slack, 1)
    face.event(said(f"<@{BOT}> {ASKED}", "100.1", thread_ts="90.1"), "Ev2")
    quiet(slack)
    assert len(slack.messages("C1")) == 1


def test_replies_in_its_thread_need_no_mention_and_the_thread_is_the_history(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path) as face:
        face.event(mention(ASKED), "Ev1")
        answers(slack, 1)
        slack.wait(lambda: not face.engine.deliveries.unfinished())
    with served(slack, tmp_path) as face:
        face.event(said("And the harbour?", "100.5", thread_ts="100.1"), "Ev2")
        answers(slack, 2)
        (question,) = face.engine.asked
    assert question.text == "And the harbour?"
    assert question.history[0] == Message("user", ASKED)
    assert question.history[1].role == "assistant"


HEADLINE = said("", "90.1", bot_id="B7", attachments=[{"title": "Ferry &amp; crew leave Bergen", "text": "more"}])
REMARK = said("Was <https://news.example.org/ferry> not late, <@U7>?", "90.2", thread_ts="90.1")


def test_a_mention_in_a_thread_of_others_is_about_what_they_said(face: Served, slack: FakeSlack) -> None:
    own = said("Searching", "90.3", user=BOT, bot_id="B0BOT")
    joined = said("<@U7> has joined", "90.35", subtype="channel_join")
    many = [said(f"Remark {number}", f"90.4{number}") for number in range(5)]
    later = said("After the question", "101.0")
    slack.threads["C1", "90.1"] = [HEADLINE, REMARK, own, *many[:2], joined, *many[2:], mention(ASKED), later]
    face.event(mention(ASKED, thread_ts="90.1"), "Ev1")
    answers(slack, 1)
    last = [Message("user", f"Remark {number}") for number in (2, 3, 4)]
    assert face.engine.asked[0].history == (Message("user", "Ferry & crew leave Bergen"), *last)
    slack.wait(lambda: not face.engine.deliveries.unfinished())
    face.event(said("And the harbour?", "100.5", thread_ts="90.1"), "Ev2")
    answers(slack, 2)
    assert [turn.content for turn in face.engine.asked[1].history if turn.role == "user"] == [ASKED]
    assert len(slack.called("conversations.replies")) == 1


def test_the_root_of_an_assistant_thread_says_nothing(face: Served, slack: FakeSlack) -> None:
    root = said("New Assistant Thread", "90.1", subtype="assistant_app_thread", channel="D1", channel_type="im")
    slack.threads["D1", "90.1"] = [root]
    face.event(said(ASKED, "90.2", thread_ts="90.1", channel="D1", channel_type="im"))
    answers(slack, 1, "D1")
    assert face.engine.asked[0].history == ()


def test_addresses_and_names_in_what_others_said_are_left_out(face: Served, slack: FakeSlack) -> None:
    slack.threads["C1", "90.1"] = [REMARK]
    face.event(mention(ASKED, thread_ts="90.1"))
    answers(slack, 1)
    assert face.engine.asked[0].history == (Message("user", "Was not late, ?"),)


@pytest.mark.parametrize(
    "fault", [Fault(429, "ratelimited", retry_after=60), Fault(error="missing_scope"), Fault(drop=True)]
)
def test_a_thread_that_slack_does_not_show_is_answered_without(face: Served, slack: FakeSlack, fault: Fault) -> None:
    slack.plays("conversations.replies", fault)
    face.event(mention(ASKED, thread_ts="90.1"))
    answers(slack, 1)
    assert face.engine.asked[0].history == ()


def test_a_question_at_the_top_asks_for_no_thread(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED))
    answers(slack, 1)
    assert slack.called("conversations.replies") == []


@pytest.mark.parametrize(
    "event",
    [
        said("A message at the top", "200.1"),
        said("A reply elsewhere", "200.1", thread_ts="50.1"),
        said("<@U7> what do you think?", "200.1", thread_ts="100.1"),
        said("I am a program", "200.1", thread_ts="100.1", bot_id="B7"),
        said("So am I", "200.1", thread_ts="100.1", subtype="bot_message", username="x", user=None),
        said("I am this program", "200.1", thread_ts="100.1", user=BOT, bot_id="B0BOT"),
        said("<@U7> has joined", "200.1", thread_ts="100.1", subtype="channel_join"),
        mention("I am a program, too", "200.1", bot_id="B7"),
        {"type": "reaction_added", "user": "U1", "item": {"channel": "C1", "ts": "100.1"}},
        {"type": "message"},
        {"type": "app_mention", "text": None, "user": None, "ts": None},
        {},
    ],
)
def test_what_is_not_asked_of_it_is_left_alone(face: Served, slack: FakeSlack, event: dict[str, Any]) -> None:
    face.event(mention(ASKED), "Ev1")
    answers(slack, 1)
    assert face.event(event, "Ev2").status_code in (200, 404)
    quiet(slack)
    assert len(slack.messages("C1")) == 1
    assert len(face.engine.asked) == 1


def test_where_another_organization_reads_along_an_admin_decides(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED, "100.1"), "Ev1", shared=True)
    slack.wait(lambda: any("shared with another organization" in words_of(each) for each in slack.messages("C1")))
    face.event(said(ASKED, "100.2", thread_ts="100.1"), "Ev2", shared=True)
    set_by_an_admin(face, "elsewhere:on")
    face.event(mention(ASKED, "100.3"), "Ev3", shared=True)
    slack.wait(lambda: len(slack.messages("C1")) == 2)
    assert face.engine.asked == []
    set_by_an_admin(face, "here:on")
    face.event(mention(ASKED, "100.4"), "Ev4", shared=True)
    answers(slack, 1)


def test_direct_messages_are_answered_with_a_status(face: Served, slack: FakeSlack) -> None:
    face.event(said(ASKED, "300.1", channel="D1", channel_type="im"))
    (answer,) = answers(slack, 1, "D1")
    assert answer["thread_ts"] == "300.1"
    (status,) = slack.called("assistant.threads.setStatus")
    assert (status["channel_id"], status["thread_ts"]) == ("D1", "300.1")


def test_who_opens_the_messages_is_offered_questions(face: Served, slack: FakeSlack) -> None:
    opened = {"type": "app_home_opened", "user": "U1", "channel": "D1", "event_ts": "1.1"}
    face.event({**opened, "tab": "home"}, "Ev1")
    face.event({**opened, "tab": "messages"}, "Ev2")
    (prompts,) = slack.wait(lambda: slack.called("assistant.threads.setSuggestedPrompts"))
    assert prompts["channel_id"] == "D1"
    assert prompts["prompts"][0]["message"] == "When did the ferry leave?"
    assert "thread_ts" not in prompts  # with one, Slack would show nothing to the users of an agent
    quiet(slack)
    assert len(slack.called("assistant.threads.setSuggestedPrompts")) == 1


def test_a_new_thread_of_an_older_assistant_gets_questions_to_ask(face: Served, slack: FakeSlack) -> None:
    started = {"user_id": "U1", "context": {}, "channel_id": "D1", "thread_ts": "300.1"}
    face.event({"type": "assistant_thread_started", "assistant_thread": started, "event_ts": "1.1"})
    (prompts,) = slack.wait(lambda: slack.called("assistant.threads.setSuggestedPrompts"))
    assert prompts["prompts"] == [{"title": "When did the ferry leave?", "message": "When did the ferry leave?"}]


def test_an_edited_question_changes_its_answer(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED), "Ev1")
    answers(slack, 1)
    slack.wait(lambda: not face.engine.deliveries.unfinished())
    new = {"user": "U1", "ts": "100.1", "text": f"<@{BOT}> Who was hurt?", "edited": {"user": "U1", "ts": "101.0"}}
    changed = said("", "101.0", subtype="message_changed", message=new, previous_message={**new, "text": "old"})
    face.event(changed, "Ev2")
    face.event(mention("Who was hurt?", edited={"user": "U1", "ts": "101.0"}), "Ev3")
    slack.wait(lambda: len(face.engine.asked) == 2)
    slack.wait(lambda: not face.engine.deliveries.unfinished())
    quiet(slack)
    assert [question.text for question in face.engine.asked] == [ASKED, "Who was hurt?"]
    assert face.engine.asked[1].history == ()
    assert len(slack.messages("C1")) == 1
    assert ANSWER in words_of(slack.messages("C1")[0])


def test_a_changed_preview_changes_nothing(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED), "Ev1")
    answers(slack, 1)
    same = {"user": "U1", "ts": "100.1", "text": f"<@{BOT}> {ASKED}"}
    face.event(said("", "101.0", subtype="message_changed", message=same, previous_message=same), "Ev2")
    quiet(slack)
    assert len(face.engine.asked) == 1


def test_with_a_deleted_question_goes_its_answer(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED), "Ev1")
    answers(slack, 1)
    slack.wait(lambda: not face.engine.deliveries.unfinished())
    previous = {"user": "U1", "ts": "100.1", "text": f"<@{BOT}> {ASKED}"}
    gone = said("", "102.0", subtype="message_deleted", deleted_ts="100.1", previous_message=previous)
    face.event(gone, "Ev2")
    slack.wait(lambda: not slack.messages("C1"))
    face.event(said("And the harbour?", "100.5", thread_ts="100.1"), "Ev3")
    answers(slack, 1)
    assert face.engine.asked[-1].history == ()


def test_help_and_wrong_dates_are_answered_in_the_thread(face: Served, slack: FakeSlack) -> None:
    face.event(mention("help", "100.1"), "Ev1")
    face.event(mention("since:soon what?", "100.2"), "Ev2")
    slack.wait(lambda: len(slack.messages("C1")) == 2)
    shown = " ".join(words_of(each) for each in slack.messages("C1"))
    assert "publisher:AP" in shown
    assert "Since:soon is no date" in shown
    assert face.engine.asked == []


def test_five_at_once_in_one_channel_are_all_answered(face: Served, slack: FakeSlack) -> None:
    slack.plays("chat.postMessage", *[Fault(429, "ratelimited", retry_after=1)] * 3)
    slack.plays("chat.update", Fault(500), Fault(drop=True), Fault(429, "ratelimited", retry_after=1))
    for number in range(5):
        face.event(mention(ASKED, f"100.{number}"), f"Ev{number}")
    assert {each["thread_ts"] for each in answers(slack, 5)} == {f"100.{number}" for number in range(5)}
    assert len(slack.messages("C1")) == 5


def test_an_update_that_went_through_before_it_broke_is_made_once_more(face: Served, slack: FakeSlack) -> None:
    slack.plays("chat.update", Fault(drop=True, carried_out=True))
    face.event(mention(ASKED))
    answers(slack, 1)
    slack.wait(lambda: len(slack.called("chat.update")) == 2)
    assert len(slack.messages("C1")) == 1


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel", "token_revoked", "invalid_auth"])
def test_where_nothing_can_be_said_nothing_is_asked(
    face: Served, slack: FakeSlack, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    slack.plays("chat.postMessage", Fault(error=code))
    face.event(mention(ASKED))
    slack.wait(lambda: code in caplog.text)
    slack.wait(lambda: not face.engine.deliveries.unfinished())
    assert len(slack.called("chat.postMessage")) == 1
    assert face.engine.asked == []


def test_what_goes_wrong_is_one_sentence(face: Served, slack: FakeSlack) -> None:
    face.event(mention("crash please"))
    slack.wait(lambda: any("Something went wrong" in words_of(each) for each in slack.messages("C1")))
    assert "secret" not in str(slack.messages("C1"))


def test_a_full_queue_is_told_politely(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, Limits(answers=1, waiting=1, first_wait_s=0.05)) as face:
        face.engine.free.clear()
        for number in range(5):
            face.event(mention(ASKED, f"100.{number}"), f"Ev{number}")
        slack.wait(lambda: any("Too many questions" in words_of(each) for each in slack.messages("C1")))
        face.engine.free.set()
        slack.wait(lambda: not face.engine.deliveries.unfinished())


def test_a_restart_in_the_middle_is_told_in_place_of_the_answer(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path) as face:
        face.engine.free.clear()
        face.event(mention(ASKED))
        slack.wait(lambda: slack.messages("C1"))
        slack.wait(lambda: face.engine.deliveries.unfinished()[0].shown)
        face.engine.closed = True
        face.face.close()
    with served(slack, tmp_path) as face:
        slack.wait(lambda: "restarted" in words_of(slack.messages("C1")[0]))
        face.event(mention(ASKED))
        quiet(slack)
        assert face.engine.asked == []
    assert len(slack.messages("C1")) == 1


def test_an_answer_that_a_stop_kept_back_comes_at_the_next_start(slack: FakeSlack, tmp_path: Path) -> None:
    slack.plays("chat.update", *[Fault(503)] * 5)
    with served(slack, tmp_path) as face:
        face.event(mention(ASKED))
        slack.wait(lambda: len(slack.called("chat.update")) == 5)
        quiet(slack)
        assert len(face.engine.deliveries.unfinished()) == 1
    with served(slack, tmp_path) as face:
        answers(slack, 1)
        slack.wait(lambda: not face.engine.deliveries.unfinished())
        assert face.engine.asked == []
    assert len(slack.messages("C1")) == 1


def test_written_answers_stream_and_end_as_one_whole_message(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, openai_base_url="http://127.0.0.1:1/v1") as face:
        face.engine.written = True
        face.event(mention(ASKED))
        (answer,) = answers(slack, 1)
    assert slack.called("chat.startStream")[0]["recipient_user_id"] == "U1"
    assert slack.called("chat.appendStream")[0]["markdown_text"].strip().startswith("• The ferry")
    assert len(slack.called("chat.stopStream")) == 1
    assert slack.called("chat.postMessage") == []
    assert answer["blocks"]


@pytest.mark.parametrize(
    "words",
    ["<!channel> & <@U1>", "[a](https://example.org)", "*b* _i_ ~s~ `c`", "https://example.org", "# head", "![i](x)"],
)
def test_nothing_in_a_stream_becomes_active(
    slack: FakeSlack, tmp_path: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(slack, tmp_path, openai_base_url="http://127.0.0.1:1/v1") as face:
        hostile = face.engine._claim("The ferry left at noon.")
        monkeypatch.setattr(face.engine, "_claim", lambda sentence: replace(hostile, text=words))
        face.event(mention(ASKED))
        slack.wait(lambda: slack.called("chat.stopStream"))
    streamed = slack.called("chat.appendStream")[0]["markdown_text"]
    assert streamed.startswith("\n• ")
    assert re.findall(r"[<>*_~`]|(?<!\\)[\[\]]|://", streamed) == []


def test_a_stream_that_is_taken_back_ends_in_the_whole_answer(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, openai_base_url="http://127.0.0.1:1/v1") as face:
        face.event(mention("start over: when did it leave?"))
        answers(slack, 1)
    assert len(slack.called("chat.appendStream")) == 1
    assert len(slack.messages("C1")) == 1


def test_where_slack_cannot_stream_the_answer_is_posted_and_updated(slack: FakeSlack, tmp_path: Path) -> None:
    slack.streams = False
    with served(slack, tmp_path, openai_base_url="http://127.0.0.1:1/v1") as face:
        face.event(mention(ASKED, "100.1"), "Ev1")
        answers(slack, 1)
        face.event(mention(ASKED, "100.2"), "Ev2")
        answers(slack, 2)
    assert len(slack.called("chat.startStream")) == 1
    assert len(slack.called("chat.postMessage")) == 2


def test_a_broken_stream_still_ends_in_the_answer(slack: FakeSlack, tmp_path: Path) -> None:
    slack.plays("chat.appendStream", Fault(error="message_not_in_streaming_state"))
    with served(slack, tmp_path, openai_base_url="http://127.0.0.1:1/v1") as face:
        face.event(mention(ASKED))
        answers(slack, 1)
    assert len(slack.messages("C1")) == 1


def test_an_opinion_is_kept_with_the_answer_and_its_history(face: Served, slack: FakeSlack) -> None:
    face.event(mention(ASKED, "100.1"), "Ev1")
    answers(slack, 1)
    slack.wait(lambda: not face.engine.deliveries.unfinished())
    face.event(said("And the harbour?", "100.5", thread_ts="100.1"), "Ev2")
    message = answers(slack, 2)[-1]
    value = buttons_of(message)["opinion_good"]
    place = {"type": "message", "message_ts": message["ts"], "channel_id": "C1", "is_ephemeral": False}
    shown = {"ts": message["ts"], "thread_ts": "100.1", "text": "x"}
    for action in ("opinion_bad", "opinion_good", "open"):
        assert face.press(action, value, container=place, message=shown).status_code == 200
        quiet(slack, 0.2)
    slack.wait(lambda: len(slack.called("chat.postEphemeral")) == 2)
    (opinion,) = face.engine.opinions.all()
    assert (opinion.good, opinion.face, opinion.answer.question) == (True, "slack", "And the harbour?")
    assert [turn.content for turn in opinion.history if turn.role == "user"] == [ASKED]
    assert "share" not in buttons_of(message)


def test_answers_link_to_the_page_where_it_has_an_address(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, rag_public_url="https://news.example.org/") as face:
        face.event(mention(ASKED))
        (answer,) = answers(slack, 1)
        link = next(
            element["url"]
            for block in answer["blocks"]
            if block["type"] == "actions"
            for element in block["elements"]
            if "url" in element
        )
        assert link.startswith("https://news.example.org/?conversation=")
        conversation = face.engine.conversations.find(link.partition("=")[2], "anybody")
    assert conversation.shared


def test_fifty_events_at_once_are_acknowledged_with_the_engine_busy(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, Limits(waiting=1_000)) as face:
        face.engine.free.clear()

        def bodies(attempt: int) -> list[tuple[str, str]]:
            events = [mention(ASKED, f"{attempt}.{number}") for number in range(50)]
            return [(json.dumps(callback(event, f"Ev{event['ts']}")), "application/json") for event in events]

        assert slowest_of_the_best(face.url, "/slack/events", bodies) < 0.3
        face.engine.free.set()
        answers(slack, 50)


def test_without_a_bot_token_events_are_acknowledged_and_left_alone(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, slack_bot_token=None) as face:
        assert face.event(mention(ASKED)).status_code == 200
        quiet(slack)
    assert slack.calls == []


def test_a_payload_that_is_nothing_is_refused_without_a_traceback(face: Served) -> None:
    for body in ("", "{", "[]", "null", "payload=%7B", "7", '{"type": "event_callback"}', str(callback({}))):
        assert face.post("/slack/events", body, "application/json").status_code < 500, body
