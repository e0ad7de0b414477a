"""Mentions, direct messages and threads: what was heard becomes an answer in its thread, once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rag.errors import InvalidRequest, RagError
from rag.records import Turn
from rag.storage.deliveries import Delivery
from ui.desk import Desk, explain
from ui.slack.archive import Archive
from ui.slack.asking import BUSY, NOT_HERE, RESTARTED, SHARED, UNANSWERED, Asking, Inquiry
from ui.slack.blocks import Message, answer_message, help_message, problem_message
from ui.slack.delivery import Persistence, SlackFailed
from ui.slack.events import Heard, Opened
from ui.slack.outlets import Abilities, EphemeralOutlet, Outlet, ThreadOutlet, Web
from ui.slack.overhearing import overheard
from ui.slack.settings import Book, narrowed
from ui.slack.text import shortened
from ui.slack.words import Wanted, read_words, without_mentions
from ui.slack.work import Work

__all__ = ["Threads"]

_LOG = logging.getLogger("rag.slack")

_LONGEST_PROMPT_TITLE = 70


class Threads:
    """A thread that it was mentioned in is a conversation; replies in it need no mention."""

    def __init__(
        self,
        web: Web,
        asking: Asking,
        archive: Archive,
        book: Book,
        persist: Persistence,
        work: Work,
        *,
        streams: bool,
    ) -> None:
        self._web = web
        self._asking = asking
        self._archive = archive
        self._deliveries = archive.deliveries
        self._book = book
        self._persist = persist
        self._work = work
        self._abilities = Abilities(streams=streams)

    def hear(self, heard: Heard) -> None:
        """Answer it, if it asks something here. Waits for the library and for Slack."""
        if heard.kind == "deletion":
            self._delete(heard)
        elif heard.kind == "edit":
            self._edit(heard)
        elif self._concerns(heard):
            self._take(heard)

    def suggest(self, opened: Opened, desk: Desk) -> None:
        """Offer questions to somebody who may not know what to ask."""
        prompts = [
            {"title": shortened(question, _LONGEST_PROMPT_TITLE), "message": question} for question in desk.examples()
        ]
        if not prompts:
            return
        try:
            self._web.call(
                "assistant.threads.setSuggestedPrompts",
                channel_id=opened.channel,
                thread_ts=opened.thread,
                prompts=prompts,
            )
        except SlackFailed as failure:
            _LOG.info("questions could not be suggested in Slack (%s)", failure)

    def mend(self, delivery: Delivery) -> None:
        """Bring the answer that a stop kept back, or tell that there is none. Raises SlackFailed."""
        channel, thread = delivery.channel or "", delivery.thread or delivery.asked or ""
        owner = Archive.of_thread(channel, thread, delivery.reader)
        answer = self._archive.kept(owner, delivery.asked) if delivery.asked else None
        hidden = delivery.reader is not None
        if answer is None:
            message = problem_message(RESTARTED)
        else:
            link = self._archive.link(Archive.of_answer(answer.id) if hidden else owner)
            message = answer_message(answer, open_at=link, shareable=hidden)
        in_thread = delivery.asked is not None and thread != delivery.asked
        place = {
            "channel": channel,
            "thread": thread,
            "team": "",
            "user": delivery.reader or "",
            "in_thread": "yes" if in_thread else "no",
        }
        self._outlet_at(place, delivery.event, delivery.shown, hidden=hidden).end(message)

    def _concerns(self, heard: Heard) -> bool:
        if heard.kind == "mention" or heard.direct:
            return True
        if heard.addressee not in (None, heard.bot) or not self._answers(heard):
            return False
        if not heard.in_thread:
            return self._book.of(heard.team, heard.channel).every_question and heard.text.rstrip().endswith("?")
        return bool(self._archive.conversation(Archive.of_thread(heard.channel, heard.thread)))

    def _edit(self, heard: Heard) -> None:
        """The answer follows the question; a mention that was only added now is a new one."""
        before = self._deliveries.of_message(heard.channel, heard.asked)
        if before is None:
            if self._mentioned(heard):
                self._take(heard)
            return
        # What only one user was told stays with them, whatever the channel does by now.
        reader = before.reader if before.shown is None else None
        reader = reader or self._reader(heard, before.shown)
        if self._claimed(heard, Delivery(heard.event, heard.channel, None, heard.thread, before.shown, reader)):
            self._asking.silence(_owner(heard, before.reader), heard.asked)
            # It may have been on its way to Slack until now.
            before = self._deliveries.of_message(heard.channel, heard.asked) or before
            if before.shown:
                self._deliveries.show(heard.event, before.shown)
            self._answer(heard, before.shown, reader)

    def _take(self, heard: Heard) -> None:
        reader = self._reader(heard, None)
        if self._claimed(heard, Delivery(heard.event, heard.channel, heard.asked, heard.thread, reader=reader)):
            self._answer(heard, None, reader)

    def _claimed(self, heard: Heard, delivery: Delivery) -> bool:
        try:
            return self._deliveries.claim(delivery)
        except RagError as error:
            _LOG.warning("a question in Slack could not be taken in (%s)", error)
        self._tell(self._outlet(heard, delivery.shown, delivery.reader), problem_message(UNANSWERED))
        return False

    def _reader(self, heard: Heard, shown: str | None) -> str | None:
        """The one user who may see the answer, where not all may."""
        hides = self._book.of(heard.team, heard.channel).show == "ephemeral"
        return heard.user if hides and not heard.direct and shown is None else None

    def _answers(self, heard: Heard) -> bool:
        """Whether questions are answered there. Before people of another organization only where an admin wants it."""
        if heard.shared:
            return self._book.of(heard.team, heard.channel).answers is True
        return self._book.answers(heard.team, heard.channel)

    def _mentioned(self, heard: Heard) -> bool:
        return heard.direct or (heard.bot is not None and f"<@{heard.bot}" in heard.text)

    def _delete(self, heard: Heard) -> None:
        """With the question its answer goes, and the thread's memory of it."""
        before = self._deliveries.of_message(heard.channel, heard.asked)
        if before is None:
            return
        self._asking.silence(_owner(heard, before.reader), heard.asked)
        # It may have been on its way to Slack until now.
        before = self._deliveries.of_message(heard.channel, heard.asked) or before
        self._deliveries.finish(before.event)
        self._archive.forget(_owner(heard, before.reader), heard.asked)
        if before.shown:
            shown = before.shown
            try:
                self._persist(lambda: self._web.call("chat.delete", channel=heard.channel, ts=shown))
            except SlackFailed as failure:
                _LOG.info("an answer could not be deleted with its question (%s)", failure)

    def _answer(self, heard: Heard, shown: str | None, reader: str | None) -> None:
        outlet = self._outlet(heard, shown, reader)
        try:
            self._ask(heard, outlet, reader)
        except InvalidRequest as error:
            self._say(heard, outlet, problem_message(explain(error)))
        except Exception:  # noqa: BLE001 - a face: whatever went wrong, who asked gets one sentence
            _LOG.exception("a question in Slack failed")
            self._say(heard, outlet, problem_message(UNANSWERED))

    def _ask(self, heard: Heard, outlet: Outlet, reader: str | None) -> None:
        wanted = read_words(without_mentions(heard.text, heard.bot))
        wanted = replace(wanted, filters=narrowed(wanted.filters, self._book.of(heard.team, heard.channel).filters))
        if not (heard.direct or self._answers(heard)):
            self._say(heard, outlet, problem_message(SHARED if heard.shared else NOT_HERE))
        elif wanted.kind == "settings":
            self._say(heard, outlet, problem_message("Settings are changed with /dateline settings."))
        elif wanted.kind != "ask":
            self._say(heard, outlet, help_message("/dateline"))
        elif not self._begin(heard, wanted, outlet, reader):
            self._say(heard, outlet, problem_message(BUSY))

    def _begin(self, heard: Heard, wanted: Wanted, outlet: Outlet, reader: str | None) -> bool:
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

    def _before(self, heard: Heard, reader: str | None) -> tuple[Turn, ...]:
        """What was asked in the thread as far as this reader saw it; before the first question, what people said."""
        owners = dict.fromkeys((_owner(heard), _owner(heard, reader)))
        asked = [turn for owner in owners for turn in self._archive.turns(owner, but=heard.asked)]
        return tuple(asked) or overheard(self._web, heard)

    def _say(self, heard: Heard, outlet: Outlet, message: Message) -> None:
        if self._tell(outlet, message):  # else the next start tells of it
            self._deliveries.finish(heard.event)

    def _tell(self, outlet: Outlet, message: Message) -> bool:
        """Whether there is nothing more to bring there."""
        try:
            outlet.end(message)
        except SlackFailed as failure:
            _LOG.warning("a question in Slack is left without an answer (%s)", failure)
            return not failure.temporary
        return True

    def _outlet(self, heard: Heard, shown: str | None, reader: str | None) -> Outlet:
        place = {
            "channel": heard.channel,
            "thread": heard.thread,
            "team": heard.team,
            "user": reader or heard.user,
            "direct": "yes" if heard.direct else "no",
            "in_thread": "yes" if heard.in_thread else "no",
        }
        return self._outlet_at(place, heard.event, shown, hidden=reader is not None)

    def _outlet_at(self, place: Mapping[str, Any], event: str, shown: str | None, *, hidden: bool) -> Outlet:
        if hidden:
            return EphemeralOutlet(self._web, self._persist, place)
        return ThreadOutlet(
            self._web,
            self._persist,
            self._abilities,
            place,
            shown=shown,
            on_shown=lambda message: self._deliveries.show(event, message),
        )


def _owner(heard: Heard, reader: str | None = None) -> str:
    return Archive.of_thread(heard.channel, heard.thread, reader)
