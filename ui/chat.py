"""The chat page: a Gradio face that folds the engine's events into HTML."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI

from rag.errors import EncoderError, InvalidRequest, LibraryError, RagError
from rag.records import Event, Question
from ui.conversation import Exchange, fail, fold, history, stop
from ui.gate import Gate
from ui.rendering import render_conversation, render_exchange, render_notice, render_welcome
from ui.sign_in import SignIn

# Gradio reads both when it is imported: no telemetry, and no question for a newer version.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import gradio as gr

__all__ = ["Engine", "build_page", "mount_page"]

_LOG = logging.getLogger(__name__)
_ICON = """<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
%3Crect width='32' height='32' rx='6' fill='%231f4e79'/%3E\
%3Cpath d='M9 8h6c5 0 8 3 8 8s-3 8-8 8H9z' fill='none' stroke='%23fff' stroke-width='3'/%3E%3C/svg%3E">"""
_SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
_CONCURRENT_ANSWERS = 8
_WAITING_QUESTIONS = 64
# Buttons in the transcript carry their question: the page asks it without a round trip through the box.
_ON_LOAD = """element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-ask]");
  if (button) trigger("example", {question: button.dataset.ask});
});"""

Update = dict[Any, Any]


class Engine(Protocol):
    """What the page needs of the engine."""

    def answer(self, question: Question) -> Iterator[Event]:
        """The events of one answer; raises RagError."""

    def count(self) -> int:
        """How many articles the library holds."""


def mount_page(
    app: FastAPI,
    engine: Engine,
    *,
    examples: Sequence[str] = (),
    notice: str | None = None,
    auth_key: str | None = None,
) -> FastAPI:
    """Serve the page at `/` of `app`. Call it last: it takes every path that no route before it has taken.

    With `auth_key` set, the page asks for it once, in a form.
    """
    gr.mount_gradio_app(
        app,
        build_page(engine, examples=examples, notice=notice),
        path="/",
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=False,
        max_file_size=0,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gr.themes.Base(font=_SYSTEM_FONTS, font_mono=_MONO_FONTS),
        js=_asset("page.js"),
        # Not `css=`: Gradio would put its own container in front of every selector.
        head=f"{_ICON}<style>{_asset('page.css')}</style>",
    )
    mounted: Any = app.routes[-1]
    mounted.app = Gate(SignIn(mounted.app, auth_key) if auth_key else mounted.app)
    return app


def build_page(engine: Engine, *, examples: Sequence[str] = (), notice: str | None = None) -> gr.Blocks:
    """The page as Gradio blocks. `notice` is one sentence under the question box, such as where passages are sent."""
    return _Page(engine, tuple(examples)).build(notice)


