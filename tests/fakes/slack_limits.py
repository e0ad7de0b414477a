"""What Slack refuses in a message or a dialog: its documented limits on blocks, and the fields that each needs.

Written from docs.slack.dev/reference/block-kit and, for the length of a whole message, which is not documented, from
slackapi/bolt-js issues 2509 and 2867. A message that is refused here would be answered with `invalid_blocks`,
`msg_blocks_too_long` or `no_text` there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

MOST_BLOCKS = 50
MOST_IN_ALL = 13_200  # characters of the blocks' JSON
MOST_TEXT = 40_000
MOST_BLOCKS_OF_A_VIEW = 100
MOST_IN_A_VIEW = 250_000
MOST_OPTIONS = 100
LONGEST_TEXT_OBJECT = 3_000

_ID = 255
_HALF = re.compile("[\ud800-\udfff]")
_ADDRESS = re.compile(r"https?://[^\s<>|\"]+", re.IGNORECASE)
_RICH_PARTS = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
# What each element of rich text must have, and what it may have.
_RICH_ELEMENTS: dict[str, tuple[str, set[str]]] = {
    "text": ("text", {"style"}),
    "link": ("url", {"text", "style", "unsafe"}),
    "emoji": ("name", {"unicode", "style", "skin_tone"}),
    "user": ("user_id", {"style"}),
    "usergroup": ("usergroup_id", {"style"}),
    "channel": ("channel_id", {"style"}),
    "broadcast": ("range", {"style"}),
    "color": ("value", {"style"}),
    "date": ("format", {"timestamp", "url", "fallback", "style"}),
}
_STYLES = {"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"}
_INTERACTIVE = {
    *("button", "checkboxes", "datepicker", "datetimepicker", "timepicker", "overflow", "radio_buttons"),
    *("static_select", "users_select", "conversations_select", "channels_select", "external_select"),
    *("multi_static_select", "multi_users_select", "multi_conversations_select", "multi_channels_select"),
    "multi_external_select",
    *("plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input", "workflow_button"),
}


def check_message(payload: dict[str, Any]) -> list[str]:
    """The problems of what is sent to `chat.postMessage`, `chat.update` or a `response_url`; `blocks` may be JSON."""
    problems = []
    text, blocks = payload.get("text"), payload.get("blocks")
    if isinstance(blocks, str):
        try:
            blocks = json.loads(blocks)
        except ValueError:
            return ["blocks: not JSON"]
    if not text and not blocks and not payload.get("attachments") and not payload.get("delete_original"):
        problems.append("no_text: neither text nor blocks")
    if blocks and not text:
        problems.append("text: missing, so a notification would be empty")
    if text is not None and not isinstance(text, str):
        problems.append("text: not a string")
    elif text and len(text) > MOST_TEXT:
        problems.append(f"msg_too_long: text has {len(text)} characters")
    if isinstance(text, str) and _HALF.search(text):
        problems.append("text: half a character")
    if blocks is not None:
        problems += check_blocks(blocks)
    return problems


def check_blocks(blocks: Any) -> list[str]:
    """The problems of a message's blocks, each with where it is; none if Slack would take them."""
    if not isinstance(blocks, list):
        return ["blocks: not a list"]
    problems = []
    if len(blocks) > MOST_BLOCKS:
        problems.append(f"blocks: {len(blocks)} of at most {MOST_BLOCKS}")
    for at, block in enumerate(blocks):
        problems += [f"blocks[{at}]{problem}" for problem in _block(block)]
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and block.get("block_id")]
    if len(ids) != len(set(ids)):
        problems.append("blocks: a block_id twice")
    try:
        length = len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError):
        return [*problems, "blocks: not JSON"]
    if length > MOST_IN_ALL:
        problems.append(f"msg_blocks_too_long: {length} characters of at most {MOST_IN_ALL}")
    return problems


