"""What a chat page does for one reader: answer, keep, reopen, take an opinion. It knows nothing of how it is drawn."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.errors import (
    EncoderError,
    InvalidRequest,
    LibraryError,
    RagError,
    TooBusy,
    UnknownArticle,
    UnknownConversation,
)
from rag.records import Answer, Article, Conversation, Event, Feedback, Filters, Message, Question, Source
from rag.storage.conversations import Conversations
from rag.storage.feedback import FeedbackStore
from ui.chat.exchanges import Exchange, fail, fold, history, kept, named, reopened

__all__ = ["ConversationService", "Engine", "Opened", "Suggester", "explain"]

_LOG = logging.getLogger(__name__)


class Suggester(Protocol):
    """Questions that the library answers."""

    def examples(self, count: int = 4) -> list[str]: ...

    def follow_ups(
        self, answer: Answer, history: Sequence[Message] = (), count: int = 3, *, filters: Filters = Filters()
    ) -> list[str]: ...


class Engine(Protocol):
    """What the page needs of the engine."""

    @property
    def conversations(self) -> Conversations: ...

    @property
    def opinions(self) -> FeedbackStore: ...

    @property
    def suggester(self) -> Suggester: ...

    def answer(self, question: Question) -> Iterator[Event]:
        """The events of one answer; raises RagError."""

    def article(self, article_id: str, version: int | None = None) -> Article:
        """Raises UnknownArticle."""

    def count(self) -> int:
        """How many articles the library holds."""

    def publishers(self, limit: int = 100) -> list[str]:
        """Publishers in the library, the one with most articles first."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation with what was asked in it; one that is not the reader's own can only be read."""

    conversation: Conversation
    exchanges: tuple[Exchange, ...]
    own: bool


