"""The list of a reader's conversations as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from rag.records import Conversation
from ui.page.evidence import day, text

__all__ = ["render_editing", "render_history", "render_problem", "render_visiting"]


def render_history(conversations: Sequence[Conversation], current: str = "") -> str:
    """The conversations, the last changed first; `current` is the id of the one that is open."""
    if not conversations:
        return '<p class="none">Conversations that you begin are kept here.</p>'
    return f'<ul class="history">{"".join(_row(each, each.id == current) for each in conversations)}</ul>'


def render_editing() -> str:
    """What is said beside a question that takes the place of the last one."""
    return (
        '<p>Your last question is asked anew. <button type="button" class="plain" data-do="unedit">Cancel</button></p>'
    )


def render_problem(sentence: str) -> str:
    """A sentence where a conversation should be."""
    return f'<p class="problem" role="alert">{text(sentence)}</p>'


def render_visiting() -> str:
    """What is said above a conversation that somebody else has shared."""
    return (
        '<p class="visiting">Somebody shared this conversation with you. '
        "What you ask continues in a copy of your own.</p>"
    )


def _row(conversation: Conversation, current: bool) -> str:
    key, title = text(conversation.id), text(conversation.title)
    shared = " · shared" if conversation.shared else ""
    return (
        f"<li{_CURRENT if current else ''}>"
        f'<a href="?conversation={key}" data-do="open" data-conversation="{key}"{_PAGE if current else ""}>'
        f'<span class="history-title" dir="auto">{title}</span>'
        f'<span class="history-day">{text(day(conversation.updated))}{shared}</span></a>'
        f'<details class="menu"><summary aria-label="More" title="More">⋯</summary><div>'
        f'<button type="button" data-dialog="rename" data-conversation="{key}" data-title="{title}">Rename</button>'
        f"{_sharing(conversation)}"
        f'<a href="page/conversations/{key}.md" download>Export as Markdown</a>'
        f'<a href="page/conversations/{key}.json" download>Export as JSON</a>'
        f'<button type="button" data-dialog="delete" data-conversation="{key}" data-title="{title}">Delete</button>'
        "</div></details></li>"
    )


_CURRENT = ' class="current"'
_PAGE = ' aria-current="page"'


def _sharing(conversation: Conversation) -> str:
    key = text(conversation.id)
    share = f'<button type="button" data-do="sharing" data-conversation="{key}"'
    if not conversation.shared:
        return f'{share} data-shared="yes">Share by link</button>'
    copy = f'<button type="button" data-copy="?conversation={key}">Copy its link</button>'
    return f'{copy}{share} data-shared="no">Stop sharing</button>'
