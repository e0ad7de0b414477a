"""The buttons under an answer in Slack: an opinion, the quotes, the answer for everybody."""

from __future__ import annotations

import logging
from typing import Any

from rag.errors import RagError
from ui.slack.archive import Archive
from ui.slack.asking import headed
from ui.slack.blocks import SlackMessage, answer_message, problem_message
from ui.slack.delivery import Persistence, ResponseUrls, SlackFailed
from ui.slack.events import Pressed
from ui.slack.outlets import UNFURL_NOTHING, EphemeralOutlet, Web

__all__ = ["ACTIONS", "Buttons"]

_LOG = logging.getLogger("rag.slack")

# `open` is a link: Slack tells of it and wants nothing but an acknowledgement.
ACTIONS = ("opinion_good", "opinion_bad", "show_quotes", "share", "open")

_GONE = "This answer is no longer kept here. Ask again to get a new one."
_THANKS = "Thank you. Your opinion is kept with the answer."


class Buttons:
    """Each press comes with an address to answer at. It leads to the channel: threads are reached with `web` only."""

    def __init__(self, archive: Archive, urls: ResponseUrls, persist: Persistence, web: Web | None) -> None:
        self._archive = archive
        self._urls = urls
        self._persist = persist
        self._web = web

    def press(self, pressed: Pressed) -> None:
        """Do it. Waits for the library and for Slack."""
        if pressed.action == "open":
            return
        try:
            try:
                self._act(pressed)
            except RagError as error:
                _LOG.warning("a button in Slack failed: %s", error)
                self._tell(pressed, "That did not work just now.")
        except SlackFailed as failure:
            _LOG.warning("a button in Slack could not be answered (%s)", failure)

    def _act(self, pressed: Pressed) -> None:
        judged = pressed.action in ("opinion_good", "opinion_bad")
        reader = pressed.user if pressed.ephemeral else None
        in_thread = [Archive.of_thread(pressed.channel, pressed.thread, reader)] if pressed.thread else []
        by_itself = [Archive.of_answer(pressed.value)]
        # An opinion is kept with the thread's history. What is shown links to the answer alone where it was kept so.
        owners = (*in_thread, *by_itself) if judged else (*by_itself, *in_thread)
        found = self._archive.answer(owners, pressed.value)
        if found is None:
            self._tell(pressed, _GONE)
            return
        answer, blank, owner = found
        if judged:
            self._archive.judge(blank, pressed.action == "opinion_good", f"slack:{pressed.team}:user:{pressed.user}")
            self._tell(pressed, _THANKS)
        elif pressed.action == "share":
            shared = headed(answer_message(answer, open_at=self._archive.link(owner)), answer.question)
            self._respond(pressed, shared, response_type="in_channel", replace_original=False)
        else:
            link, hidden = self._archive.link(owner), pressed.ephemeral
            opened = answer_message(answer, open_at=link, shareable=hidden, quotes_open=True)
            # What all see and nobody's message asks stands under its question.
            by_all = owner in by_itself and not hidden
            self._respond(pressed, headed(opened, answer.question) if by_all else opened, replace_original=True)

    def _tell(self, pressed: Pressed, sentence: str) -> None:
        """To who pressed it alone, where the answer stands."""
        message, web = problem_message(sentence), self._web
        if web and pressed.in_thread and pressed.thread:
            try:
                EphemeralOutlet(web, self._persist, pressed.channel, pressed.user, pressed.thread).end(message)
                return
            except SlackFailed as failure:
                _LOG.info("a button in Slack is answered in the channel (%s)", failure)
        self._respond(pressed, message, response_type="ephemeral", replace_original=False)

    def _respond(self, pressed: Pressed, message: SlackMessage, **how: Any) -> None:
        body = {**how, "text": message.text, "blocks": message.blocks, **UNFURL_NOTHING}
        self._persist(lambda: self._urls.post(pressed.response_url, body))