class ConversationService:
    """`owner` is the secret of the reader's browser, `settings` are kept with every opinion."""

    def __init__(self, engine: Engine, settings: Mapping[str, str]) -> None:
        self._engine = engine
        self._settings = dict(settings)

    def answer(self, begun: Exchange, before: Sequence[Message] = (), *, all_dates: bool = False) -> Iterator[Exchange]:
        """The exchange after each event; whatever goes wrong is a failed exchange with one sentence."""
        exchange = begun
        question = Question(begun.question, tuple(before), begun.filters, all_dates)
        try:
            for event in self._engine.answer(question):
                exchange = fold(exchange, event)
                yield exchange
        except RagError as error:
            _LOG.info("a question failed: %s", error)
            yield fail(exchange, explain(error))
        except Exception:  # noqa: BLE001 - a face: whatever went wrong, the reader gets one sentence
            _LOG.exception("a question failed")
            yield fail(exchange, "Something went wrong while answering. The server’s log says what.")

    def open(self, conversation_id: str, owner: str) -> Opened:
        """Raises UnknownConversation."""
        kept_there = self._engine.conversations
        conversation = kept_there.find(conversation_id, owner)
        asked = kept_there.asked(conversation_id, owner)
        answers = [each.answer for each in asked if each.answer is not None]
        said = self._engine.opinions.said(owner, [answer.id for answer in answers])
        exchanges = tuple(
            reopened(
                each,
                good=said.get(each.answer.id) if each.answer else None,
                removed=self._removed(each.answer) if each.answer else frozenset(),
            )
            for each in asked
        )
        return Opened(conversation, exchanges, kept_there.owned(conversation_id, owner))

    def earlier(self, conversation_id: str, owner: str, *, but: str = "") -> tuple[Exchange, ...]:
        """What was asked in an open conversation before, without the exchange that is being replaced.

        Nothing of one that has been deleted meanwhile.
        """
        try:
            exchanges = self.open(conversation_id, owner).exchanges if conversation_id else ()
        except InvalidRequest:
            return ()
        return tuple(exchange for exchange in exchanges if exchange.key != but)

    def turns(self, conversation_id: str, owner: str, *, but: str) -> tuple[Message, ...]:
        """The last of what was asked before the exchange `but`, for a question that refers back to it."""
        try:
            asked = self._engine.conversations.asked(conversation_id, owner, last=5) if conversation_id else []
        except InvalidRequest:
            return ()
        return history([reopened(each) for each in asked if each.key != but])

    def begin(self, conversation_id: str, owner: str, question: str, narrowing: Filters) -> str:
        """The conversation that a question belongs to: the open one, a copy of one that somebody else shared, or a
        new one. Raises LibraryError and InvalidRequest."""
        conversations = self._engine.conversations
        if conversation_id and conversations.owned(conversation_id, owner):
            return conversation_id
        try:
            copied = conversations.copy(conversation_id, owner).id if conversation_id else ""
        except UnknownConversation:
            copied = ""  # deleted, or no longer shared
        if not copied:
            return conversations.begin(owner, question, narrowing).id
        conversations.narrow(copied, owner, narrowing)
        return copied

    def keep(self, conversation_id: str, owner: str, exchange: Exchange, *, instead_of: str = "") -> None:
        """Store an exchange. Raises LibraryError, and UnknownConversation if it was deleted meanwhile."""
        conversations = self._engine.conversations
        conversations.keep(conversation_id, owner, kept(exchange))
        # Only now: of two exchanges on a full disk the earlier one stays.
        if instead_of and instead_of != exchange.key:
            conversations.drop(conversation_id, owner, instead_of)

    def judge(self, conversation_id: str, owner: str, key: str, said: Mapping[str, str]) -> tuple[Exchange, ...]:
        """Keep what a reader thought of an answer of theirs: `good` (yes or no), `comment` and `expected`; the
        exchanges of the conversation after it. Raises UnknownConversation and LibraryError."""
        opened = self.open(conversation_id, owner)
        exchanges = opened.exchanges if opened.own else ()
        for place, exchange in enumerate(exchanges):
            if exchange.key == key and exchange.answer is not None and said.get("good") in ("yes", "no"):
                feedback = Feedback(
                    id="",
                    answer=exchange.answer,
                    history=history(exchanges[:place]),
                    good=said["good"] == "yes",
                    comment=said.get("comment", ""),
                    expected=said.get("expected", ""),
                    settings={**self._settings, **named(exchange.filters)},
                )
                self._engine.opinions.give(feedback, owner)
                return (*exchanges[:place], exchange.judged(feedback.good), *exchanges[place + 1 :])
        return opened.exchanges

    # Conversations

    def conversations(self, owner: str) -> list[Conversation]:
        """The reader's own, the last changed first."""
        return self._engine.conversations.mine(owner)

    def narrow(self, conversation_id: str, owner: str, filters: Filters) -> None:
        """Remember it, if the conversation is kept and the reader's own."""
        if self._engine.conversations.owned(conversation_id, owner):
            self._engine.conversations.narrow(conversation_id, owner, filters)

    def rename(self, conversation_id: str, owner: str, title: str) -> None:
        """Raises UnknownConversation, and InvalidRequest for an empty title."""
        self._engine.conversations.rename(conversation_id, owner, title)

    def share(self, conversation_id: str, owner: str, shared: bool) -> None:
        """Raises UnknownConversation."""
        self._engine.conversations.share(conversation_id, owner, shared)

    def delete(self, conversation_id: str, owner: str) -> None:
        """Raises UnknownConversation."""
        self._engine.conversations.delete(conversation_id, owner)

    # The library

    def articles(self) -> int:
        """How many articles there are to ask."""
        return self._engine.count()

    def publishers(self) -> list[str]:
        """The publishers that questions can be narrowed to, the one with most articles first."""
        return self._engine.publishers()

    def examples(self) -> list[str]:
        """Questions for a reader who does not know what to ask; finding them takes up to a second."""
        return self._engine.suggester.examples()

    def follow_ups(self, answer: Answer, before: Sequence[Message], narrowing: Filters) -> list[str]:
        """Questions to go on with after an answer; `before` is what was said before its question."""
        return self._engine.suggester.follow_ups(answer, before, filters=narrowing)

    def _removed(self, answer: Answer) -> frozenset[int]:
        """The numbers of sources of which the text that was quoted is not there any more."""
        return frozenset(source.number for source in answer.sources if not self._there(source, answer))

    def _there(self, source: Source, answer: Answer) -> bool:
        try:
            text = self._engine.article(source.article_id, source.version).text
        except UnknownArticle:
            return False
        quotes = [quote for claim in answer.claims for quote in claim.quotes if quote.source == source.number]
        # Another text may have come under the same id since.
        return all(text[quote.start : quote.end] == quote.text for quote in quotes)


def explain(error: RagError) -> str:
    """One sentence for a reader. Only what the reader can mend is told in full; the rest may name paths."""
    if isinstance(error, InvalidRequest | TooBusy):
        sentence = f"{error.message} ({error.remedy})" if error.remedy else error.message
        return f"{sentence[:1].upper()}{sentence[1:]}."
    if isinstance(error, LibraryError | EncoderError):
        return "The library cannot be used just now; `rag doctor` on the server says why."
    return "This question could not be answered just now; the server’s log says why."
