"""The Ask side of the page: one conversation, its question box, and what it is narrowed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from rag.errors import InvalidRequest, RagError, UnknownConversation
from rag.records import Filters
from ui.ask_view import AskView, Place
from ui.conversation import Exchange, stop
from ui.desk import Desk, explain
from ui.history import render_editing, render_history, render_problem, render_visiting
from ui.narrowing import narrowed, render_narrowing, without
from ui.owner import owner_of
from ui.rendering import render_conversation, render_exchange, render_suggestions, render_welcome

__all__ = ["AskTab"]

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

Update = dict[Any, Any]


class AskTab(AskView):
    """What happens between its components."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def wire(self, new: gr.Button) -> None:
        """Every handler returns a value for each of its outputs: one that is left out is to Gradio a change of the
        component, of which it makes and keeps a new one for every window."""
        place, hub, quick = self.place, self.hub, {"queue": False, **_QUIET}
        state, narrows = [place, self.narrowing], [self.narrowing, self.narrow]
        exchange = [place, self.past, self.live, self.suggestions, self.editing, self.said, self.history]
        everything, listed = [*exchange, *narrows], [self.history, self.said]
        running = [
            # Who presses Enter while an answer is being written is asked for when it is whole.
            gr.on(
                [self.question.submit, self.ask.click],
                self.typed,
                [self.question, *state],
                exchange,
                trigger_mode="always_last",
                **_QUIET,
            ),
            hub.ask(self.pressed, state, exchange, **_QUIET),
            hub.again(self.again, state, exchange, **_QUIET),
            hub.widen(self.widened, state, everything, **_QUIET),
        ]
        for asked in running:
            asked.then(self.suggest, state, self.suggestions, concurrency_limit=2, **_QUIET)
        self.stop.click(self.stopped, state, [place, self.live, *listed], cancels=running, **quick)
        for event, handler in ((new.click, self.emptied), (hub.arrive, self.arrived)):
            event(handler, None, everything, cancels=running if event == new.click else None, **quick).then(
                self.exemplify, None, self.examples, **_QUIET
            )
        hub.open(self.opened, None, everything, cancels=running, **quick)
        many = {"trigger_mode": "multiple", **quick}
        hub.edit(self.edited, place, [place, self.question, self.editing], **many)
        hub.unedit(self.unedited, place, [place, self.question, self.editing], **many)
        hub.opinion(self.judged, place, [place, self.past, self.live, self.said], **many)
        hub.narrow(self.narrowed, state, narrows, **many)
        hub.unchip(self.unchipped, state, narrows, **many)
        hub.rename(self.renamed, place, listed, **many)
        hub.sharing(self.shared, place, listed, **many)
        hub.discard(self.discarded, place, everything, **many)

    # Asking

    def typed(self, words: str, place: Place, narrowing: Filters, request: gr.Request) -> Iterator[Update]:
        """One exchange, update by update: what was asked at once, then every claim as it comes."""
        if words := (words or "").strip():
            yield from self._answer(words, place, narrowing, request)
        else:
            yield self._as_it_is(place, _owner(request))

    def pressed(self, place: Place, narrowing: Filters, request: gr.Request, event: gr.EventData) -> Iterator[Update]:
        """A question that stands on the page, such as an example."""
        if _busy(place):
            yield self._as_it_is(place, _owner(request))
        else:
            yield from self._answer(_said(event, "question"), replace(place, replaced=""), narrowing, request)

    def again(self, place: Place, narrowing: Filters, request: gr.Request) -> Iterator[Update]:
        """The last question once more, in its own place."""
        if place.current is None or _busy(place):
            yield self._as_it_is(place, _owner(request))
        else:
            asked = replace(place, replaced=place.current.key)
            yield from self._answer(place.current.question, asked, narrowing, request)

    def widened(self, place: Place, narrowing: Filters, request: gr.Request) -> Iterator[Update]:
        """The last question again, of articles of every date."""
        if place.current is None or _busy(place):
            yield {**self._as_it_is(place, _owner(request)), **self._narrowing(narrowing)}
            return
        everything = Filters(publishers=narrowing.publishers)
        asked = replace(place, replaced=place.current.key)
        narrow = self._narrow(place, everything, _owner(request))
        for update in self._answer(place.current.question, asked, everything, request, all_dates=True):
            yield {**update, **narrow}

    def _answer(
        self, words: str, place: Place, narrowing: Filters, request: gr.Request, *, all_dates: bool = False
    ) -> Iterator[Update]:
        owner = _owner(request)
        earlier = self.desk.earlier(place.conversation, owner, but=place.replaced)
        standing = self._standing(earlier, place, owner)
        begun = exchange = Exchange(words)
        yield {**standing, **self._current(place, begun)}
        for exchange in self.desk.answer(begun, earlier, narrowing, all_dates):
            if exchange.running:
                yield {**standing, **self._current(place, exchange)}
        # Whole on the page only once it is kept: what is asked next is answered out of what is kept.
        yield {**standing, **self._kept(place, exchange, narrowing, owner)}

    def stopped(self, place: Place, narrowing: Filters, request: gr.Request) -> Update:
        if place.current is not None and place.current.running:
            return self._kept(place, stop(place.current), narrowing, _owner(request))
        shown = self._as_it_is(place, _owner(request))
        return {each: shown[each] for each in (self.place, self.live, self.history, self.said)}

    def _kept(self, place: Place, exchange: Exchange, narrowing: Filters, owner: str) -> Update:
        """The exchange as it stays, stored. That it could not be stored must not take the answer away."""
        problem = ""
        try:
            id_ = self.desk.keep(place.conversation, owner, exchange, narrowing, instead_of=place.replaced)
        except RagError as error:
            id_, problem = place.conversation, render_problem(f"This answer is not kept. {explain(error)}")
        after = replace(place, conversation=id_, replaced="")
        return {**self._current(after, exchange), **self._listed(after, owner), self.said: problem}

    def suggest(self, place: Place, narrowing: Filters, request: gr.Request) -> str:
        """Questions to go on with, once an answer is whole."""
        if place.current is None or place.current.running:
            return ""
        earlier = self.desk.earlier(place.conversation, _owner(request), but=place.current.key)
        questions = self.desk.follow_ups(place.current, earlier, narrowing)
        return render_suggestions(questions, "Ask next", after=place.current.key)

    # Coming and going

    def arrived(self, request: gr.Request, event: gr.EventData) -> Update:
        """The page as it is first drawn: the conversation of its address, or an empty one."""
        named = parse_qs(_said(event, "address").removeprefix("?")).get("conversation", [""])[0]
        return self._opened(named, _owner(request)) if named else self.emptied(request)

    def opened(self, request: gr.Request, event: gr.EventData) -> Update:
        return self._opened(_said(event, "conversation"), _owner(request))

    def emptied(self, request: gr.Request) -> Update:
        """A new conversation; the number of articles is read again, so that it shows what was put in."""
        return self._emptied(_owner(request))

    def exemplify(self) -> str:
        """Example questions, which take a moment to find. The page shows them in an empty conversation only: by the
        time they come, something may have been asked."""
        return render_suggestions(self.desk.examples(), "For example")

    def _emptied(self, owner: str, problem: str = "") -> Update:
        return {
            **self._standing((), Place(), owner),
            **self._narrowing(Filters()),
            self.place: Place(),
            self.past: render_problem(problem) if problem else "",
            self.live: render_welcome(self.desk.articles()),
        }

    def _opened(self, conversation_id: str, owner: str) -> Update:
        try:
            opened = self.desk.open(conversation_id, owner)
        except UnknownConversation as error:
            return self._emptied(owner, explain(error))
        *before, last = opened.exchanges or (None,)
        visiting = "" if opened.own else render_visiting()
        place = Place(opened.conversation.id, last)
        return {
            **self._standing((), place, owner),
            **self._narrowing(opened.conversation.filters),
            self.place: place,
            self.past: visiting + render_conversation([each for each in before if each], own=opened.own),
            self.live: render_exchange(last, last=True, own=opened.own) if last else "",
        }

    # One exchange

    def edited(self, place: Place) -> Update:
        """The last question back in the box, to take the place of itself."""
        if place.current is None or place.current.running:
            return {self.place: place, self.question: gr.skip(), self.editing: ""}
        return {
            self.place: replace(place, replaced=place.current.key),
            self.question: place.current.question,
            self.editing: render_editing(),
        }

    def unedited(self, place: Place) -> Update:
        return {self.place: replace(place, replaced=""), self.question: "", self.editing: ""}

    def judged(self, place: Place, request: gr.Request, event: gr.EventData) -> Update:
        owner, key = _owner(request), _said(event, "key")
        said = {name: _said(event, name) for name in ("good", "comment", "expected")}
        try:
            exchanges = self.desk.judge(place.conversation, owner, key, said)
        except RagError as error:
            return {self.said: render_problem(explain(error))}
        if place.current is None or place.current.running:
            return {self.past: render_conversation(exchanges), self.said: ""}
        *before, last = exchanges
        return {self.past: render_conversation(before), **self._current(place, last), self.said: ""}

    # Narrowing

    def narrowed(self, place: Place, narrowing: Filters, request: gr.Request, event: gr.EventData) -> Update:
        form = {name: getattr(event, name, None) for name in ("since", "until", "publishers")}
        try:
            return self._narrow(place, narrowed(form), _owner(request))
        except InvalidRequest as error:
            told = render_narrowing(narrowing, self.desk.publishers(), explain(error))
            return {self.narrowing: narrowing, self.narrow: told}

    def unchipped(self, place: Place, narrowing: Filters, request: gr.Request, event: gr.EventData) -> Update:
        return self._narrow(place, without(narrowing, _said(event, "chip")), _owner(request))

    def _narrow(self, place: Place, filters: Filters, owner: str) -> Update:
        self.desk.narrow(place.conversation, owner, filters)
        return self._narrowing(filters)

    # The list of conversations

    def renamed(self, place: Place, request: gr.Request, event: gr.EventData) -> Update:
        id_, title = _said(event, "conversation"), _said(event, "title")
        return self._changed(place, request, lambda owner: self.desk.rename(id_, owner, title))

    def shared(self, place: Place, request: gr.Request, event: gr.EventData) -> Update:
        id_, shared = _said(event, "conversation"), _said(event, "shared") == "yes"
        return self._changed(place, request, lambda owner: self.desk.share(id_, owner, shared))

    def discarded(self, place: Place, request: gr.Request, event: gr.EventData) -> Update:
        id_ = _said(event, "conversation")
        changed = self._changed(place, request, lambda owner: self.desk.delete(id_, owner))
        return {**changed, **(self._emptied(_owner(request)) if id_ == place.conversation else {})}

    def _changed(self, place: Place, request: gr.Request, change: Callable[[str], None]) -> Update:
        owner, problem = _owner(request), ""
        try:
            change(owner)
        except RagError as error:
            problem = render_problem(explain(error))
        return {**self._listed(place, owner), self.said: problem}

    # What is drawn

    def _standing(self, earlier: Sequence[Exchange], place: Place, owner: str) -> Update:
        """What stands around an exchange while it is answered."""
        return {
            self.past: render_conversation(earlier),
            self.suggestions: "",
            self.editing: "",
            self.said: "",
            **self._listed(place, owner),
        }

    def _as_it_is(self, place: Place, owner: str) -> Update:
        """The page unchanged, where nothing is to be answered."""
        if place.current is None:
            return {
                **self._standing((), place, owner),
                self.place: place,
                self.live: render_welcome(self.desk.articles()),
            }
        earlier = self.desk.earlier(place.conversation, owner, but=place.current.key)
        return {**self._standing(earlier, place, owner), **self._current(place, place.current)}

    def _current(self, place: Place, exchange: Exchange) -> Update:
        return {self.place: replace(place, current=exchange), self.live: render_exchange(exchange, last=True)}

    def _listed(self, place: Place, owner: str) -> Update:
        return {self.history: render_history(self.desk.conversations(owner), place.conversation)}

    def _narrowing(self, filters: Filters) -> Update:
        return {self.narrowing: filters, self.narrow: render_narrowing(filters, self.desk.publishers())}


def _busy(place: Place) -> bool:
    return place.current is not None and place.current.running


def _owner(request: gr.Request) -> str:
    """The browser's id; where it keeps no cookies the window's own, which ends with it."""
    return owner_of(request.cookies) or f"window {request.session_hash}"


def _said(event: gr.EventData, name: str) -> str:
    """A field of what the page's script sent, as text."""
    said = getattr(event, name, None)
    return said if isinstance(said, str) else ""