def check_view(view: Any) -> list[str]:
    """The problems of a dialog that is sent to `views.open`."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        return ["view: no modal"]
    known = {"type", "title", "blocks", "submit", "close", "private_metadata", "callback_id", "external_id"}
    problems = list(_extra(view, known | {"clear_on_close", "notify_on_close", "submit_disabled"}, "view"))
    problems += _text_object(view.get("title"), "view.title", 24, plain=True)
    for name in ("submit", "close"):
        if name in view:
            problems += _text_object(view[name], f"view.{name}", 24, plain=True)
    problems += _string(view, "private_metadata", 3_000, "view")
    problems += _string(view, "callback_id", _ID, "view")
    blocks = _list(view, "blocks")
    if not 1 <= len(blocks) <= MOST_BLOCKS_OF_A_VIEW:
        problems.append(f"view.blocks: {len(blocks)}, not 1 to {MOST_BLOCKS_OF_A_VIEW}")
    for at, block in enumerate(blocks):
        problems += [f"view.blocks[{at}]{problem}" for problem in _block(block)]
    if any(isinstance(block, dict) and block.get("type") == "input" for block in blocks) and "submit" not in view:
        problems.append("view.submit: missing beside an input")
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and block.get("block_id")]
    if len(ids) != len(set(ids)):
        problems.append("view.blocks: a block_id twice")
    if len(json.dumps(view)) > MOST_IN_A_VIEW:
        problems.append("view_too_large")
    return problems


def check_options(options: Any) -> list[str]:
    """The problems of the options that a menu is filled with from outside."""
    if not isinstance(options, list):
        return ["options: not a list"]
    return list(_options({"options": options}, "options", 0, MOST_OPTIONS, ""))


def _block(block: Any) -> Iterator[str]:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in _BLOCKS:
        yield f": no block is of the type {kind!r}"
        return
    allowed, check = _BLOCKS[kind]
    yield from _extra(block, {"type", "block_id"} | allowed)
    yield from _string(block, "block_id", _ID)
    yield from check(block)


def _section(block: dict[str, Any]) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield ": neither text nor fields"
    if "text" in block:
        yield from _text_object(block["text"], ".text", LONGEST_TEXT_OBJECT)
    if "fields" in block:
        yield from _count(block, "fields", 10)
        for at, field in enumerate(block["fields"]):
            yield from _text_object(field, f".fields[{at}]", 2_000)
    if "accessory" in block:
        yield from _element(block["accessory"], ".accessory")


def _context(block: dict[str, Any]) -> Iterator[str]:
    yield from _count(block, "elements", 10)
    for at, element in enumerate(_list(block, "elements")):
        if isinstance(element, dict) and element.get("type") == "image":
            yield from _image(element)
        else:
            yield from _text_object(element, f".elements[{at}]", LONGEST_TEXT_OBJECT)


def _actions(block: dict[str, Any]) -> Iterator[str]:
    yield from _count(block, "elements", 25)
    elements = _list(block, "elements")
    for at, element in enumerate(elements):
        yield from _element(element, f".elements[{at}]")
    ids = [element.get("action_id") for element in elements if isinstance(element, dict)]
    if len(ids) != len(set(ids)):
        yield ".elements: an action_id twice"


def _header(block: dict[str, Any]) -> Iterator[str]:
    yield from _text_object(block.get("text"), ".text", 150, plain=True)


def _image(block: dict[str, Any]) -> Iterator[str]:
    if not block.get("image_url") and not block.get("slack_file"):
        yield ": neither image_url nor slack_file"
    yield from _string(block, "image_url", 3_000)
    yield from _string(block, "alt_text", 2_000, needed=True)


def _markdown(block: dict[str, Any]) -> Iterator[str]:
    yield from _string(block, "text", 12_000, needed=True)


def _input(block: dict[str, Any]) -> Iterator[str]:
    yield from _text_object(block.get("label"), ".label", 2_000, plain=True)
    yield from _element(block.get("element"), ".element")


def _nothing(_: dict[str, Any]) -> Iterator[str]:
    yield from ()


def _rich_text(block: dict[str, Any]) -> Iterator[str]:
    yield from _count(block, "elements", None)
    for at, part in enumerate(_list(block, "elements")):
        yield from _rich_part(part, f".elements[{at}]")


def _rich_part(part: Any, where: str) -> Iterator[str]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in _RICH_PARTS:
        yield f"{where}: no part of rich text is of the type {kind!r}"
        return
    allowed = {"type", "elements", "border"} - ({"border"} if kind == "rich_text_section" else set())
    yield from _extra(part, allowed | ({"style", "indent", "offset"} if kind == "rich_text_list" else set()), where)
    if not _list(part, "elements"):
        yield f"{where}: no elements"
    for at, element in enumerate(_list(part, "elements")):
        inner = f"{where}.elements[{at}]"
        yield from (_rich_part if kind == "rich_text_list" else _rich_element)(element, inner)
    if kind == "rich_text_list" and part.get("style") not in ("bullet", "ordered"):
        yield f"{where}.style: neither bullet nor ordered"


def _rich_element(element: Any, where: str) -> Iterator[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in _RICH_ELEMENTS:
        yield f"{where}: no element of rich text is of the type {kind!r}"
        return
    needed, allowed = _RICH_ELEMENTS[kind]
    yield from _extra(element, {"type", needed} | allowed, where)
    yield from _string(element, needed, None, where, needed=True)
    yield from _string(element, "text", None, where)
    if kind == "link" and not _ADDRESS.fullmatch(str(element.get("url"))):
        yield f"{where}.url: no web address"
    style = element.get("style", {})
    if not isinstance(style, dict) or not set(style) <= _STYLES or not all(v in (True, False) for v in style.values()):
        yield f"{where}.style: {style!r}"


def _element(element: Any, where: str) -> Iterator[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind == "image" and where == ".accessory":
        yield from _image(element)
        return
    if kind not in _INTERACTIVE:
        yield f"{where}: no element is of the type {kind!r}"
        return
    yield from _string(element, "action_id", _ID, where)
    if kind in _CHOOSERS:
        yield from _CHOOSERS[kind](element, where)
    if kind == "button":
        yield from _button(element, where)


def _button(element: dict[str, Any], where: str) -> Iterator[str]:
    known = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}
    yield from _extra(element, known, where)
    yield from _text_object(element.get("text"), f"{where}.text", 75, plain=True)
    yield from _string(element, "value", 2_000, where)
    yield from _string(element, "url", 3_000, where)
    yield from _string(element, "accessibility_label", 75, where)
    if "url" in element and not _ADDRESS.fullmatch(str(element["url"])):
        yield f"{where}.url: no web address"
    if element.get("style", "primary") not in ("primary", "danger"):
        yield f"{where}.style: neither primary nor danger"


def _ticked(element: dict[str, Any], where: str) -> Iterator[str]:
    """Radio buttons, of which one is chosen, and checkboxes."""
    initial = "initial_option" if element["type"] == "radio_buttons" else "initial_options"
    yield from _extra(element, {"type", "action_id", "options", initial, "confirm", "focus_on_load"}, where)
    yield from _options(element, "options", 1, 10, where)
    if initial in element:
        chosen = element[initial] if initial == "initial_options" else [element[initial]]
        if not chosen or not all(option in _list(element, "options") for option in chosen):
            yield f"{where}.{initial}: not among the options"


def _external(element: dict[str, Any], where: str) -> Iterator[str]:
    known = {"type", "action_id", "min_query_length", "initial_options", "max_selected_items", "placeholder"}
    yield from _extra(element, known | {"confirm", "focus_on_load"}, where)
    if "placeholder" in element:
        yield from _text_object(element["placeholder"], f"{where}.placeholder", 150, plain=True)
    if "initial_options" in element:
        yield from _options(element, "initial_options", 1, MOST_OPTIONS, where)
    for name, least in (("min_query_length", 0), ("max_selected_items", 1)):
        if name in element and not (type(element[name]) is int and element[name] >= least):
            yield f"{where}.{name}: {element[name]!r}"


def _picker(element: dict[str, Any], where: str) -> Iterator[str]:
    yield from _extra(element, {"type", "action_id", "initial_date", "placeholder", "confirm", "focus_on_load"}, where)
    if "placeholder" in element:
        yield from _text_object(element["placeholder"], f"{where}.placeholder", 150, plain=True)
    if "initial_date" in element and not _is_day(element["initial_date"]):
        yield f"{where}.initial_date: {element['initial_date']!r} is not YYYY-MM-DD"


def _is_day(words: Any) -> bool:
    try:
        return bool(date.fromisoformat(words).isoformat() == words)
    except (TypeError, ValueError):
        return False


def _options(element: dict[str, Any], name: str, least: int, most: int, where: str) -> Iterator[str]:
    options = _list(element, name)
    if not least <= len(options) <= most:
        yield f"{where}.{name}: {len(options)}, not {least} to {most}"
    for at, option in enumerate(options):
        inner = f"{where}.{name}[{at}]"
        if not isinstance(option, dict):
            yield f"{inner}: no option"
            continue
        yield from _extra(option, {"text", "value", "description"}, inner)
        yield from _text_object(option.get("text"), f"{inner}.text", 75, plain=True)
        yield from _string(option, "value", 150, inner, needed=True)
    values = [option.get("value") for option in options if isinstance(option, dict)]
    if len(values) != len(set(values)):
        yield f"{where}.{name}: a value twice"


_CHOOSERS: dict[str, Callable[[dict[str, Any], str], Iterator[str]]] = {
    "radio_buttons": _ticked,
    "checkboxes": _ticked,
    "multi_external_select": _external,
    "datepicker": _picker,
}


def _text_object(text: Any, where: str, most: int, *, plain: bool = False) -> Iterator[str]:
    kind = text.get("type") if isinstance(text, dict) else None
    if kind not in ("plain_text", *(() if plain else ("mrkdwn",))):
        yield f"{where}: a text object of the type {kind!r}"
        return
    yield from _extra(text, {"type", "text", "emoji" if kind == "plain_text" else "verbatim"}, where)
    yield from _string(text, "text", most, where, needed=True)


def _string(
    holder: dict[str, Any], name: str, most: int | None, where: str = "", *, needed: bool = False
) -> Iterator[str]:
    if name not in holder:
        if needed:
            yield f"{where}.{name}: missing"
        return
    value = holder[name]
    if not isinstance(value, str):
        yield f"{where}.{name}: not a string"
    elif not value:
        yield f"{where}.{name}: must be more than 0 characters"
    elif most is not None and len(value) > most:
        yield f"{where}.{name}: {len(value)} characters of at most {most}"
    elif _HALF.search(value):
        yield f"{where}.{name}: half a character"


def _list(holder: dict[str, Any], name: str) -> Sequence[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []


def _count(holder: dict[str, Any], name: str, most: int | None) -> Iterator[str]:
    count = len(_list(holder, name))
    if not count:
        yield f".{name}: none"
    elif most is not None and count > most:
        yield f".{name}: {count} of at most {most}"


def _extra(holder: dict[str, Any], allowed: set[str], where: str = "") -> Iterator[str]:
    for name in holder:
        if name not in allowed:
            yield f"{where}: invalid additional property {name}"


_BLOCKS: dict[str, tuple[set[str], Callable[[dict[str, Any]], Iterator[str]]]] = {
    "section": ({"text", "fields", "accessory", "expand"}, _section),
    "context": ({"elements"}, _context),
    "actions": ({"elements"}, _actions),
    "header": ({"text", "level"}, _header),
    "divider": (set(), _nothing),
    "image": ({"image_url", "slack_file", "alt_text", "title"}, _image),
    "markdown": ({"text"}, _markdown),
    "input": ({"label", "element", "hint", "optional", "dispatch_action"}, _input),
    "rich_text": ({"elements"}, _rich_text),
}
