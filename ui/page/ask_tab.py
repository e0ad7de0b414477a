"""The Ask side of the page: one conversation, its question box, and what it is narrowed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from rag.errors import InvalidRequest, RagError, UnknownConversation
from rag.records import Filters
from ui.chat.conversations import ConversationService, explain
from ui.chat.exchanges import Exchange, history, stop
from ui.page.ask_view import AskView, Place
from ui.page.filters import narrowed, render_narrowing, without
from ui.page.history import render_editing, render_history, render_problem, render_visiting
from ui.page.rendering import render_conversation, render_exchange, render_suggestions, render_welcome
from ui.page.session import owner_of

__all__ = ["AskTab"]

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

Update = dict[Any, Any]


class AskTab(AskView):
    """What happens between its components."""

    def __init__(self, desk: ConversationService) -> None:
        self.desk = desk

    def wire(self, new: gr.Button) -> None:
        """What is asked often returns a value for each of its outputs: one that is left out is to Gradio a change of
        the component, of which it makes and keeps a new one for every window."""
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
        self.stop.click(self.stopped, place, [place, self.live, *listed], cancels=running, **quick)
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
        place = _mine(place, request)
        if words := (words or "").strip():
            yield from self._answer(words, place, narrowing)
        else:
            yield self._as_it_is(place)

    def pressed(self, place: Place, narrowing: Filters, request: gr.Request, event: gr.EventData) -> Iterator[Update]:
        """A question that stands on the page, such as an example."""
        place = _mine(place, request)
        if _busy(place):
            yield self._as_it_is(place)
        else:
            yield from self._answer(_said(event, "question"), replace(place, replaced=""), narrowing)

    def again(self, place: Place, narrowing: Filters, request: gr.Request) -> Iterator[Update]:
        """The last question once more, in its own place."""
        place = _mine(place, request)
        if place.current is None or _busy(place):
            yield self._as_it_is(place)
        else:
            yield from self._answer(place.current.question, replace(place, replaced=place.current.key), narrowing)

    def widened(self, place: Place, narrowing: Filters, request: gr.Request) -> Iterator[Update]:
        """The last question again, of articles of every date."""
        place = _mine(place, request)
        if place.current is None or _busy(place):
            yield {**self._as_it_is(place), **self._narrowing(narrowing)}
            return
        everything = Filters(publishers=narrowing.publishers)
        asked = replace(place, replaced=place.current.key)
        narrow = self._narrow(place, everything)
        for update in self._answer(place.current.question, asked, everything, all_dates=True):
            yield {**update, **narrow}

    def _answer(self, words: str, place: Place, narrowing: Filters, *, all_dates: bool = False) -> Iterator[Update]:
        earlier = self.desk.earlier(place.conversation, place.owner, but=place.replaced)
        place = self._begun(place, words, narrowing)
        standing = self._standing(earlier, place)
        begun = exchange = Exchange(words, filters=narrowing)
        yield {**standing, **self._current(place, begun)}
        for exchange in self.desk.answer(begun, history(earlier), all_dates=all_dates):
            if exchange.running:
                yield {**standing, **self._current(place, exchange)}
        # Whole on the page only once it is kept: what is asked next is answered out of what is kept.
        yield {**standing, **self._kept(place, exchange)}

    def _begun(self, place: Place, words: str, narrowing: Filters) -> Place:
        """The place with the conversation that a question belongs to; where none can be begun the question is
        answered all the same, and not being able to keep it is said at the end."""
        try:
            id_ = self.desk.begin(place.conversation, place.owner, words, narrowing)
        except RagError:
            return place
        return replace(place, conversation=id_)

    def stopped(self, place: Place, request: gr.Request) -> Update:
        place = _mine(place, request)
        if place.current is not None and place.current.running:
            return self._kept(place, stop(place.current))
        shown = self._as_it_is(place)
        return {each: shown[each] for each in (self.place, self.live, self.history, self.said)}

    def _kept(self, place: Place, exchange: Exchange) -> Update:
        """The exchange as it stays, stored. That it could not be stored must not take the answer away."""
        problem = ""
        try:
            self.desk.keep(place.conversation, place.owner, exchange, instead_of=place.replaced)
        except RagError as error:
            problem = render_problem(f"This answer is not kept. {explain(error)}")
        after = replace(place, replaced="")
        return {**self._current(after, exchange), **self._listed(after), self.said: problem}

    def suggest(self, place: Place, narrowing: Filters, request: gr.Request) -> str:
        """Questions to go on with, once an answer is whole."""
        place = _mine(place, request)
        current = place.current
        if current is None or current.answer is None:
            return ""
        before = self.desk.turns(place.conversation, place.owner, but=current.key)
        questions = self.desk.follow_ups(current.answer, before, narrowing)
        return render_suggestions(questions, "Ask next", after=current.key)

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
            **self._standing((), Place(owner)),
            **self._narrowing(Filters()),
            self.place: Place(owner),
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
        place = Place(owner, opened.conversation.id, last)
        return {
            **self._standing((), place),
            **self._narrowing(opened.conversation.filters),
            self.place: place,
            self.past: visiting + render_conversation([each for each in before if each], own=opened.own),
            self.live: render_exchange(last, last=True, own=opened.own) if last else "",
        }

    # One exchange

    def edited(self, place: Place, request: gr.Request) -> Update:
        """The last question back in the box, to take the place of itself."""
        place = _mine(place, request)
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
        place = _mine(place, request)
        said = {name: _said(event, name) for name in ("good", "comment", "expected")}
        try:
            exchanges = self.desk.judge(place.conversation, place.owner, _said(event, "key"), said)
        except RagError as error:
            return {self.said: render_problem(explain(error))}
        if place.current is None or place.current.running:
            return {self.past: render_conversation(exchanges), self.said: ""}
        *before, last = exchanges
        return {self.past: render_conversation(before), **self._current(place, last), self.said: ""}

    # Narrowing

    def narrowed(self, place: Place, narrowing: Filters, request: gr.Request, event: gr.EventData) -> Update:
        try:
            return self._narrow(_mine(place, request), narrowed(_sent(event)))
        except InvalidRequest as error:
            return self._narrowing(narrowing, explain(error))

    def unchipped(self, place: Place, narrowing: Filters, request: gr.Request, event: gr.EventData) -> Update:
        return self._narrow(_mine(place, request), without(narrowing, _said(event, "chip")))

    def _narrow(self, place: Place, filters: Filters) -> Update:
        try:
            self.desk.narrow(place.conversation, place.owner, filters)
        except RagError as error:
            return self._narrowing(filters, f"This is not remembered. {explain(error)}")
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
        place, problem = _mine(place, request), ""
        try:
            change(place.owner)
        except RagError as error:
            problem = render_problem(explain(error))
        return {**self._listed(place), self.said: problem}

    # What is drawn

    def _standing(self, earlier: Sequence[Exchange], place: Place) -> Update:
        """What stands around an exchange while it is answered."""
        return {
            self.past: render_conversation(earlier),
            self.suggestions: "",
            self.editing: "",
            self.said: "",
            **self._listed(place),
        }

    def _as_it_is(self, place: Place) -> Update:
        """The page unchanged, where nothing is to be answered."""
        if place.current is None:
            welcome = render_welcome(self.desk.articles())
            return {**self._standing((), place), self.place: place, self.live: welcome}
        earlier = self.desk.earlier(place.conversation, place.owner, but=place.current.key)
        return {**self._standing(earlier, place), **self._current(place, place.current)}

    def _current(self, place: Place, exchange: Exchange) -> Update:
        return {self.place: replace(place, current=exchange), self.live: render_exchange(exchange, last=True)}

    def _listed(self, place: Place) -> Update:
        try:
            listed = render_history(self.desk.conversations(place.owner), place.conversation)
        except RagError as error:
            listed = render_problem(explain(error))
        return {self.history: listed}

    def _narrowing(self, filters: Filters, problem: str = "") -> Update:
        return {self.narrowing: filters, self.narrow: render_narrowing(filters, self.desk.publishers(), problem)}


def _busy(place: Place) -> bool:
    return place.current is not None and place.current.running


def _owner(request: gr.Request) -> str:
    """The browser's id; where it keeps no cookies the window's own, which ends with it."""
    return owner_of(request.cookies) or f"window {request.session_hash}"


def _mine(place: Place, request: gr.Request) -> Place:
    """The place, if it is of whoever asks; else an empty one of theirs."""
    owner = _owner(request)
    return place if place.owner == owner else Place(owner)


def _sent(event: gr.EventData) -> dict[str, Any]:
    """What the page's script sent; anything may come from elsewhere."""
    return event._data if isinstance(event._data, dict) else {}


def _said(event: gr.EventData, name: str) -> str:
    said = _sent(event).get(name)
    return said if isinstance(said, str) else ""
