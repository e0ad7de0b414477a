"""Markdown to plain text: front matter read, syntax resolved before any offset is taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml
from lxml.html import document_fromstring
from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["FrontMatter", "plain_text", "resolve_left_overs", "split_front_matter"]

_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FRONT_MAX = 64_000
# Front matter that is never closed: as far as its lines read as YAML
_UNCLOSED = re.compile(
    r"\ufeff?---[ \t]*\r?\n[\w-]+:(?![^ \t\r\n])[^\r\n]*"
    r"(?:\r?\n(?:[\w-]+:(?![^ \t\r\n])|[ \t]+\S|- )[^\r\n]*)*"
)
_HIDDEN_TAGS = ("script", "style", "iframe", "noscript")
_BRACKETS = 2000
_CHARS_PER_BRACKET = 8


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The keys of a front matter block, and the text below it; `problem` says why it was not readable."""

    keys: dict[str, object] = field(default_factory=dict)
    body: str = ""
    problem: str | None = None


def split_front_matter(text: str) -> FrontMatter:
    """Take the YAML block off the top. Scalars stay strings, so that dates are read by our own rules."""
    found = _FRONT.match(text[:_FRONT_MAX])
    if not found:
        return _unclosed(text) or FrontMatter(body=text)
    body = text[found.end() :]
    try:
        keys = yaml.load(found.group(1), Loader=yaml.BaseLoader)  # strings, lists, dicts: no objects
    except (yaml.YAMLError, RecursionError):
        # Above a rule further down stands the article itself, not only front matter.
        if re.search(r"\n[ \t\r]*\n", found.group(1)) and (unclosed := _unclosed(text)):
            return unclosed
        return FrontMatter(body=body, problem="the front matter is no readable YAML and was left out")
    if not isinstance(keys, dict):
        return FrontMatter(body=text)
    return FrontMatter({str(key).lower(): value for key, value in keys.items()}, body)


def _unclosed(text: str) -> FrontMatter | None:
    """The text below front matter that has a beginning and no end; None if it has no beginning either."""
    found = _UNCLOSED.match(text[:_FRONT_MAX])
    if not found:
        return None
    return FrontMatter(body=text[found.end() :], problem="the front matter is never closed (---) and was left out")


def plain_text(source: str) -> tuple[str, str | None]:
    """The text of a Markdown document without its syntax, and its first level-one heading, if any.

    What is made of brackets is no Markdown that somebody wrote, and is returned as it is: the parser tries
    every bracket as the beginning of a link, at every depth.
    """
    if (brackets := source.count("[")) > _BRACKETS and brackets * _CHARS_PER_BRACKET > len(source):
        return source, None
    tokens = MarkdownIt("commonmark", {"maxNesting": 20}).enable(["table", "strikethrough"]).parse(source)
    blocks: list[str] = []
    heading: str | None = None
    for number, token in enumerate(tokens):
        text = _block_text(token)
        if not text:
            continue
        if heading is None and number and tokens[number - 1].type == "heading_open" and tokens[number - 1].tag == "h1":
            heading = " ".join(text.split())
        blocks.append(_separator(tokens, number) + text if blocks else text)
    return "".join(blocks), heading


def _block_text(token: Token) -> str:
    if token.type == "inline":
        return _inline_text(token.children or [])
    if token.type in ("fence", "code_block"):
        return token.content.strip("\n")
    return _strip_tags(token.content).strip() if token.type == "html_block" else ""


def _inline_text(tokens: Sequence[Token]) -> str:
    parts = []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            parts.append(token.content)
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "hardbreak":
            parts.append("\n")
    return "".join(parts).strip()


def _separator(tokens: Sequence[Token], number: int) -> str:
    """What stands before a block: items of a tight list and rows of a table are lines, the rest paragraphs."""
    opener, outer, outermost = (tokens[max(0, number - back)] for back in (1, 2, 3))
    if opener.type in ("td_open", "th_open"):
        if outer.type != "tr_open":
            return " | "
        return "\n\n" if outermost.type == "thead_open" else "\n"
    in_tight_list = opener.type == "paragraph_open" and opener.hidden
    return "\n" if in_tight_list and not outermost.type.endswith("list_open") else "\n\n"


def _strip_tags(html: str) -> str:
    tree = document_fromstring(f"<div>{html}")
    for hidden in list(tree.iter(*_HIDDEN_TAGS)):
        hidden.drop_tree()
    return str(tree.text_content())


_LEFT_OVER = re.compile(r"\*\*[^*\n]{1,300}\*\*|!?\[[^\]\n]{0,300}\]\([^()\s]{0,500}\)|\\[$#*_\[\]()]")
_ANY_LINK = r"!?\[[^\]\n]{0,200}\]\([^)\n]{0,500}\)"
# Lines of links alone, or of a link that leads nowhere: tags and menus
_LINK_BAR = re.compile(
    rf"^[ \t]*(?:\[[^\]\n]{{0,200}}\]\(#\)|{_ANY_LINK}(?:[ \t|,·•/-]*{_ANY_LINK})+)[ \t]*$", re.MULTILINE
)
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,500}\)")
_LINK = re.compile(r"\[([^\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]{0,200}\)){0,500}(?: [\"'][^\n]{0,200}[\"'])?\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^*\n]{1,500}?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,300}?)(?<=\S)\*(?![\w*])")
_HEADING = re.compile(r"^#{1,6} +(.*?)(?: #+)?$", re.MULTILINE)
_QUOTED = re.compile(r"^(?:> ?)+", re.MULTILINE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def resolve_left_overs(text: str) -> str:
    """Plain text that clearly holds Markdown left-overs (`**x**`, `[x](y)`, `\\$7`), without them."""
    if not _LEFT_OVER.search(text):
        return text
    text = _LINK.sub(r"\1", _IMAGE.sub("", _LINK_BAR.sub("", text)))
    text = _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", text))
    return _ESCAPED.sub(r"\1", _QUOTED.sub("", _HEADING.sub(r"\1", text)))