class _Page:
    """The components of the page and what happens between them. All state is a reader's own (`gr.State`)."""

    def __init__(self, engine: Engine, examples: tuple[str, ...]) -> None:
        self.engine = engine
        self.examples = examples

    def build(self, notice: str | None) -> gr.Blocks:
        blocks: gr.Blocks
        with gr.Blocks(title="Dateline", analytics_enabled=False, fill_width=True) as blocks:
            self.exchanges = gr.State(())
            with gr.Column(elem_id="page"):
                with gr.Row(elem_id="masthead"):
                    gr.HTML(_MASTHEAD, apply_default_css=False)
                    self.new = gr.Button("New conversation", elem_id="new", size="sm", min_width=0)
                with gr.Column(elem_id="transcript"):
                    self.past = gr.HTML("", elem_id="past", apply_default_css=False)
                    self.live = gr.HTML("", elem_id="live", apply_default_css=False, js_on_load=_ON_LOAD)
                self._composer(notice)
                gr.HTML(_DRAWER, elem_id="drawer", apply_default_css=False)
            self._wire(blocks)
        blocks.queue(default_concurrency_limit=_CONCURRENT_ANSWERS, max_size=_WAITING_QUESTIONS)
        return blocks

    def _composer(self, notice: str | None) -> None:
        with gr.Column(elem_id="composer"):
            with gr.Row(elem_id="ask-row"):
                self.question = gr.Textbox(
                    label="Question",
                    placeholder="Ask the articles",
                    lines=1,
                    max_lines=6,
                    elem_id="question",
                    html_attributes=gr.InputHTMLAttributes(enterkeyhint="send"),
                )
                self.ask = gr.Button("Ask", variant="primary", elem_id="ask", min_width=0)
                self.stop = gr.Button("Stop", elem_id="stop", min_width=0, visible=False)
            if notice:
                gr.HTML(render_notice(notice), apply_default_css=False)

    def _wire(self, blocks: gr.Blocks) -> None:
        shown = [self.question, self.exchanges, self.past, self.live, self.ask, self.stop]
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        asked = gr.on(
            [self.question.submit, self.ask.click], self.answer, [self.question, self.exchanges], shown, **quiet
        )
        tried = self.live.example(self.answer_example, [self.exchanges], shown, **quiet)
        running = [asked, tried]
        self.stop.click(self.stopped, [self.exchanges], shown, cancels=running, queue=False, **quiet)
        self.new.click(self.emptied, None, shown, cancels=running, queue=False, **quiet)
        blocks.load(self.emptied, None, shown, queue=False, **quiet)

    def answer(self, text: str, exchanges: tuple[Exchange, ...]) -> Iterator[Update]:
        """One exchange, update by update: what was asked at once, then every claim as it comes."""
        if not (text := (text or "").strip()):
            # Nothing is touched: the box may hold what was typed since.
            yield self._buttons(running=False)
            return
        begun = Exchange(text)
        yield {
            self.question: "",
            self.past: render_conversation(exchanges),
            **self._shown(exchanges, begun),
            **self._buttons(running=True),
        }
        for exchange in self._follow(begun, Question(text, history=history(exchanges))):
            yield self._shown(exchanges, exchange)
        yield self._buttons(running=False)

    def answer_example(self, exchanges: tuple[Exchange, ...], event: gr.EventData) -> Iterator[Update]:
        yield from self.answer(str(event.question), exchanges)

    def stopped(self, exchanges: tuple[Exchange, ...]) -> Update:
        if not exchanges:
            return self._buttons(running=False)
        *earlier, last = exchanges
        return {**self._shown(tuple(earlier), stop(last)), **self._buttons(running=False)}

    def emptied(self) -> Update:
        """A new conversation; the number of articles is read again, so that a reload shows what was put in."""
        welcome = render_welcome(self.engine.count(), self.examples)
        return {self.exchanges: (), self.past: "", self.live: welcome, **self._buttons(running=False)}

    def _follow(self, exchange: Exchange, question: Question) -> Iterator[Exchange]:
        try:
            for event in self.engine.answer(question):
                exchange = fold(exchange, event)
                yield exchange
        except RagError as error:
            _LOG.info("a question failed: %s", error)
            yield fail(exchange, _explain(error))
        except Exception:  # noqa: BLE001 - a face: whatever went wrong, the reader gets one sentence
            _LOG.exception("a question failed")
            yield fail(exchange, "Something went wrong while answering. The server’s log says what.")

    def _shown(self, earlier: tuple[Exchange, ...], exchange: Exchange) -> Update:
        return {self.exchanges: (*earlier, exchange), self.live: render_exchange(exchange)}

    def _buttons(self, *, running: bool) -> Update:
        return {self.ask: gr.update(visible=not running), self.stop: gr.update(visible=running)}


_MASTHEAD = "<h1>Dateline</h1><p>Answers from your news archive, with the words they rest on</p>"
_DRAWER = (
    '<aside id="evidence" role="dialog" aria-label="Source" tabindex="-1" hidden>'
    '<header><p id="evidence-number"></p><button type="button" id="evidence-close">Close</button></header>'
    '<div id="evidence-body"></div></aside>'
)


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _explain(error: RagError) -> str:
    """One sentence for a reader. Only what the reader can mend is told in full; the rest may name paths."""
    if isinstance(error, InvalidRequest):
        sentence = f"{error.message} ({error.remedy})" if error.remedy else error.message
        return f"{sentence[:1].upper()}{sentence[1:]}."
    if isinstance(error, LibraryError | EncoderError):
        return "The library cannot be searched just now; `rag doctor` on the server says why."
    return "This question could not be answered just now; the server’s log says why."
