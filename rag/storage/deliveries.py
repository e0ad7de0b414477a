"""What Slack delivered and what became of it, kept in the library's file: nothing is answered twice, and what a
restart broke off can be told of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rag.storage.columns import now, storable
from rag.storage.database import Database

__all__ = ["Deliveries", "Delivery"]

# Slack gives up after three retries, the last of them an hour after the event; edits and deletions come later.
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One question as Slack delivered it. `event` is Slack's id of the delivery; `channel` and `asked` name the
    message that asks, `thread` the one that its thread hangs on, `shown` the one that holds the answer,
    `reader` the one user who may see it, where not all may. A slash command has a `response_url` instead, an edit the
    message that it `edits`, which was asked before."""

    event: str
    channel: str | None = None
    asked: str | None = None
    thread: str | None = None
    shown: str | None = None
    reader: str | None = None
    response_url: str | None = None
    edits: str | None = None


class Deliveries:
    """Safe to use from several threads. Writing waits for a batch of articles that is being taken in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, delivery: Delivery) -> bool:
        """Whether it is new: neither this event nor another one about the same message was claimed before."""
        oldest = (datetime.now(UTC) - _KEPT).isoformat(timespec="microseconds")
        with self._database.writing() as connection:
            connection.execute("DELETE FROM deliveries WHERE claimed < ?", (oldest,))
            added = connection.execute(
                "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (
                    storable(delivery.event),
                    now(),
                    delivery.channel,
                    delivery.asked,
                    delivery.thread,
                    delivery.shown,
                    delivery.reader,
                    delivery.response_url,
                    delivery.edits,
                ),
            )
            return added.rowcount == 1

    def show(self, event: str, shown: str) -> None:
        """Remember which message holds, or will hold, its answer; of an edit also for what was asked before."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE deliveries SET shown = :shown WHERE event = :event"
                " OR (channel, asked) = (SELECT channel, edits FROM deliveries WHERE event = :event)",
                {"shown": shown, "event": storable(event)},
            )

    def finish(self, event: str) -> None:
        """It needs nothing any more; what it can be answered through is forgotten."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE deliveries SET done = 1, response_url = NULL WHERE event = ?", (storable(event),)
            )

    def unfinished(self) -> list[Delivery]:
        """Those that were claimed and not finished, oldest first: after a start, what the last stop broke off."""
        return self._found("done = 0 ORDER BY claimed")

    def of_message(self, channel: str, asked: str) -> Delivery | None:
        """What became of the question in this message."""
        found = self._found("channel = ? AND asked = ?", channel, asked)
        return found[0] if found else None

    def _found(self, condition: str, *values: str) -> list[Delivery]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT event, channel, asked, thread, shown, reader, response_url, edits FROM deliveries"
                f" WHERE {condition}",
                values,
            ).fetchall()
        return [Delivery(**dict(row)) for row in rows]
