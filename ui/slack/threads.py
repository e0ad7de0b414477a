"""Mentions, direct messages and threads: what was heard becomes an answer in its thread, once."""

from __future__ import annotations

import logging
from dataclasses import replace

from rag.errors import InvalidRequest, RagError
from rag.records import Message
from rag.storage.deliveries import Delivery
from ui.chat.conversations import explain
from ui.slack.archive import Archive
from ui.slack.asking import BUSY, NOT_HERE, RESTARTED, SHARED, UNANSWERED, Asking, Inquiry
from ui.slack.blocks import answer_message, help_message, problem_message
from ui.slack.events import MessageEvent
from ui.slack.outlets import Outlet
from ui.slack.overhearing import overheard
from ui.slack.settings import Book, narrowed
from ui.slack.speaking import Responder
from ui.slack.thread_outlet import Spot
from ui.slack.words import Wanted, read_words, without_mentions
from ui.slack.work import Work

__all__ = ["Threads"]

_LOG = logging.getLogger("rag.slack")


class Threads:
    """A thread that it was mentioned in is a conversation; replies in it need no mention."""

    def __init__(self, speaker: Responder, asking: Asking, archive: Archive, book: Book, work: Work) -> None:
        self._speaker = speaker
        self._asking = asking
        self._archive = archive
        self._deliveries = archive.deliveries
        self._book = book
        self._work = work

    def hear(self, heard: MessageEvent) -> None:
        """Take it in, if it asks something here. Waits for the library, and not for Slack."""
        if heard.kind == "deletion":
            self._delete(heard)
        elif heard.kind == "edit":
            self._edit(heard)
        elif self._concerns(heard):
            self._take(heard)

    def mend(self, delivery: Delivery) -> None:
        """Bring the answer that a stop kept back, or tell that there is none. Raises SlackFailed."""
        channel, asked = delivery.channel or "", delivery.asked or delivery.edits or ""
        thread, hidden = delivery.thread or asked, delivery.reader is not None
        owner = Archive.of_thread(channel, thread, delivery.reader)
        answer = self._archive.kept(owner, asked)
        if answer is None:
            message = problem_message(RESTARTED)
        else:
            link = self._archive.link(Archive.of_answer(answer.id) if hidden else owner)
            message = answer_message(answer, open_at=link, shareable=hidden)
        spot = Spot(channel, thread, asked)
        self._speaker.outlet(spot, delivery.event, delivery.shown, delivery.reader).end(message)

    # What was heard

    def _concerns(self, heard: MessageEvent) -> bool:
        if heard.kind == "mention" or heard.direct:
            return True
        if heard.addressee not in (None, heard.bot) or not self._answers(heard):
            return False
        if not heard.in_thread:
            return self._book.of(heard.team, heard.channel).every_question and heard.text.rstrip().endswith("?")
        return bool(self._archive.conversation(_owner(heard)))

    def _take(self, heard: MessageEvent) -> None:
        reader = self._reader(heard, None)
        if self._claimed(heard, Delivery(heard.event, heard.channel, heard.asked, heard.thread, reader=reader)):
            self._answer(heard, None, reader)

    def _edit(self, heard: MessageEvent) -> None:
        """The answer follows the question; a mention that was only added now is a new one."""
        before = self._deliveries.of_message(heard.channel, heard.asked)
        if before is None:
            if self._mentioned(heard):
                self._take(heard)
            return
        # What only one user was told stays with them, whatever the channel does by now.
        reader = before.reader if before.shown is None else None
        reader = reader or self._reader(heard, before.shown)
        edit = Delivery(heard.event, heard.channel, None, heard.thread, before.shown, reader, edits=heard.asked)
        if self._claimed(heard, edit):
            before = self._silenced(heard, before)
            # Else the next start could bring the old answer. Where one reader alone was told, it stays with them.
            self._archive.forget(_owner(heard, before.reader), heard.asked, also_by_itself=False)
            if before.shown:
                self._deliveries.show(heard.event, before.shown)
            self._answer(heard, before.shown, reader)

    def _delete(self, heard: MessageEvent) -> None:
        """With the question its answer goes, and the thread's memory of it."""
        before = self._deliveries.of_message(heard.channel, heard.asked)
        if before is None:
            return
        before = self._silenced(heard, before)
        self._deliveries.finish(before.event)
        self._archive.forget(_owner(heard, before.reader), heard.asked, also_by_itself=True)
        if before.shown:
            self._speaker.withdraw(_spot(heard), before.event, before.shown)

    def _silenced(self, heard: MessageEvent, before: Delivery) -> Delivery:
        """What became of the question, now that nothing more comes of it."""
        self._asking.silence(_owner(heard, before.reader), heard.asked)
        # Its answer may have been on its way to Slack until now.
        return self._deliveries.of_message(heard.channel, heard.asked) or before

    def _claimed(self, heard: MessageEvent, delivery: Delivery) -> bool:
        try:
            return self._deliveries.claim(delivery)
        except RagError as error:
            _LOG.warning("a question in Slack could not be taken in (%s)", error)
        outlet = self._speaker.outlet(_spot(heard), heard.event, delivery.shown, delivery.reader)
        self._speaker.say(outlet, problem_message(UNANSWERED))
        return False

    # What holds there

    def _answers(self, heard: MessageEvent) -> bool:
        """Whether questions are answered there. Before people of another organization only where an admin wants it."""
        if heard.shared:
            return self._book.of(heard.team, heard.channel).answers is True
        return heard.direct or self._book.answers(heard.team, heard.channel)

    def _reader(self, heard: MessageEvent, shown: str | None) -> str | None:
        """The one user who may see the answer, where not all may."""
        hides = self._book.of(heard.team, heard.channel).show == "ephemeral"
        return heard.user if hides and not heard.direct and shown is None else None

    def _mentioned(self, heard: MessageEvent) -> bool:
        return heard.direct or (heard.bot is not None and f"<@{heard.bot}" in heard.text)

    # Answering

    def _answer(self, heard: MessageEvent, shown: str | None, reader: str | None) -> None:
        outlet = self._speaker.outlet(_spot(heard), heard.event, shown, reader)
        try:
            self._ask(heard, outlet, reader)
        except InvalidRequest as error:
            self._speaker.say(outlet, problem_message(explain(error)), heard.event)
        except Exception:  # noqa: BLE001 - a face: whatever went wrong, who asked gets one sentence
            _LOG.exception("a question in Slack failed")
            self._speaker.say(outlet, problem_message(UNANSWERED), heard.event)

    def _ask(self, heard: MessageEvent, outlet: Outlet, reader: str | None) -> None:
        wanted = read_words(without_mentions(heard.text, heard.bot))
        wanted = replace(wanted, filters=narrowed(wanted.filters, self._book.of(heard.team, heard.channel).filters))
        if not self._answers(heard):
            refusal = problem_message(SHARED if heard.shared else NOT_HERE)
        elif wanted.kind == "settings":
            refusal = problem_message("Settings are changed with /dateline settings.")
        elif wanted.kind != "ask":
            refusal = help_message("/dateline")
        elif self._begin(heard, wanted, outlet, reader) or self._asking.stopping:
            return  # what a stop leaves over is told of at the next start
        else:
            refusal = problem_message(BUSY)
        self._speaker.say(outlet, refusal, heard.event)

    def _begin(self, heard: MessageEvent, wanted: Wanted, outlet: Outlet, reader: str | None) -> bool:
        # Also where one reader alone is answered: replies of others need no mention from now on.
        self._archive.open(_owner(heard), wanted.question, wanted.filters)
        inquiry = Inquiry(
            event=heard.event,
            question=wanted.question,
            filters=wanted.filters,
            owner=_owner(heard, reader),
            key=heard.asked,
            shareable=reader is not None,
            before=lambda: self._before(heard, reader),
        )
        return self._asking.begin(inquiry, outlet, self._work.submit)

    def _before(self, heard: MessageEvent, reader: str | None) -> tuple[Message, ...]:
        """What was asked in the thread as far as this reader saw it; before the first question, what people said."""
        owners = dict.fromkeys((_owner(heard), _owner(heard, reader)))
        asked = [turn for owner in owners for turn in self._archive.turns(owner, but=heard.asked)]
        return tuple(asked) or overheard(self._speaker.web, heard)


def _owner(heard: MessageEvent, reader: str | None = None) -> str:
    return Archive.of_thread(heard.channel, heard.thread, reader)


def _spot(heard: MessageEvent) -> Spot:
    return Spot(heard.channel, heard.thread, heard.asked, heard.user, heard.user_team, heard.direct)
