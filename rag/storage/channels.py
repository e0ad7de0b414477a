"""What holds in a channel of Slack, kept in the library's file."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from rag.records import Filters
from rag.storage.columns import packed, storable
from rag.storage.database import Database

__all__ = ["ChannelSettings", "Channels"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """`filters` narrow all that is asked there. With `every_question` messages that ask need no mention. `show` says
    who sees answers, `answers` whether there are any; None leaves it to what holds elsewhere."""

    filters: Filters = Filters()
    every_question: bool = False
    show: Literal["ephemeral", "in_channel"] | None = None
    answers: bool | None = None


_SETTINGS = TypeAdapter(ChannelSettings)


class Channels:
    """The settings of channels; those of the channel "" are what holds in the rest of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[tuple[str, str], ChannelSettings]:
        """By workspace and channel. What cannot be read is left out with a warning."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT team, channel, CAST(settings AS BLOB) AS settings FROM channels"
            ).fetchall()
        found = {}
        for row in rows:
            try:
                found[row["team"], row["channel"]] = _SETTINGS.validate_json(row["settings"])
            except ValidationError:
                logger.warning("the settings of the channel %s cannot be read: they are left out", row["channel"])
        return found

    def put(self, team: str, channel: str, settings: ChannelSettings) -> None:
        """Keep them; those that say nothing are forgotten."""
        where = storable(team), storable(channel)
        with self._database.writing() as connection:
            if settings == ChannelSettings():
                connection.execute("DELETE FROM channels WHERE team = ? AND channel = ?", where)
            else:
                connection.execute("INSERT OR REPLACE INTO channels VALUES (?, ?, ?)", (*where, packed(settings)))
