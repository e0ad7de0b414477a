"""The chat page: two views of one library, put together out of their parts and served by Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import gradio as gr
from fastapi import FastAPI

from rag.ingestion.loading import IngestLimits
from ui.chat import conversations as desk
from ui.page import library_routes as shelf_routes
from ui.page.ask_tab import AskTab
from ui.page.gate import Gate
from ui.page.library_tab import ShelfTab
from ui.page.routes import page_routes
from ui.page.session import OwnerCookie
from ui.page.sign_in import SignIn

__all__ = ["Engine", "build_page", "mount_page"]

_ICON = """<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
%3Crect width='32' height='32' rx='6' fill='%231f4e79'/%3E\
%3Cpath d='M9 8h6c5 0 8 3 8 8s-3 8-8 8H9z' fill='none' stroke='%23fff' stroke-width='3'/%3E%3C/svg%3E">"""
_SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
_CONCURRENT_ANSWERS = 8
_WAITING_QUESTIONS = 64
# Gradio keeps nearly a megabyte of each window that was ever opened, and by default of 10,000. One that was not
# used while so many others were goes on in a new conversation; what it held is in the library.
_WINDOWS = 300
_STYLES = ("page.css", "exchange.css", "history.css", "drawer.css", "shelf.css")
_SCRIPTS = ("actions.js", "drawer.js", "page.js")


class Engine(desk.Engine, shelf_routes.Engine, Protocol):
    """What the page needs of the engine."""


def mount_page(
    app: FastAPI,
    engine: Engine,
    rules: IngestLimits,
    *,
    notice: str | None = None,
    auth_key: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> FastAPI:
    """Serve the page at `/` of `app`. Call it last: it takes every path that no route before it has taken.

    `rules` are the limits for articles that readers add, `notice` is one sentence under the question box, and
    `settings` are kept with what readers think of answers. With `auth_key` set, the page asks for it once.
    """
    shelf = ShelfTab(engine, rules)
    gr.mount_gradio_app(
        app,
        build_page(AskTab(desk.ConversationService(engine, settings or {})), shelf, notice),
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
        js=f"() => {{\n{''.join(map(_asset, _SCRIPTS))}}}",
        # Not `css=`: Gradio would put its own container in front of every selector.
        head=f"{_ICON}<style>{''.join(map(_asset, _STYLES))}</style>",
    )
    mounted: Any = app.routes[-1]
    page = OwnerCookie(page_routes(engine, shelf.routes(), mounted.app))
    mounted.app = Gate(SignIn(page, auth_key) if auth_key else page)
    return app


def build_page(asking: AskTab, shelf: ShelfTab, notice: str | None) -> gr.Blocks:
    """The page as Gradio blocks: two views, of which a script shows one, and what lies over both."""
    blocks: gr.Blocks
    with gr.Blocks(title="Dateline", analytics_enabled=False, fill_width=True) as blocks:
        with gr.Column(elem_id="page"):
            with gr.Row(elem_id="masthead"):
                gr.HTML(_MASTHEAD, apply_default_css=False)
                new = gr.Button("New conversation", elem_id="new", size="sm", min_width=0)
            with gr.Column(elem_id="ask-view"):
                asking.build(notice)
            with gr.Column(elem_id="library-view"):
                shelf.build()
            gr.HTML(_DRAWER, elem_id="drawer", apply_default_css=False)
            gr.HTML(_DIALOGS, elem_id="dialogs", apply_default_css=False)
        asking.wire(new)
    blocks.state_session_capacity = _WINDOWS
    blocks.queue(default_concurrency_limit=_CONCURRENT_ANSWERS, max_size=_WAITING_QUESTIONS)
    return blocks


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_MASTHEAD = _asset("masthead.html")
_DRAWER = _asset("drawer.html")
_DIALOGS = _asset("dialogs.html")
