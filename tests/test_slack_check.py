"""What `rag doctor` says of Slack, against a fake Slack on a real socket, and the manifest that it goes with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag.records import Check
from rag.settings import Settings
from rag.slack_check import SCOPES, check_slack
from tests.conftest import Cli
from tests.fakes.slack_server import SECRET, TOKEN, FakeSlack, Fault

ROOT = Path(__file__).parent.parent


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        yield server


def checked(slack: FakeSlack, **settings: Any) -> dict[str, Check]:
    return {check.name: check for check in check_slack(Settings(slack_api_url=slack.api_url, **settings))}


def test_nothing_is_said_where_nothing_is_set_up(slack: FakeSlack) -> None:
    assert checked(slack) == {}
    assert slack.calls == []


def test_the_slash_command_needs_the_secret_only(slack: FakeSlack) -> None:
    found = checked(slack, slack_signing_secret=SECRET)
    assert all(check.ok for check in found.values())
    assert "mentions and direct messages do not" in found["slack bot token"].message
    assert slack.calls == []


def test_a_whole_set_up_is_sound(slack: FakeSlack) -> None:
    slack.socket_url = "ws://127.0.0.1:1"
    found = checked(slack, slack_signing_secret=SECRET, slack_bot_token=TOKEN, slack_app_token="xapp-fake")
    assert [check for check in found.values() if not check.ok] == []
    assert found["slack bot token"].message == "dateline in Gulls, with all scopes"


def test_what_is_missing_is_named(slack: FakeSlack) -> None:
    slack.scopes = ",".join(scope for scope in SCOPES if scope not in ("chat:write", "im:history"))
    found = checked(slack, slack_bot_token=TOKEN)
    assert not found["slack signing secret"].ok
    assert "SLACK_SIGNING_SECRET is not set" in found["slack signing secret"].message
    assert not found["slack bot token"].ok
    assert "lacks the scopes chat:write, im:history" in found["slack bot token"].message
    alone = checked(slack, slack_app_token="xapp-fake")
    assert "SLACK_BOT_TOKEN is not set" in alone["slack bot token"].message


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
def test_a_token_that_slack_refuses_is_named(slack: FakeSlack, code: str) -> None:
    slack.plays("auth.test", Fault(error=code))
    found = checked(slack, slack_signing_secret=SECRET, slack_bot_token=TOKEN)["slack bot token"]
    assert not found.ok
    assert f"({code})" in found.message
    assert TOKEN not in found.message


def test_a_token_in_the_wrong_place_is_named(slack: FakeSlack) -> None:
    found = checked(slack, slack_signing_secret=TOKEN, slack_bot_token="xapp-fake", slack_app_token=TOKEN)
    assert [check.ok for check in found.values()] == [False, False, False]
    assert "holds a token" in found["slack signing secret"].message
    assert slack.calls == []


def test_a_slack_out_of_reach_is_named() -> None:
    settings = Settings(slack_api_url="http://127.0.0.1:1/api/", slack_signing_secret=SECRET, slack_bot_token=TOKEN)
    (_, bot) = check_slack(settings)
    assert not bot.ok
    assert "cannot be reached at http://127.0.0.1:1/api/" in bot.message


def test_an_address_that_takes_unsigned_requests_is_named(slack: FakeSlack) -> None:
    found = checked(slack, slack_signing_secret=SECRET, rag_public_url=slack.origin)["slack address"]
    assert not found.ok
    assert "instead of 401" in found.message


def test_the_doctor_says_it_on_the_command_line(cli: Cli, slack: FakeSlack) -> None:
    slack.plays("auth.test", Fault(error="token_revoked"))
    done = cli("doctor", SLACK_API_URL=slack.api_url, SLACK_SIGNING_SECRET=SECRET, SLACK_BOT_TOKEN=TOKEN)
    assert done.returncode == 1
    assert "token_revoked" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_manifest_asks_for_what_is_used() -> None:
    manifest = yaml.safe_load((ROOT / "ui" / "slack" / "manifest.yaml").read_text(encoding="utf-8"))
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(SCOPES)
    urls = {
        manifest["settings"]["event_subscriptions"]["request_url"],
        manifest["settings"]["interactivity"]["request_url"],
        manifest["settings"]["interactivity"]["message_menu_options_url"],
        manifest["features"]["slash_commands"][0]["url"],
    }
    assert {url.removeprefix("https://news.example.org") for url in urls} == {"/slack/events", "/slack/command"}
    home = manifest["features"]["app_home"]
    # Else nobody could write to the app alone.
    assert (home["messages_tab_enabled"], home["messages_tab_read_only_enabled"]) == (True, False)
    assert "app_home_opened" in manifest["settings"]["event_subscriptions"]["bot_events"]
    # Slack's own limits on a manifest.
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == sorted(
        manifest["settings"]["event_subscriptions"]["bot_events"]
    )
