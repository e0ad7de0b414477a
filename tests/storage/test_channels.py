from datetime import date
from pathlib import Path

import pytest

from rag.records import Filters
from rag.storage.channels import Channels, ChannelSettings
from rag.storage.database import Database

NARROW = ChannelSettings(Filters(date(2024, 1, 1), None, ("The Gull",)), True, "in_channel", False)


@pytest.fixture
def channels(tmp_path: Path) -> Channels:
    return Channels(Database(tmp_path / "library.sqlite3"))


def test_settings_are_kept_for_each_channel(channels: Channels) -> None:
    channels.put("T1", "C1", NARROW)
    channels.put("T1", "", ChannelSettings(answers=False))
    channels.put("T2", "C1", ChannelSettings(show="ephemeral"))
    channels.put("T2", "C1", ChannelSettings(every_question=True))
    assert channels.all() == {
        ("T1", "C1"): NARROW,
        ("T1", ""): ChannelSettings(answers=False),
        ("T2", "C1"): ChannelSettings(every_question=True),
    }


def test_settings_that_say_nothing_are_forgotten(channels: Channels) -> None:
    channels.put("T1", "C1", NARROW)
    channels.put("T1", "C1", ChannelSettings())
    assert channels.all() == {}


def test_what_cannot_be_read_is_left_out(channels: Channels, tmp_path: Path) -> None:
    channels.put("T1", "C1", NARROW)
    channels.put("T1", "C2", NARROW)
    with Database(tmp_path / "library.sqlite3").writing() as connection:
        connection.execute("UPDATE channels SET settings = '{' WHERE channel = 'C1'")
    assert channels.all() == {("T1", "C2"): NARROW}
