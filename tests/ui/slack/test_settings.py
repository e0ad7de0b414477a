"""What admins set for a channel, against a fake Slack on a real socket."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from rag.errors import InvalidRequest
from rag.records import Filters
from rag.storage.channels import ChannelSettings
from tests.fakes.slack_server import FakeSlack, Fault
from tests.ui.slack.helpers import Served, buttons_of, mention, said, served, words_of
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
