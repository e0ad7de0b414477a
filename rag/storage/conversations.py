"""Conversations, kept in the library's file: each is its owner's, and others see it only if it is shared."""

from __future__ import annotations

import logging
import secrets
import sqlite3

from pydantic import ValidationError

from rag.errors import InvalidRequest, UnknownConversation
from rag.records import Answer, Conversation, Filters, StoredExchange
from rag.storage.columns import ANSWER, FILTERS, hashed, now, packed, storable
from rag.storage.database import Database

__all__ = ["Conversations"]

logger = logging.getLogger(__name__)

_LONGEST_TITLE = 80
_UNTITLED = "New conversation"
_UNREADABLE = "The answer that was kept here can no longer be read."
# As bytes, because a text that is not UTF-8 any more would fail every row that is read with it.
_COLUMNS = "id, title, updated, CAST(filters AS BLOB) AS filters, shared"


class Conversations:
    """Conversations with what was asked in them. Safe to use from several threads.

    `owner` is a secret that only the owner's browser knows; of it a hash is stored. Writing waits for a batch of
    articles that is being taken in, reading does not.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Reading: what is one's own, or shared

    def mine(self, owner: str, limit: int = 200) -> list[Conversation]:
        """The owner's conversations, the last one asked in first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM conversations WHERE owner_hash = ? ORDER BY updated DESC, rowid DESC LIMIT ?",
                (hashed(owner), limit),
            ).fetchall()
        return [_conversation(row) for row in rows]

    def find(self, conversation_id: str, owner: str) -> Conversation:
        """One that is the owner's, or shared. Raises UnknownConversation."""
        with self._database.reading() as connection:
            return _conversation(_visible(connection, conversation_id, owner))

    def owned(self, conversation_id: str, owner: str) -> bool:
        """Whether it is there and may be changed by them."""
        with self._database.reading() as connection:
            return _is_owned(connection, conversation_id, owner)

    def asked(self, conversation_id: str, owner: str, last: int | None = None) -> list[StoredExchange]:
        """What was asked in it, oldest first, or the `last` of that. Raises UnknownConversation."""
        with self._database.reading() as connection:
            id_ = _visible(connection, conversation_id, owner)["id"]
            rows = connection.execute(
                "SELECT key, question, CAST(answer AS BLOB) AS answer, problem, CAST(filters AS BLOB) AS filters"
                " FROM exchanges WHERE conversation = ? ORDER BY position DESC LIMIT ?",
                (id_, -1 if last is None else last),
            ).fetchall()
        return [_asked(row) for row in reversed(rows)]

    # Writing: the owner only, all others get UnknownConversation

    def begin(self, owner: str, title: str, filters: Filters = Filters()) -> Conversation:
        """A new one, with a title of at most 80 characters. Raises InvalidRequest for an owner without a name."""
        conversation = Conversation(_new_id(), _short(title) or _UNTITLED, now(), filters)
        with self._database.writing() as connection:
            _add(connection, conversation, owner)
        return conversation

    def copy(self, conversation_id: str, owner: str) -> Conversation:
        """A new one of this owner with all that was asked in one that they see: to go on in somebody else's."""
        with self._database.writing() as connection:
            original = _conversation(_visible(connection, conversation_id, owner))
            conversation = Conversation(_new_id(), original.title, now(), original.filters)
            _add(connection, conversation, owner)
            connection.execute(
                "INSERT INTO exchanges SELECT ?, key, position, question, answer, problem, filters FROM exchanges"
                " WHERE conversation = ?",
                (conversation.id, original.id),
            )
        return conversation

    def keep(self, conversation_id: str, owner: str, asked: StoredExchange) -> None:
        """Add what was asked at the end, or put it in the place of what has its key.

        A question that has its whole answer keeps it: a stop may arrive after the end.
        """
        answer = None if asked.answer is None else packed(asked.answer)
        problem = None if asked.problem is None else storable(asked.problem)
        with self._database.writing() as connection:
            _touch(connection, conversation_id, owner)
            connection.execute(
                "INSERT INTO exchanges VALUES (:conversation, :key,"
                " (SELECT coalesce(max(position), 0) + 1 FROM exchanges WHERE conversation = :conversation),"
                " :question, :answer, :problem, :filters)"
                " ON CONFLICT (conversation, key) DO UPDATE"
                " SET question = excluded.question,"
                " answer = CASE question WHEN excluded.question THEN coalesce(excluded.answer, answer)"
                " ELSE excluded.answer END,"
                " problem = CASE WHEN question = excluded.question AND answer IS NOT NULL THEN NULL"
                " ELSE excluded.problem END,"
                " filters = CASE WHEN question = excluded.question AND answer IS NOT NULL AND excluded.answer IS NULL"
                " THEN filters ELSE excluded.filters END",
                {
                    "conversation": conversation_id,
                    "key": storable(asked.key),
                    "question": storable(asked.question),
                    "answer": answer,
                    "problem": problem,
                    "filters": packed(asked.filters),
                },
            )

    def drop(self, conversation_id: str, owner: str, key: str) -> None:
        """Take out what has this key, if anything has."""
        with self._database.writing() as connection:
            _touch(connection, conversation_id, owner)
            connection.execute(
                "DELETE FROM exchanges WHERE conversation = ? AND key = ?", (conversation_id, storable(key))
            )

    def rename(self, conversation_id: str, owner: str, title: str) -> None:
        """Raises InvalidRequest for a title without a word."""
        short = _short(title)
        if not short:
            raise InvalidRequest("the title is empty", "write a word or two")
        self._set(conversation_id, owner, "title", short)

    def share(self, conversation_id: str, owner: str, shared: bool) -> None:
        """Let whoever has its id read it, or no longer."""
        self._set(conversation_id, owner, "shared", int(shared))

    def narrow(self, conversation_id: str, owner: str, filters: Filters) -> None:
        """What its next questions are narrowed to."""
        self._set(conversation_id, owner, "filters", packed(filters))

    def delete(self, conversation_id: str, owner: str) -> None:
        with self._database.writing() as connection:
            _check_owned(connection, conversation_id, owner)
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def _set(self, conversation_id: str, owner: str, column: str, value: str | int) -> None:
        with self._database.writing() as connection:
            _check_owned(connection, conversation_id, owner)
            connection.execute(f"UPDATE conversations SET {column} = ? WHERE id = ?", (value, conversation_id))


