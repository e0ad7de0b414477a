"""The slash command: acknowledged at once, answered at its `response_url`."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rag.errors import InvalidRequest
from rag.storage.deliveries import Deliveries, Delivery
from ui.chat.conversations import explain
from ui.slack.asking import BUSY, NOT_HERE, Asking, Inquiry
from ui.slack.blocks import help_message, problem_message
from ui.slack.channel_settings import ChannelCommands, shown
from ui.slack.delivery import Persistence, ResponseUrls
from ui.slack.outlets import CommandOutlet
from ui.slack.settings import narrowed
from ui.slack.text import fitted
from ui.slack.words import Wanted, read_words
from ui.slack.work import Lanes, Work

__all__ = ["Claims", "Commands"]

_LOG = logging.getLogger("rag.slack")


class Claims:
    """Claims commands on threads of their own, because receiving one must not wait for the library."""

    def __init__(self, deliveries: Deliveries, lanes: Lanes) -> None:
        self._deliveries = deliveries
        self._lanes = lanes

    def of(self, delivery: Delivery) -> Callable[[], bool]:
        """Whether the delivery is new, found out once and by whoever asks first."""
        lock, known = threading.Lock(), list[bool]()

        def claim() -> bool:
            with lock:
                if not known:
                    known.append(self._deliveries.claim(delivery))
                return known[0]

        return claim

    def soon(self, claim: Callable[[], bool], event: str) -> None:
        """If there is no room for it, it is claimed when its turn comes."""

        def work() -> None:
            claim()

        self._lanes.submit(work, event)


class Commands:
    """`response` says who sees the answers where a channel says nothing of it: `ephemeral` or `in_channel`."""

    def __init__(
        self,
        asking: Asking,
        claims: Claims,
        channels: ChannelCommands,
        urls: ResponseUrls,
        persist: Persistence,
        work: Work,
        response: str,
    ) -> None:
        self._asking = asking
        self._claims = claims
        self._channels = channels
        self._urls = urls
        self._persist = persist
        self._work = work
        self._response = response

    def receive(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The acknowledgement of one command, as Slack shows it to who typed it. Never waits for anything."""
        command, team, channel = form.get("command") or "/dateline", form.get("team_id", ""), form.get("channel_id", "")
        book = self._channels.book
        try:
            wanted = read_words(form.get("text", ""))
            if wanted.kind == "settings":
                return self._channels.receive(form, wanted.question)
            if wanted.kind in ("help", "empty"):
                return shown(help_message(command))
            if not book.answers(team, channel):
                return shown(problem_message(NOT_HERE))
            settings = book.of(team, channel)
            wanted = replace(wanted, filters=narrowed(wanted.filters, settings.filters))
        except InvalidRequest as error:
            return shown(problem_message(explain(error)))
        url = form.get("response_url", "")
        if not self._urls.allowed(url):
            _LOG.warning("a slash command named a response_url that is not Slack's: it is not answered")
            return shown(problem_message("The answer could not be brought here: the response_url is not Slack’s."))
        if not self._begin(wanted, form, settings.show or self._response):
            return shown(problem_message(BUSY))
        return {"response_type": "ephemeral", "text": f"Searching… {fitted(wanted.question, 300)}"}

    def _begin(self, wanted: Wanted, form: Mapping[str, str], response: str) -> bool:
        # Slack names each command once; what has no name is never mistaken for another.
        event, url = f"command:{form.get('trigger_id') or secrets.token_hex(8)}", form["response_url"]
        in_channel = response == "in_channel"
        inquiry = Inquiry(
            event=event,
            question=wanted.question,
            filters=wanted.filters,
            shareable=not in_channel,
            with_question=in_channel,
        )
        outlet = CommandOutlet(self._urls, url, response, self._persist)

        claim = self._claims.of(Delivery(event, response_url=url))
        begun = self._asking.begin(inquiry, outlet, self._work.submit, claim)
        if begun:
            # So that a start tells of it even if a stop comes before its turn.
            self._claims.soon(claim, event)
        return begun
