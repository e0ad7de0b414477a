"""`/dateline settings`: shows what holds in a channel to everybody; admins change it by words or in a dialog."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rag.errors import RagError
from rag.storage.channels import ChannelSettings
from ui.chat.conversations import explain
from ui.slack.asking import BUSY
from ui.slack.blocks import SlackMessage, problem_message
from ui.slack.delivery import Persistence, ResponseUrls, SlackFailed
from ui.slack.dialog import ANSWER, Place, Unfit, chosen_in, is_nameable, place_of, settings_view, suggestions
from ui.slack.outlets import EphemeralOutlet, Web
from ui.slack.settings import Book, change, is_admin, told
from ui.slack.work import Work

__all__ = ["ChannelCommands", "Publishers", "shown"]

_LOG = logging.getLogger("rag.slack")

# How long Slack lets a command open a dialog.
_TRIGGER_S = 3.0
_LATER = "There is too much to do just now. Please save again in a minute."


class Publishers:
    """Their names as they were last read: Slack asks for them while somebody types, and cannot wait for the library."""

    def __init__(self, read: Callable[[], Sequence[str]]) -> None:
        self._read = read
        self.names: tuple[str, ...] = ()

    def refresh(self) -> None:
        """Waits for the library; what it does not give is not missed before the next time."""
        try:
            self.names = tuple(name for name in self._read() if is_nameable(name))
        except RagError as error:
            _LOG.warning("the publishers could not be read for the settings in Slack: %s", error)


class ChannelCommands:
    """`web` is what tells who is an admin, and opens the dialog."""

    def __init__(
        self,
        book: Book,
        web: Web | None,
        urls: ResponseUrls,
        persist: Persistence,
        work: Work,
        publishers: Publishers,
    ) -> None:
        self.book = book
        self._web = web
        self._urls = urls
        self._persist = persist
        self._work = work
        self._publishers = publishers

    def receive(self, form: Mapping[str, str], words: str) -> dict[str, Any]:
        """The acknowledgement; a change is told of at the `response_url`."""
        place, web = self._place(form), self._web
        if web is None:
            return shown(problem_message("Settings need SLACK_BOT_TOKEN, which is what tells who is an admin."))
        current, user = self.book.of(place.team, place.channel), form.get("user_id", "")
        if not words:
            if trigger := form.get("trigger_id"):
                until = time.monotonic() + _TRIGGER_S
                self._work.submit(lambda: self._open(web, place, user, trigger, until))
            return shown(problem_message(self._told(place, current)))
        settings, elsewhere = change(current, words)

        def work() -> None:
            message = problem_message(self._changed(web, place, user, settings, elsewhere))
            try:
                self._persist(lambda: self._urls.post(form.get("response_url", ""), shown(message)))
            except SlackFailed as failure:
                _LOG.warning("settings in Slack could not be answered (%s)", failure)

        return shown(problem_message("One moment…" if self._work.submit(work) else BUSY))

    def submit(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The acknowledgement of a dialog: empty to close it, or what is wrong with it. A change is told of in the
        channel."""
        view, user = payload.get("view") or {}, str((payload.get("user") or {}).get("id") or "")
        web = self._web
        try:
            place = place_of(view)
            current = self.book.of(place.team, place.channel)
            settings, elsewhere = chosen_in(view, current, self._publishers.names)
        except Unfit as error:
            self._work.submit(self._publishers.refresh)  # what it does not know may be there by the next try
            return _refused(error.errors)

        def work() -> None:
            if web is not None:
                self._tell(web, place, user, self._changed(web, place, user, settings, elsewhere))

        return {} if self._work.submit(work) else _refused({ANSWER: _LATER})

    def suggest(self, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Publishers for what somebody types into the dialog. Never waits for the library."""
        names = self._publishers.names
        if not names:  # a restart in between, or the library did not give them
            self._work.submit(self._publishers.refresh)
        return suggestions(names, str(payload.get("value") or ""))

    def _place(self, form: Mapping[str, str]) -> Place:
        team = form.get("team_id", "")
        elsewhere = self.book.elsewhere(team)
        return Place(team, form.get("channel_id", ""), form.get("command") or "/dateline", elsewhere)

    def _open(self, web: Web, place: Place, user: str, trigger: str, until: float) -> None:
        """Show admins the dialog as long as Slack allows it; whoever gets none has the words."""

        def soon(send: Callable[[], object]) -> object:
            return self._persist(send, until=until)

        try:
            if is_admin(web, user, soon):
                self._work.submit(self._publishers.refresh)
                view = settings_view(place, self.book.of(place.team, place.channel))
                soon(lambda: web.call("views.open", trigger_id=trigger, view=view))
        except SlackFailed as failure:
            _LOG.info("the dialog of the settings could not be opened in Slack (%s)", failure)

    def _changed(self, web: Web, place: Place, user: str, settings: ChannelSettings, elsewhere: bool | None) -> str:
        """What came of it, in a sentence."""
        try:
            if not is_admin(web, user, self._persist):
                return "Only admins of the workspace can change the settings."
            self.book.put(place.team, place.channel, settings, elsewhere)
        except SlackFailed as failure:
            return f"It could not be told whether you are an admin ({failure.code}); nothing was changed."
        except RagError as error:
            return explain(error)
        return self._told(place, settings)

    def _told(self, place: Place, settings: ChannelSettings) -> str:
        return told(settings, self.book.answers(place.team, place.channel), place.command)

    def _tell(self, web: Web, place: Place, user: str, sentence: str) -> None:
        """Slack takes it only where the app is a member."""
        try:
            EphemeralOutlet(web, self._persist, place.channel, user, None).end(problem_message(sentence))
        except SlackFailed as failure:
            _LOG.info("what came of the dialog of the settings could not be told in Slack (%s)", failure)


def shown(message: SlackMessage) -> dict[str, Any]:
    """The message as the answer to a command."""
    return {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks}


def _refused(errors: Mapping[str, str]) -> dict[str, Any]:
    return {"response_action": "errors", "errors": dict(errors)}