# Who may


def _visible(connection: sqlite3.Connection, conversation_id: str, owner: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE id = ? AND (owner_hash = ? OR shared)",
        (storable(conversation_id), hashed(owner)),
    ).fetchone()
    if row is None:
        raise UnknownConversation
    return row


def _is_owned(connection: sqlite3.Connection, conversation_id: str, owner: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM conversations WHERE id = ? AND owner_hash = ?", (storable(conversation_id), hashed(owner))
    )
    return found.fetchone() is not None


def _check_owned(connection: sqlite3.Connection, conversation_id: str, owner: str) -> None:
    if not _is_owned(connection, conversation_id, owner):
        raise UnknownConversation


def _touch(connection: sqlite3.Connection, conversation_id: str, owner: str) -> None:
    _check_owned(connection, conversation_id, owner)
    connection.execute("UPDATE conversations SET updated = ? WHERE id = ?", (now(), conversation_id))


# Rows


def _add(connection: sqlite3.Connection, conversation: Conversation, owner: str) -> None:
    if not owner:  # else all who have no name would share what they ask
        raise InvalidRequest("there is nobody whom the conversation would belong to", "allow this site's cookies")
    connection.execute(
        "INSERT INTO conversations (id, owner_hash, title, filters, shared, created, updated)"
        " VALUES (?, ?, ?, ?, 0, ?, ?)",
        (
            conversation.id,
            hashed(owner),
            conversation.title,
            packed(conversation.filters),
            conversation.updated,
            conversation.updated,
        ),
    )


def _conversation(row: sqlite3.Row) -> Conversation:
    filters = _filters(row["filters"], row["id"])
    return Conversation(row["id"], row["title"], row["updated"], filters, bool(row["shared"]))


def _asked(row: sqlite3.Row) -> StoredExchange:
    answer: Answer | None = None
    problem = row["problem"]
    if row["answer"] is not None:
        try:
            answer = ANSWER.validate_json(row["answer"])
        except ValidationError:
            problem = problem or _UNREADABLE
    return StoredExchange(row["key"], row["question"], answer, problem, _filters(row["filters"], row["key"]))


def _filters(kept: bytes, of: str) -> Filters:
    try:
        return FILTERS.validate_json(kept)
    except ValidationError:
        logger.warning("the filters of %s in a conversation cannot be read: it goes on without", of)
        return Filters()


def _new_id() -> str:
    return secrets.token_urlsafe(16)


def _short(title: str) -> str:
    """The title in one line, cut at a word where there is one to cut at."""
    line = storable(" ".join(title.split()))
    if len(line) <= _LONGEST_TITLE:
        return line
    cut = line[: _LONGEST_TITLE - 1]
    words = cut.rpartition(" ")[0]
    return f"{words} …" if len(words) > _LONGEST_TITLE // 2 else f"{cut}…"
