"""`rag serve` with Slack: the whole way from a signed request to a quote from the library, also across a kill."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from urllib.parse import urlencode

import httpx

from tests.conftest import Server, start_server, stop_server
from tests.fakes.slack_server import SECRET, TOKEN, FakeSlack, signed
from tests.ui.slack.helpers import FORM, callback, mention, words_of

ASKED = "what did Iran demand in Muscat?"
QUOTE = "Iran demanded that the Biden administration bring about a cease-fire in Gaza"


def started(home: Path, slack: FakeSlack) -> Server:
    return start_server(home, SLACK_SIGNING_SECRET=SECRET, SLACK_BOT_TOKEN=TOKEN, SLACK_API_URL=slack.api_url)


def send(server: Server, path: str, body: str, kind: str) -> httpx.Response:
    headers = {"Content-Type": kind, **signed(body)}
    return httpx.post(server.url + path, content=body, headers=headers, trust_env=False, timeout=20)


def test_the_library_answers_in_slack_and_only_once_also_after_a_kill(seeded_copy: Path) -> None:
    event = json.dumps(callback(mention(ASKED)))
    command = {"command": "/dateline", "text": ASKED, "team_id": "T1", "channel_id": "C1", "trigger_id": "t1"}
    with FakeSlack() as slack:
        server = started(seeded_copy, slack)
        try:
            form = urlencode({**command, "response_url": slack.response_url()})
            assert send(server, "/slack/command", form, FORM).json()["text"].startswith("Searching…")
            for _ in range(2):
                assert send(server, "/slack/events", event, "application/json").status_code == 200
            slack.wait(lambda: QUOTE in " ".join(words_of(each) for each in slack.messages("C1")), 30)
            slack.wait(lambda: QUOTE in " ".join(words_of(each) for each in slack.responses()), 30)
            server.process.send_signal(signal.SIGKILL)
        finally:
            stop_server(server)
        server = started(seeded_copy, slack)
        try:
            for _ in range(2):
                assert send(server, "/slack/events", event, "application/json").status_code == 200
            other = json.dumps(callback(mention(ASKED, "200.1"), "Ev2"))
            send(server, "/slack/events", other, "application/json")
            slack.wait(lambda: len(slack.messages("C1")) == 2, 30)
        finally:
            stop_server(server)
        assert [each["thread_ts"] for each in slack.messages("C1")] == ["100.1", "200.1"]
        assert slack.problems == []
