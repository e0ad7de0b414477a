"""What admins set for a channel, against a fake Slack on a real socket."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InvalidRequest
from rag.records import Filters
from rag.storage.channels import ChannelSettings
from rag.storage.database import Database
from tests.fakes.slack_server import FakeSlack, Fault
from tests.fakes.slack_socket import FakeSocket
from tests.ui.slack.helpers import FORM, Served, buttons_of, filled, mention, said, served, words_of
from ui.slack.settings import change, narrowed

ASKED = "When did the ferry leave?"
NOTHING = ChannelSettings()
GULL = Filters(date(2024, 1, 1), date(2024, 6, 30), ("The Gull",))


def set_by_an_admin(face: Served, words: str) -> str:
    """What the admin is told."""
    before = len(face.slack.responses())
    face.command(f"settings {words}", user_id="U0ADMIN", trigger=f"admin{before}")
    face.slack.wait(lambda: len(face.slack.responses()) > before)
    return words_of(face.slack.responses()[-1])


@pytest.mark.parametrize(
    ("words", "settings", "elsewhere"),
    [
        ("publisher:AP", ChannelSettings(Filters(publishers=("AP",))), None),
        ("answer:questions show:all", ChannelSettings(every_question=True, show="in_channel"), None),
        ("Answer:Mentions SHOW:asker here:on", ChannelSettings(show="ephemeral", answers=True), None),
        ("here:off elsewhere:on", ChannelSettings(answers=False), True),
        ("elsewhere:off", NOTHING, False),
    ],
)
def test_settings_are_written_as_words(words: str, settings: ChannelSettings, elsewhere: bool | None) -> None:
    assert change(NOTHING, words) == (settings, elsewhere)


def test_what_is_not_named_stays_and_reset_forgets() -> None:
    narrow = ChannelSettings(GULL, True, "in_channel", True)
    assert change(narrow, "show:asker")[0] == ChannelSettings(GULL, True, "ephemeral", True)
    assert change(narrow, "publisher:AP")[0].filters == Filters(publishers=("AP",))
    assert change(narrow, "reset") == (NOTHING, None)


@pytest.mark.parametrize("words", ["answer:never", "show:", "here:perhaps", "since:soon", "elsewhere:no"])
def test_a_wrong_setting_says_how_to_write_it(words: str) -> None:
    with pytest.raises(InvalidRequest, match="write"):
        change(NOTHING, words)


def test_a_channel_narrows_what_is_asked() -> None:
    assert narrowed(Filters(), GULL) == GULL
    assert narrowed(GULL, Filters()) == GULL
    asked = Filters(date(2024, 2, 1), date(2025, 1, 1), ("the gull", "AP"))
    assert narrowed(asked, GULL) == Filters(date(2024, 2, 1), date(2024, 6, 30), ("the gull",))
    with pytest.raises(InvalidRequest, match="searches only The Gull"):
        narrowed(Filters(publishers=("AP",)), GULL)
    with pytest.raises(InvalidRequest, match="searches only since 2024-01-01 until 2024-06-30"):
        narrowed(Filters(since=date(2025, 1, 1)), GULL)


def test_without_a_bot_token_settings_are_refused_in_one_line(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, slack_bot_token=None) as face:
        said = face.command("settings publisher:AP").json()
    assert words_of(said) == "Settings need SLACK_BOT_TOKEN, which is what tells who is an admin."
    assert slack.calls == []


def test_only_admins_change_settings(face: Served, slack: FakeSlack) -> None:
    face.command("settings publisher:AP", user_id="U1")
    slack.wait(slack.responses)
    assert "Only admins" in words_of(slack.responses()[0])
    assert face.engine.channels.all() == {}
    slack.plays("users.info", Fault(error="missing_scope"))
    assert "(missing_scope)" in set_by_an_admin(face, "publisher:AP")
    assert face.engine.channels.all() == {}


def test_settings_hold_in_their_channel_also_after_a_restart(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path) as face:
        assert "publishers: The Gull" in set_by_an_admin(face, 'publisher:"The Gull" show:all')
    with served(slack, tmp_path) as face:
        assert "publishers: The Gull" in words_of(face.command("settings").json())
        face.command(ASKED, trigger="t5")
        slack.wait(lambda: len(slack.responses()) == 2)
        assert slack.responses()[-1]["response_type"] == "in_channel"
        face.event(mention(ASKED))
        slack.wait(lambda: len(face.engine.asked) == 2)
        assert {question.filters.publishers for question in face.engine.asked} == {("The Gull",)}
        assert "searches only The Gull" in words_of(face.command("publisher:AP what?").json())
        face.command(ASKED, trigger="t6", channel_id="C2")
        slack.wait(lambda: len(face.engine.asked) == 3)
        assert face.engine.asked[-1].filters == Filters()


def test_every_question_of_a_channel_is_answered_where_it_is_set(face: Served, slack: FakeSlack) -> None:
    set_by_an_admin(face, "answer:questions")
    face.event(said("Good morning.", "1.1"), "Ev1")
    face.event(said("<@U7> did you see it?", "1.2"), "Ev2")
    face.event(said(ASKED, "1.3"), "Ev3")
    slack.wait(lambda: face.engine.asked)
    time.sleep(0.3)
    assert [question.text for question in face.engine.asked] == [ASKED]


def test_answers_for_who_asked_alone(face: Served, slack: FakeSlack) -> None:
    set_by_an_admin(face, "show:asker")
    face.event(mention(ASKED))
    (hidden,) = slack.wait(lambda: slack.called("chat.postEphemeral"))
    assert hidden["user"] == "U1"
    assert "thread_ts" not in hidden
    assert slack.messages("C1") == []
    answer_id = buttons_of(hidden)["share"]
    container = {"type": "message", "message_ts": "5.5", "channel_id": "C1", "is_ephemeral": True}
    face.press("share", answer_id, container=container)
    slack.wait(lambda: len(slack.responses()) == 2)
    assert slack.responses()[-1]["response_type"] == "in_channel"


def test_channels_that_are_not_allowed_say_so(face: Served, slack: FakeSlack) -> None:
    set_by_an_admin(face, "elsewhere:off here:on")
    assert "not answered in this channel" in words_of(face.command(ASKED, channel_id="C2").json())
    face.event(mention(ASKED, channel="C2"), "Ev1")
    slack.wait(lambda: "not answered" in " ".join(words_of(each) for each in slack.messages("C2")))
    face.event(mention(ASKED), "Ev2")
    slack.wait(lambda: face.engine.asked)
    assert len(face.engine.asked) == 1
    set_by_an_admin(face, "elsewhere:on")
    face.command(ASKED, trigger="t7", channel_id="C2")
    slack.wait(lambda: len(face.engine.asked) == 2)


def test_a_question_that_begins_with_settings_is_a_question(face: Served, slack: FakeSlack) -> None:
    face.command("settings of the reactor?")
    slack.wait(lambda: face.engine.asked)
    assert face.engine.asked[0].text == "settings of the reactor?"


# In a dialog


def told(slack: FakeSlack) -> str:
    """What who saved a dialog was told last."""
    slack.wait(lambda: slack.called("chat.postEphemeral"))
    return words_of(slack.called("chat.postEphemeral")[-1])


def test_settings_are_chosen_in_a_dialog_and_hold_also_after_a_restart(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path) as face:
        view = face.settings_dialog()
        gull = slack.wait(lambda: [each for each in face.suggest("gull") if each["text"]["text"] == "The Gull"])
        assert face.submit(view, publishers=gull, since="2024-01-01", show="all") == {}
        assert "publishers: The Gull; dates: since 2024-01-01" in told(slack)
        (confirmed,) = slack.called("chat.postEphemeral")
        assert (confirmed["channel"], confirmed["user"]) == ("C1", "U0ADMIN")
        face.command(ASKED, trigger="t5")
        slack.wait(lambda: len(face.engine.asked) == 1)
        assert face.engine.asked[0].filters == Filters(date(2024, 1, 1), None, ("The Gull",))
        face.command(ASKED, trigger="t6", channel_id="C2")
        slack.wait(lambda: len(face.engine.asked) == 2)
        assert face.engine.asked[1].filters == Filters()
    with served(slack, tmp_path) as face:
        face.event(mention(ASKED))
        slack.wait(lambda: face.engine.asked)
        assert face.engine.asked[0].filters == Filters(date(2024, 1, 1), None, ("The Gull",))
        # In a dialog that was open already.
        slack.wait(lambda: [each["text"]["text"] for each in face.suggest("gull")][:1] == ["The Gull"])
        menu = face.settings_dialog()["blocks"][0]["element"]
        assert [option["text"]["text"] for option in menu["initial_options"]] == ["The Gull"]


def test_a_dialog_that_is_open_across_a_restart_can_be_saved(slack: FakeSlack, tmp_path: Path) -> None:
    long = "A name that is much too long for the value of an option " * 5
    with served(slack, tmp_path) as face:
        face.engine.names = ["The Gull", long]
        view = face.settings_dialog()
        options = slack.wait(lambda: face.suggest(""))
    with served(slack, tmp_path) as face:
        face.engine.names = ["The Gull", long]
        assert "publishers" in face.submit(view, publishers=options)["errors"]
        slack.wait(lambda: face.submit(view, publishers=options) == {})
        told(slack)
        assert face.engine.channels.all()["T1", "C1"].filters.publishers == ("The Gull", long)


def test_a_dialog_turns_other_channels_off(face: Served, slack: FakeSlack) -> None:
    view = face.settings_dialog()
    assert face.submit(view, elsewhere="off", here="on") == {}
    told(slack)
    assert "not answered in this channel" in words_of(face.command(ASKED, channel_id="C2").json())
    face.command(ASKED, trigger="t7")
    slack.wait(lambda: face.engine.asked)
    # A dialog that was opened before changes nothing of it that was not changed there.
    assert face.submit(view, here="on") == {}
    slack.wait(lambda: len(slack.called("chat.postEphemeral")) == 2)
    assert face.engine.channels.all()["T1", ""].answers is False


def test_who_is_no_admin_gets_the_sentence_and_no_dialog(face: Served, slack: FakeSlack) -> None:
    shown = words_of(face.command("settings", user_id="U1").json())
    assert shown == words_of(face.command("settings", user_id="U0ADMIN", channel_id="C2").json())
    assert "publishers: all; dates: all" in shown
    slack.wait(lambda: slack.views)
    assert [json.loads(view["private_metadata"])["channel"] for view in slack.views] == ["C2"]
    assert slack.responses() == []


def test_settings_without_a_bot_token_open_no_dialog(slack: FakeSlack, tmp_path: Path) -> None:
    with served(slack, tmp_path, slack_bot_token=None) as face:
        assert "SLACK_BOT_TOKEN" in words_of(face.command("settings", user_id="U0ADMIN").json())
    assert slack.calls == []


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("views.open", Fault(error="missing_scope")),
        ("views.open", Fault(error="expired_trigger_id")),
        ("users.info", Fault(error="missing_scope")),
        ("users.info", Fault(status=429, retry_after=30)),
    ],
)
def test_without_a_dialog_the_words_remain(
    face: Served, slack: FakeSlack, method: str, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="rag.slack")
    slack.plays(method, fault)
    assert "To change it: /dateline settings" in words_of(face.command("settings", user_id="U0ADMIN").json())
    slack.wait(lambda: "could not be opened" in caplog.text)
    assert slack.views == []
    assert "publishers: AP" in set_by_an_admin(face, "publisher:AP")


def test_a_trigger_that_expired_opens_nothing(face: Served, slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="rag.slack")
    command = face.form("settings", "old", user_id="U0ADMIN")
    slack.triggers("old", seconds_ago=4)
    assert "In this channel" in words_of(face.post("/slack/command", command, FORM).json())
    slack.wait(lambda: "could not be opened in Slack (views.open: expired_trigger_id)" in caplog.text)
    assert slack.views == []


def test_what_cannot_hold_is_shown_in_the_dialog(face: Served, slack: FakeSlack) -> None:
    view = face.settings_dialog()
    refused = face.submit(view, since="2024-06-30", until="2024-01-01")
    assert refused["response_action"] == "errors"
    assert "Nothing lies between" in refused["errors"]["until"]
    assert set(refused["errors"]) <= {block["block_id"] for block in view["blocks"]}
    assert "private_metadata" not in str(face.submit({**view, "private_metadata": ""}))
    time.sleep(0.2)
    assert face.engine.channels.all() == {}
    assert slack.called("chat.postEphemeral") == []


def test_who_is_an_admin_no_more_saves_nothing(face: Served, slack: FakeSlack) -> None:
    view = face.settings_dialog()
    slack.admins.clear()
    assert face.submit(view, answer="questions") == {}
    assert told(slack) == "Only admins of the workspace can change the settings."
    assert face.engine.channels.all() == {}


def test_a_library_that_fails_is_told(face: Served, slack: FakeSlack, tmp_path: Path) -> None:
    face.engine.names = None
    view = face.settings_dialog()
    # What was typed can be chosen all the same.
    options = face.suggest("Gull")
    assert [option["text"]["text"] for option in options] == ["Gull (as you wrote it)"]
    with Database(tmp_path / "library.sqlite3").writing() as connection:
        connection.execute("DROP TABLE channels")
    assert face.submit(view, publishers=options) == {}
    assert "cannot be used" in told(slack)
    assert "publishers: all" in words_of(face.command("settings").json())


def test_where_the_app_is_no_member_the_dialog_closes_and_the_settings_hold(
    face: Served, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="rag.slack")
    view = face.settings_dialog()
    slack.plays("chat.postEphemeral", Fault(error="not_in_channel"))
    assert face.submit(view, answer="questions") == {}
    slack.wait(lambda: "could not be told in Slack (chat.postEphemeral: not_in_channel)" in caplog.text)
    assert "Answers every question" in words_of(face.command("settings").json())


def test_the_dialog_waits_for_nothing_before_it_is_answered(face: Served, slack: FakeSlack) -> None:
    view = face.settings_dialog()
    for method in ("users.info", "views.open", "chat.postEphemeral"):
        slack.plays(method, Fault(wait_s=1, carried_out=True, error="slow"))
    begun = time.monotonic()
    face.command("settings", user_id="U0ADMIN")
    face.suggest("gull")
    face.submit(view, answer="questions")
    assert time.monotonic() - begun < 0.9


def test_three_thousand_publishers_with_hostile_names_among_them(face: Served, slack: FakeSlack) -> None:
    face.engine.names = [f"Paper {number}" for number in range(2_999)] + ["<!channel> *Gazette* https://evil.example"]
    view = face.settings_dialog()
    slack.wait(lambda: len(face.suggest("")) == 100)
    found = face.suggest("gazette")
    assert found[0]["text"]["text"].startswith("<\u2060!channel>")
    assert face.submit(view, publishers=[*found[:1], *face.suggest("paper 2998")[:1]]) == {}
    told(slack)
    kept = face.engine.channels.all()["T1", "C1"].filters.publishers
    assert kept == (face.engine.names[-1], "Paper 2998")


def test_the_dialog_works_over_a_socket(slack: FakeSlack, tmp_path: Path) -> None:
    with FakeSocket() as socket:
        slack.socket_url = socket.url
        with served(slack, tmp_path, slack_app_token="xapp-fake"):
            assert socket.connected.wait(5)
            who = {"team_id": "T1", "channel_id": "C1", "user_id": "U0ADMIN", "trigger_id": slack.triggers("t1")}
            socket.acknowledgement(socket.send("slash_commands", {"command": "/dateline", "text": "settings", **who}))
            (view,) = slack.wait(lambda: slack.views)
            about = {"team": {"id": "T1"}, "user": {"id": "U0ADMIN"}}
            menu = {"type": "block_suggestion", "action_id": "publishers", "block_id": "publishers", "value": "AP"}
            offered = socket.acknowledgement(socket.send("interactive", {**about, **menu}))["payload"]["options"]
            wrong = filled(view, since="2024-02-01", until="2024-01-01")
            refused = socket.acknowledgement(socket.send("interactive", submission(about, wrong)))
            assert "until" in refused["payload"]["errors"]
            saved = socket.acknowledgement(
                socket.send("interactive", submission(about, filled(view, publishers=offered)))
            )
            assert not saved.get("payload")
            assert "publishers: AP" in told(slack)


def submission(about: dict[str, Any], view: dict[str, Any]) -> dict[str, Any]:
    return {"type": "view_submission", **about, "view": view}
