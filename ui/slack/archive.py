"""What was answered in Slack, and what was thought of it: kept in the library like the page's conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from rag.records import Answer, Feedback, Filters, Message, StoredExchange
from rag.storage.channels import Channels
from rag.storage.deliveries import Deliveries
from ui.chat.conversations import Engine as DeskEngine
from ui.chat.exchanges import history, named, reopened

__all__ = ["Archive", "Engine"]


class Engine(DeskEngine, Protocol):
    """What Slack needs of the engine."""

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def channels(self) -> Channels: ...


class Archive:
    """The answers that were given in Slack, and what was thought of them. An owner that holds a colon can be no
    reader of the page: the ids in their cookies hold none."""

    def __init__(self, engine: Engine, settings: Mapping[str, str], public_url: str | None) -> None:
        self._engine = engine
        self._settings = dict(settings)
        self._public_url = public_url.rstrip("/") if public_url else None

    @property
    def deliveries(self) -> Deliveries:
        """What Slack delivered."""
        return self._engine.deliveries

    @property
    def page(self) -> str | None:
        """Where readers reach the page."""
        return self._public_url

    @staticmethod
    def of_thread(channel: str, thread: str, reader: str | None = None) -> str:
        """The owner of what is asked in a thread; no two workspaces have channels of one id. With `reader`, of what
        this user alone is told there."""
        return ":".join(filter(None, ("slack", channel, thread, reader)))

    @staticmethod
    def of_answer(answer_id: str) -> str:
        """The owner of what was asked by a slash command."""
        return f"slack:answer:{answer_id}"

    def conversation(self, owner: str) -> str:
        """The id of the owner's conversation; empty if there is none."""
        found = self._engine.conversations.mine(owner, 1)
        return found[0].id if found else ""

    def open(self, owner: str, question: str, filters: Filters) -> None:
        """Take part in a thread from now on."""
        if not self.conversation(owner):
            self._engine.conversations.begin(owner, question, filters)

    def link(self, owner: str) -> str | None:
        """Where the owner's conversation can be read on the page, for whoever has the link."""
        conversation_id = self.conversation(owner) if self._public_url else ""
        if not conversation_id:
            return None
        self._engine.conversations.share(conversation_id, owner, True)
        return f"{self._public_url}/?conversation={conversation_id}"

    def kept(self, owner: str, key: str) -> Answer | None:
        """The answer to what has this key in the owner's conversation."""
        return next((each.answer for each in self._asked(owner) if each.key == key), None)

    def turns(self, owner: str, *, but: str) -> tuple[Message, ...]:
        """The last of what was asked in the owner's conversation, without what has this key."""
        return history([reopened(each) for each in self._asked(owner) if each.key != but])

    def forget(self, owner: str, key: str, *, also_by_itself: bool) -> None:
        """What has this key in the owner's conversation, and the answer to it where that is kept by itself."""
        answer = self.kept(owner, key)
        conversation_id = self.conversation(owner)
        if conversation_id:
            self._engine.conversations.drop(conversation_id, owner, key)
        by_itself = self.of_answer(answer.id) if answer and also_by_itself else ""
        if copy := by_itself and self.conversation(by_itself):
            self._engine.conversations.delete(copy, by_itself)

    def answer(self, owners: tuple[str, ...], answer_id: str) -> tuple[Answer, Feedback, str] | None:
        """An answer that one of these owners was given, feedback on it that says nothing yet, and that owner."""
        for owner in owners:
            asked = self._asked(owner)
            for place, each in enumerate(asked):
                if each.answer is not None and each.answer.id == answer_id:
                    before = history([reopened(other) for other in asked[:place]])
                    settings = {**self._settings, **named(each.filters)}
                    blank = Feedback("", each.answer, before, good=True, settings=settings, face="slack")
                    return each.answer, blank, owner
        return None

    def judge(self, blank: Feedback, good: bool, reader: str) -> None:
        """Keep what a reader thought of an answer."""
        self._engine.opinions.give(replace(blank, good=good), reader)

    def _asked(self, owner: str) -> list[StoredExchange]:
        conversation_id = self.conversation(owner)
        return self._engine.conversations.asked(conversation_id, owner) if conversation_id else []
