"""Socket Mode: the same answers where Slack cannot reach the server, against a fake Slack on real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.slack_server import FakeSlack, Fault
from tests.fakes.slack_socket import FakeSocket
from tests.ui.slack.helpers import callback, mention, served, words_of

ASKED = "When did the ferry leave?"


def answered(slack: FakeSlack) -> list[dict[str, Any]]:
    return [each for each in slack.messages("C1") if "The ferry left at noon." in words_of(each)]


def test_mentions_and_commands_come_over_the_socket(tmp_path: Path) -> None:
    with FakeSlack() as slack, FakeSocket() as socket:
        slack.socket_url = socket.url
        with served(slack, tmp_path, slack_app_token="xapp-fake"):
            assert socket.connected.wait(5)
            socket.acknowledgement(socket.send("events_api", callback(mention(ASKED))))
            slack.wait(lambda: answered(slack))
            command = {"command": "/dateline", "text": ASKED, "team_id": "T1", "trigger_id": "t1"}
            url = {"response_url": slack.response_url()}
            said = socket.acknowledgement(socket.send("slash_commands", {**command, **url}))
            assert said["payload"]["text"].startswith("Searching…")
            slack.wait(slack.responses)
        assert slack.problems == []


def test_a_socket_needs_no_signing_secret(tmp_path: Path) -> None:
    with FakeSlack() as slack, FakeSocket() as socket:
        slack.socket_url = socket.url
        with served(slack, tmp_path, slack_app_token="xapp-fake", slack_signing_secret=None) as face:
            assert socket.connected.wait(5)
            assert face.command(ASKED).status_code == 404
            socket.acknowledgement(socket.send("events_api", callback(mention(ASKED))))
            slack.wait(lambda: answered(slack))


def test_a_socket_that_cannot_be_had_is_one_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with FakeSlack() as slack:
        slack.plays("apps.connections.open", *[Fault(error="invalid_auth")] * 9)
        with served(slack, tmp_path, slack_app_token="xapp-fake") as face:
            slack.wait(lambda: "Socket Mode could not connect" in caplog.text)
            assert face.command(ASKED).status_code == 200
            slack.wait(slack.responses)
