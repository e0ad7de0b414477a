"""What the Ask side of the page is made of: its Gradio components, and what a page remembers between events."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from rag.records import Filters
from ui.chat.exchanges import Exchange
from ui.page.rendering import render_notice

__all__ = ["AskView", "Place"]

# What the page's script sends here. Gradio looks for the names of events in this text, in quotes.
_HUB = """// "ask" "again" "widen" "edit" "unedit" "opinion" "narrow" "unchip" "open" "rename" "sharing" "discard"
window.dateline = {send: (name, data) => trigger(name, data)};
trigger("arrive", {address: location.search});"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is: its conversation (empty before the first answer), the exchange that is being answered or was
    last, and the key of one that the next question takes the place of. `owner` is whose window it is: Gradio finds it
    by a number that the browser chose, which alone must open nothing.

    Everything else is in the library, so that a page that stays open all day holds one exchange and no more.
    """

    owner: str = ""
    conversation: str = ""
    current: Exchange | None = None
    replaced: str = ""


class AskView:
    """The components, as attributes once `build` has been called."""

    def build(self, notice: str | None) -> None:
        self.place = gr.State(Place())
        # Apart from the place, because it may be changed while an answer is being written.
        self.narrowing = gr.State(Filters())
        self.hub = gr.HTML("", elem_id="hub", js_on_load=_HUB, visible="hidden")
        with gr.Row(elem_id="desk"):
            self.history = gr.HTML("", elem_id="history", apply_default_css=False)
            with gr.Column(elem_id="talk"):
                with gr.Column(elem_id="transcript"):
                    self.past = gr.HTML("", elem_id="past", apply_default_css=False)
                    with gr.Column(elem_id="now"):
                        self.live = gr.HTML("", elem_id="live", apply_default_css=False)
                        self.examples = gr.HTML("", elem_id="examples", apply_default_css=False)
                        self.suggestions = gr.HTML("", elem_id="suggestions", apply_default_css=False)
                self._composer(notice)

    def _composer(self, notice: str | None) -> None:
        with gr.Column(elem_id="composer"):
            self.narrow = gr.HTML("", elem_id="narrowing", apply_default_css=False)
            self.editing = gr.HTML("", elem_id="editing", apply_default_css=False)
            self.said = gr.HTML("", elem_id="said", apply_default_css=False)
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
                self.stop = gr.Button("Stop", elem_id="stop", min_width=0)
            if notice:
                gr.HTML(render_notice(notice), apply_default_css=False)
