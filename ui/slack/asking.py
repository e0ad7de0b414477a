"""One question from Slack from its words to its answer, whatever goes wrong on the way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from rag.errors import RagError
from rag.records import Filters, Message
from ui.chat.conversations import ConversationService
from ui.chat.exchanges import Exchange, fail
from ui.slack.archive import Archive, Engine
from ui.slack.blocks import SlackMessage, answer_message, empty_message, problem_message
from ui.slack.delivery import SlackFailed
from ui.slack.outlets import Outlet
from ui.slack.text import literal, shortened, tidy
from ui.slack.work import Alarms, Work

__all__ = ["Asking", "Inquiry", "headed"]

_LOG = logging.getLogger("rag.slack")

# Slack takes an answer for half an hour; who waited this long is told.
PATIENCE_S = 25 * 60.0
# How long an edit or a deletion waits for what is being sent to Slack.
_SENDING_S = 10.0
TOO_LATE = "This question took too long to answer. Please ask it again."
BUSY = "Too many questions are being answered just now. Please ask again in a minute."
UNANSWERED = "This question could not be answered just now."
NOT_HERE = "Questions are not answered in this channel."
SHARED = (
    "This channel is shared with another organization. Questions are answered here once an admin of the workspace has "
    "written /dateline settings here:on."
)
RESTARTED = "The server was restarted while it was answering. Please ask again."


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question with what belongs to it: `event` is the delivery that is finished with it, `owner` whose the
    conversation is (empty for a slash command, of which each is one), `key` its name there. `before` says, when its
    turn comes, what it may refer back to."""

    event: str
    question: str
    filters: Filters
    owner: str = ""
    key: str = ""
    shareable: bool = False
    with_question: bool = False
    before: Callable[[], tuple[Message, ...]] = tuple


class Asking:
    """Answers inquiries; `patience_s` after it was received one is told that it took too long."""

    def __init__(
        self, engine: Engine, archive: Archive, desk: ConversationService, errands: Work, patience_s: float = PATIENCE_S
    ) -> None:
        self._engine = engine
        self._archive = archive
        self._desk = desk
        self._errands = errands
        self._patience_s = patience_s
        self._stopping = threading.Event()
        self._alarms = Alarms("slack-patience")
        self._running: dict[tuple[str, str], _Told] = {}

    @property
    def stopping(self) -> bool:
        """Whether nothing is answered any more."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """What cannot be answered from now on is left for the next start to tell of."""
        self._stopping.set()
        self._alarms.close()

    def silence(self, owner: str, key: str) -> None:
        """The answer to this question is not wanted any more: it is neither kept nor shown from now on. Waits a little
        for what is on its way to Slack."""
        told = self._running.pop((owner, key), None)
        if told:
            told.silence()

    def begin(
        self,
        inquiry: Inquiry,
        outlet: Outlet,
        submit: Callable[[Callable[[], None]], bool],
        claimed: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Hand the work to `submit`; False if it did not take it. `claimed` says, when its turn comes, whether the
        question is still to be answered."""
        told = _Told(outlet)
        cancel = self._alarms.set(self._patience_s, lambda: self._errands.submit(lambda: self._give_up(inquiry, told)))
        self._register(inquiry, told)

        def work() -> None:
            try:
                if claimed():
                    self._answer(inquiry, told)
            except Exception:  # noqa: BLE001 - a face: whatever went wrong, who asked gets one sentence
                _LOG.exception("a question in Slack failed")
                if not self._stopping.is_set():
                    told.end(problem_message(UNANSWERED))
            finally:
                cancel()
                self._forget(inquiry, told)
            self._finish(inquiry, told)

        taken = submit(work)
        if not taken:
            cancel()
            self._forget(inquiry, told)
        return taken

    def _register(self, inquiry: Inquiry, told: _Told) -> None:
        if inquiry.key:
            self._running[inquiry.owner, inquiry.key] = told

    def _forget(self, inquiry: Inquiry, told: _Told) -> None:
        if self._running.get((inquiry.owner, inquiry.key)) is told:
            self._running.pop((inquiry.owner, inquiry.key), None)

    def _answer(self, inquiry: Inquiry, told: _Told) -> None:
        if not told.begin(inquiry.question):
            return
        if self._desk.articles() == 0:
            told.end(empty_message(self._archive.page))
            return
        begun = Exchange(inquiry.question, filters=inquiry.filters)
        begun = replace(begun, key=inquiry.key) if inquiry.key else begun
        exchange = fail(begun, UNANSWERED)
        for exchange in self._desk.answer(begun, inquiry.before()):
            if told.silent:
                return
            told.show(exchange)
        if exchange.answer is None:
            if not self._stopping.is_set():
                told.end(problem_message(exchange.problem or UNANSWERED))
            return
        # Before it is shown, so that its buttons find it.
        with told.wanted() as wanted:
            if not wanted:
                return
            link = self._keep(inquiry, exchange)
        message = answer_message(exchange.answer, open_at=link, shareable=inquiry.shareable)
        told.end(headed(message, inquiry.question) if inquiry.with_question else message)

    def _keep(self, inquiry: Inquiry, exchange: Exchange) -> str | None:
        """The link to what was kept. An answer that cannot be kept is given all the same."""
        assert exchange.answer is not None
        by_itself = self._archive.of_answer(exchange.answer.id)
        try:
            if inquiry.owner:
                self._file(self._archive.conversation(inquiry.owner), inquiry.owner, exchange)
            if not inquiry.owner or inquiry.shareable:
                # The buttons of a message that one reader sees do not say in which thread it belongs, and who shares
                # an answer shares nothing else.
                self._file("", by_itself, exchange)
            return self._archive.link(by_itself if inquiry.shareable else inquiry.owner or by_itself)
        except RagError as error:
            _LOG.warning("an answer in Slack could not be kept: %s", error)
            return None

    def _file(self, conversation_id: str, owner: str, exchange: Exchange) -> None:
        begun = self._desk.begin(conversation_id, owner, exchange.question, exchange.filters)
        self._desk.keep(begun, owner, exchange)

    def _give_up(self, inquiry: Inquiry, told: _Told) -> None:
        told.end(problem_message(TOO_LATE))
        self._finish(inquiry, told)

    def _finish(self, inquiry: Inquiry, told: _Told) -> None:
        if told.settled:
            self._engine.deliveries.finish(inquiry.event)


