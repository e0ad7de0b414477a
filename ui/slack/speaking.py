"""How something is said in Slack beside the answers: at once for who asks, in its own time for Slack."""

from __future__ import annotations

import logging

from rag.storage.deliveries import Deliveries
from ui.chat.conversations import ConversationService
from ui.slack.blocks import SlackMessage
from ui.slack.delivery import Persistence, SlackFailed
from ui.slack.events import Opened
from ui.slack.outlets import EphemeralOutlet, Outlet, Web
from ui.slack.text import shortened
from ui.slack.thread_outlet import Abilities, Spot, ThreadOutlet
from ui.slack.work import Work

__all__ = ["Responder"]

_LOG = logging.getLogger("rag.slack")

_LONGEST_PROMPT_TITLE = 70


class Responder:
    """Slack may make one wait for minutes: what only says something does so on the threads of `errands`."""

    def __init__(self, web: Web, persist: Persistence, errands: Work, deliveries: Deliveries, *, streams: bool) -> None:
        self.web = web
        self._persist = persist
        self._errands = errands
        self._deliveries = deliveries
        self._abilities = Abilities(streams=streams)

    def outlet(self, spot: Spot, event: str, shown: str | None, reader: str | None) -> Outlet:
        """Where the answer to a delivery goes: to one reader alone if there is one, else into the thread, where `shown`
        is the message to use."""
        if reader is not None:
            return EphemeralOutlet(
                self.web, self._persist, spot.channel, reader, spot.thread if spot.in_thread else None
            )
        return self._in_thread(spot, event, shown)

    def say(self, outlet: Outlet, message: SlackMessage, event: str | None = None) -> None:
        """Soon; the delivery is finished with it. What cannot be said now is left to the next start."""

        def errand() -> None:
            if self._told(outlet, message) and event is not None:
                self._deliveries.finish(event)

        self._errands.submit(errand)

    def withdraw(self, spot: Spot, event: str, shown: str) -> None:
        """Take an answer away, soon."""

        def errand() -> None:
            try:
                self._in_thread(spot, event, shown).withdraw()
            except SlackFailed as failure:
                _LOG.info("an answer could not be deleted with its question (%s)", failure)

        self._errands.submit(errand)

    def suggest(self, opened: Opened, desk: ConversationService) -> None:
        """Offer questions to somebody who may not know what to ask. Waits for the library and for Slack."""
        prompts = [
            {"title": shortened(question, _LONGEST_PROMPT_TITLE), "message": question} for question in desk.examples()
        ]
        if not prompts:
            return
        try:
            self.web.call(
                "assistant.threads.setSuggestedPrompts",
                channel_id=opened.channel,
                thread_ts=opened.thread,
                prompts=prompts,
            )
        except SlackFailed as failure:
            _LOG.info("questions could not be suggested in Slack (%s)", failure)

    def _in_thread(self, spot: Spot, event: str, shown: str | None) -> ThreadOutlet:
        return ThreadOutlet(
            self.web,
            self._persist,
            self._abilities,
            spot,
            shown=shown,
            on_shown=lambda message: self._deliveries.show(event, message),
        )

    def _told(self, outlet: Outlet, message: SlackMessage) -> bool:
        """Whether there is nothing more to bring there."""
        try:
            outlet.end(message)
        except SlackFailed as failure:
            _LOG.warning("a question in Slack is left without an answer (%s)", failure)
            return not failure.temporary
        return True
