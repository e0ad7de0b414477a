"""The buttons under an answer in Slack: an opinion, the quotes, the answer for everybody."""

from __future__ import annotations

import logging
from typing import Any

from rag.errors import RagError
from ui.slack.archive import Archive
from ui.slack.asking import headed
from ui.slack.blocks import Message, answer_message
from ui.slack.delivery import Persistence, ResponseUrls, SlackFailed
from ui.slack.events import Pressed
from ui.slack.outlets import UNFURL_NOTHING

__all__ = ["ACTIONS", "Buttons"]

_LOG = logging.getLogger("rag.slack")

# `open` is a link: Slack tells of it and wants nothing but an acknowledgement.
ACTIONS = ("opinion_good", "opinion_bad", "show_quotes", "share", "open")

_GONE = "This answer is no longer kept here. Ask again to get a new one."
_THANKS = "Thank you. Your opinion is kept with the answer."


class Buttons:
    """Needs no token: each press comes with an address to answer at."""

    def __init__(self, archive: Archive, urls: ResponseUrls, persist: Persistence) -> None:
        self._archive = archive
        self._urls = urls
        self._persist = persist

    def press(self, pressed: Pressed) -> None:
        """Do it. Waits for the library and for Slack."""
        if pressed.action == "open":
            return
        try:
            body = self._done(pressed)
        except RagError as error:
            _LOG.warning("a button in Slack failed: %s", error)
            body = _told("That did not work just now.")
        try:
            self._persist(lambda: self._urls.post(pressed.response_url, {**body, **UNFURL_NOTHING}))
        except SlackFailed as failure:
            _LOG.warning("a button in Slack could not be answered (%s)", failure)

    def _done(self, pressed: Pressed) -> dict[str, Any]:
        judged = pressed.action in ("opinion_good", "opinion_bad")
        reader = pressed.user if pressed.ephemeral else None
        in_thread = [Archive.of_thread(pressed.channel, pressed.thread, reader)] if pressed.thread else []
        by_itself = [Archive.of_answer(pressed.value)]
        # An opinion is kept with the thread's history. What is shown links to the answer alone where it was kept so.
        owners = (*in_thread, *by_itself) if judged else (*by_itself, *in_thread)
        found = self._archive.answer(owners, pressed.value)
        if found is None:
            return _told(_GONE)
        answer, blank, owner = found
        if judged:
            good = pressed.action == "opinion_good"
            self._archive.judge(blank, good, f"slack:{pressed.team}:user:{pressed.user}")
            return _told(_THANKS)
        link = self._archive.link(owner)
        if pressed.action == "share":
            shared = headed(answer_message(answer, open_at=link), answer.question)
            return _body(shared, response_type="in_channel", replace_original=False)
        opened = answer_message(answer, open_at=link, shareable=pressed.ephemeral, quotes_open=True)
        return _body(opened, replace_original=True)


def _body(message: Message, **how: Any) -> dict[str, Any]:
    return {**how, "text": message.text, "blocks": message.blocks}


def _told(sentence: str) -> dict[str, Any]:
    return {"response_type": "ephemeral", "replace_original": False, "text": sentence}