class _Told:
    """An outlet that is told the end once: by whoever comes first, the answer or the limit of time. `settled` when
    there is nothing more to bring there: the end has arrived, or never can."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._ended = False
        self.silent = False
        self.settled = False

    def begin(self, question: str) -> bool:
        """Whether it makes sense to go on."""
        return not self._ended and self._bring(lambda: self._outlet.begin(question), settles=False)

    def show(self, exchange: Exchange) -> None:
        with self._sending:
            if not self._ended:
                self._outlet.show(exchange)

    def end(self, message: SlackMessage) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
        self._bring(lambda: self._outlet.end(message), settles=True)

    def silence(self) -> None:
        """Tell nothing any more; somebody else tells the end."""
        with self._lock:
            self._ended = self.silent = self.settled = True
        self._outlet.abandon()
        if self._sending.acquire(timeout=_SENDING_S):
            self._sending.release()
            self._outlet.leave()

    @contextmanager
    def wanted(self) -> Iterator[bool]:
        """Whether the answer is; whoever silences it waits until this is left."""
        with self._lock:
            yield not (self.silent or self._ended)

    def _bring(self, send: Callable[[], None], *, settles: bool) -> bool:
        try:
            with self._sending:
                if self.silent:
                    return False
                send()
        except SlackFailed as failure:
            if not self.silent:
                _LOG.warning("a question in Slack is left without an answer (%s)", failure)
                self.settled = not failure.temporary
            return False
        self.settled = settles or self.silent
        return True


def headed(message: SlackMessage, question: str) -> SlackMessage:
    """The message under the question, for a channel that has not seen it."""
    words = literal(shortened(tidy(question), 300))
    head: dict[str, Any] = {
        "type": "context",
        "elements": [{"type": "plain_text", "text": f"Asked: {words}", "emoji": False}],
    }
    return replace(message, blocks=[head, *message.blocks])
