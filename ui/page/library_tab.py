"""The library tab: one component whose script asks the routes of ui/shelf_routes.py."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from starlette.routing import Route

from rag.ingestion.loading import IngestLimits
from ui.page.library import render_frame
from ui.page.library_routes import Engine, shelf_routes

__all__ = ["ShelfTab"]


class ShelfTab:
    """The tab on an engine; `rules` are the limits of what is taken in.

    Nothing of it passes through Gradio's events or its uploads: every file is a request of its own to a
    route of ours, so that no file lies in a folder that two readers share, and none is served.
    """

    def __init__(self, engine: Engine, rules: IngestLimits) -> None:
        self._engine = engine
        self._rules = rules

    def build(self) -> None:
        """Create the component inside the current container. It draws its list whenever it comes into view."""
        gr.HTML(
            render_frame(self._rules.max_bytes),
            elem_id="shelf",
            apply_default_css=False,
            js_on_load=Path(__file__).with_name("shelf.js").read_text(encoding="utf-8"),
        )

    def routes(self) -> list[Route]:
        """What the page must serve beside Gradio, behind its sign-in."""
        return shelf_routes(self._engine, self._rules)
