"""The slash command on a real server, against a fake Slack on a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.records import Filters
from tests.fakes.slack_server import FakeSlack, Fault, signed
from tests.ui.slack.helpers import FORM, Served, buttons_of, served, slowest_of_the_best, words_of
from ui.slack.face import Limits


@pytest.fixture
def face(slack: FakeSlack, tmp_path: Path) -> Iterator[Served]:
    """With a signing secret and nothing else."""
    with served(slack, tmp_path, slack_bot_token=None) as here:
        yield here


def one_response(slack: FakeSlack) -> dict[str, Any]:
    slack.wait(slack.responses)
    (body,) = slack.responses()
    return dict(body)


def test_a_command_is_acknowledged_and_then_answered(face: Served, slack: FakeSlack) -> None:
    said = face.command("When did the ferry leave?")
    assert said.status_code == 200
    assert said.headers["content-type"] == "application/json"
    assert said.json()["response_type"] == "ephemeral"
    assert said.json()["text"].startswith("Searching…")
    answered = one_response(slack)
    assert answered["response_type"] == "ephemeral"
    assert "The ferry left at noon." in words_of(answered)
    assert {"opinion_good", "opinion_bad", "share"} <= set(buttons_of(answered))
    assert answered["unfurl_links"] is answered["unfurl_media"] is False


def test_answers_for_all_say_what_was_asked(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, slack_bot_token=None, slack_response="in_channel") as face:
        assert (
            face.command("When did the &lt;b&gt;ferry&lt;/b&gt; leave? <!channel>").json()["response_type"]
            == "ephemeral"
        )
        answered = one_response(slack)
    assert answered["response_type"] == "in_channel"
    assert words_of(answered).startswith("Asked: When did the <b>ferry</b> leave?")
    assert "share" not in buttons_of(answered)


def bad_signatures() -> dict[str, dict[str, str]]:
    body = "text=hi"
    good = signed(body)
    return {
        "none": {},
        "no timestamp": {"X-Slack-Signature": good["X-Slack-Signature"]},
        "no signature": {"X-Slack-Request-Timestamp": good["X-Slack-Request-Timestamp"]},
        "another secret": signed(body, secret="another"),
        "another body": signed("text=ho"),
        "six minutes old": signed(body, at=time.time() - 360),
        "six minutes ahead": signed(body, at=time.time() + 360),
        **{
            f"timestamp {odd!r}": {**good, "X-Slack-Request-Timestamp": odd}
            for odd in ("", "soon", "1e9", "12.5", "-1", "NaN", "9" * 400, "0x10", "+1", "1_0")
        },
        "an odd signature": {**good, "X-Slack-Signature": "v0=ümlaut"},
    }


@pytest.mark.parametrize("path", ["/slack/command", "/slack/events"])
def test_who_is_not_slack_gets_401(face: Served, path: str) -> None:
    for name, headers in bad_signatures().items():
        raw = {key: value.encode() for key, value in headers.items()}
        said = face.client.post(face.url + path, content="text=hi", headers={"Content-Type": FORM, **raw})
        assert (said.status_code, said.json()["error"]["code"]) == (401, "unauthorized"), name
    good = face.client.post(face.url + path, content=b"text=\xff\xfe", headers=signed(b"text=\xff\xfe"))
    assert good.status_code != 401


def test_other_methods_are_refused_as_everywhere(face: Served) -> None:
    for path in ("/slack/command", "/slack/events"):
        said = face.client.get(face.url + path)
        assert (said.status_code, said.json()["error"]["code"]) == (405, "method_not_allowed")
    assert face.client.post(f"{face.url}/slack/other").status_code == 404


@pytest.mark.parametrize("text", ["", "   ", "help", "HELP", "since:2024-01-01"])
def test_nothing_asked_gets_help(face: Served, slack: FakeSlack, text: str) -> None:
    said = face.command(text).json()
    assert said["response_type"] == "ephemeral"
    assert "/dateline since:2024-01-01 until:2024-06-30 publisher:AP QUESTION" in words_of(said)
    assert face.engine.asked == []


def test_words_that_narrow_reach_the_engine(face: Served, slack: FakeSlack) -> None:
    face.command('since:2024-01-01 until:2024-06-30 publisher:AP publisher:"The Gull" When did it leave?')
    slack.wait(slack.responses)
    (asked,) = face.engine.asked
    assert asked.text == "When did it leave?"
    assert asked.filters == Filters(since=asked.filters.since, until=asked.filters.until, publishers=("AP", "The Gull"))
    assert (str(asked.filters.since), str(asked.filters.until)) == ("2024-01-01", "2024-06-30")


def test_a_wrong_date_is_told_at_once(face: Served) -> None:
    said = face.command("since:yesterday what happened?").json()
    assert "Since:yesterday is no date (write it as since:2024-03-15)." in words_of(said)
    assert face.engine.asked == []


def test_what_goes_wrong_is_one_sentence(face: Served, slack: FakeSlack) -> None:
    face.command("crash please")
    answered = one_response(slack)
    assert "Something went wrong while answering" in words_of(answered)
    assert "secret" not in str(answered)


def test_an_empty_library_says_so(face: Served, slack: FakeSlack) -> None:
    face.engine.empty = True
    face.command("anything?")
    assert "The library is empty" in words_of(one_response(slack))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/x",
        "http://hooks.slack.com/x",
        "https://hooks.slack.com.example.org/x",
        "https://hooks.slack.com@example.org/x",
        "https://evilslack.com/x",
        "https://hooks.slack.com:8443/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "",
        "https://[",
        "http://169.254.169.254/latest",
    ],
)
def test_answers_go_to_slack_only(face: Served, slack: FakeSlack, url: str) -> None:
    said = face.command("When did the ferry leave?", response_url=url)
    assert said.status_code == 200
    assert "could not be brought" in words_of(said.json())
    assert face.engine.asked == []


def test_redirects_are_not_followed(face: Served, slack: FakeSlack) -> None:
    slack.plays("response_url", Fault(redirect=f"{slack.origin}/elsewhere"))
    face.command("When did the ferry leave?")
    slack.wait(slack.responses)
    time.sleep(0.3)
    assert [call.path for call in slack.calls] == ["/commands/T1/t1"]


def test_the_answer_comes_in_spite_of_faults(face: Served, slack: FakeSlack) -> None:
    slack.plays("response_url", Fault(429, retry_after=1), Fault(500), Fault(drop=True))
    face.command("When did the ferry leave?")
    slack.wait(lambda: len(slack.responses()) == 4)
    first, second = [call.at for call in slack.calls][:2]
    assert second - first >= 1
    assert "The ferry left at noon." in words_of(slack.responses()[-1])


@pytest.mark.parametrize("fault", [Fault(404, "used_url"), Fault(404, "expired_url"), Fault(410)])
def test_an_address_that_expired_is_left_alone(
    face: Served, slack: FakeSlack, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    slack.plays("response_url", fault)
    face.command("When did the ferry leave?")
    slack.wait(slack.responses)
    slack.wait(lambda: "left without an answer" in caplog.text)
    time.sleep(0.2)
    assert len(slack.responses()) == 1
    slack.wait(lambda: face.engine.deliveries.unfinished() == [])


def test_a_full_queue_is_told_politely(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, Limits(answers=1, waiting=1), slack_bot_token=None) as face:
        face.engine.free.clear()
        said = [words_of(face.command("When?", trigger=f"t{n}").json()) for n in range(6)]
        assert any("Too many questions" in words for words in said)
        taken = sum("Searching" in words for words in said)
        assert 1 <= taken < 6
        face.engine.free.set()
        slack.wait(lambda: len(slack.responses()) == taken)


def test_fifty_at_once_are_acknowledged_with_the_engine_busy_and_the_shared_threads_taken(
    slack: FakeSlack, tmp_path: Path
) -> None:
    with served(slack, tmp_path, Limits(waiting=1_000), slack_bot_token=None) as face:
        face.engine.free.clear()
        # More answers over HTTP than there are shared threads: all of them wait for the engine.
        for _ in range(45):
            threading.Thread(target=_ask_over_http, args=(face.url,), daemon=True).start()
        time.sleep(1)

        def bodies(attempt: int) -> list[tuple[str, str]]:
            return [(face.form("When did the ferry leave?", f"{attempt}.{number}"), FORM) for number in range(50)]

        took = slowest_of_the_best(face.url, "/slack/command", bodies)
        assert took < 0.3
        face.engine.free.set()
        slack.wait(lambda: len(slack.responses()) >= 50, 30)


def _ask_over_http(url: str) -> None:
    with httpx.Client(trust_env=False, timeout=60) as client:
        client.post(f"{url}/v1/answer", json={"question": "When did the ferry leave?"})


def test_who_waits_too_long_is_told_once(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, Limits(patience_s=0.3), slack_bot_token=None) as face:
        face.engine.free.clear()
        face.command("When did the ferry leave?")
        assert "took too long" in words_of(one_response(slack))
        face.engine.free.set()
        time.sleep(0.3)
        assert len(slack.responses()) == 1


def test_a_restart_in_the_middle_is_told(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, slack_bot_token=None) as face:
        face.engine.free.clear()
        face.command("When did the ferry leave?")
        slack.wait(face.engine.deliveries.unfinished)
        broken_off = face.engine.deliveries.unfinished()
        face.engine.closed = True
        face.face.close()
    assert slack.responses() == []
    assert len(broken_off) == 1
    with served(slack, tmp_path, slack_bot_token=None):
        assert "restarted" in words_of(one_response(slack))


def test_without_a_secret_there_is_no_slack(seed_server: Any) -> None:
    for path in ("/slack/command", "/slack/events"):
        said = httpx.post(seed_server.url + path, content="text=hi", headers=signed("text=hi"), trust_env=False)
        assert (said.status_code, said.json()["error"]["code"]) == (404, "not_found")


def test_a_stored_answer_answers_its_buttons(face: Served, slack: FakeSlack) -> None:
    face.command("When did the ferry leave?")
    answer_id = buttons_of(one_response(slack))["share"]
    hidden = {"container": {"type": "message", "message_ts": "5.5", "channel_id": "C1", "is_ephemeral": True}}
    assert face.press("opinion_bad", answer_id, **hidden).status_code == 200
    slack.wait(lambda: len(slack.responses()) == 2)
    assert "Thank you" in slack.responses()[-1]["text"]
    (opinion,) = face.engine.opinions.all()
    assert (opinion.good, opinion.face, opinion.answer.id) == (False, "slack", answer_id)
    face.press("share", answer_id, **hidden)
    slack.wait(lambda: len(slack.responses()) == 3)
    shared = slack.responses()[-1]
    assert (shared["response_type"], shared["replace_original"]) == ("in_channel", False)
    assert "The ferry left at noon." in words_of(shared)
    assert words_of(shared).startswith("Asked: When did the ferry leave?")
    face.press("show_quotes", answer_id, **hidden)
    slack.wait(lambda: len(slack.responses()) == 4)
    assert slack.responses()[-1]["replace_original"] is True
    assert "share" in buttons_of(slack.responses()[-1])


def test_an_answer_that_is_gone_says_so(face: Served, slack: FakeSlack) -> None:
    face.press("share", "unknown", container={"channel_id": "C1", "message_ts": "5.5"})
    assert "no longer kept" in one_response(slack)["text"]
