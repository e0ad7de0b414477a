"""What the tests of the page's HTML share: a reader of markup, words that try to be markup, a small answer."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from rag.records import Answer, Claim, Excerpt, Quote, Source

TEXT = "The ferry left at noon. Nobody was hurt. The harbour stays closed until Monday."
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "![x](https://tracker.example/p.png)",
    "[here](javascript:alert(1))",
    "</button></li><iframe src=//evil.example>",
    "</textarea></form></details><form action=//evil.example>",
    "<b>&lt;i&gt;</b> {{value}} ${value}",
)
ALLOWED_TAGS = re.compile(
    "a|article|bdi|blockquote|button|code|details|div|fieldset|form|h2|input|label|legend|li|mark|ol|p|pre|"
    "section|span|strong|summary|textarea|ul"
)
ALLOWED_ATTRIBUTES = re.compile(
    "aria-(busy|current|haspopup|hidden|label|pressed)|checked|class|dir|download|href|id|maxlength|name|open|rel|"
    "role|rows|target|title|type|value|"
    "data-(after|article|chip|conversation|copy|dialog|do|end|good|key|marks|number|question|said|shared|spans|start|title|"
    "version|view)"
)
# A web address, or one of the page's own.
_ADDRESS = re.compile(r"https?://.*|\?conversation=[\w-]+|page/conversations/[\w-]+\.(md|json)", re.DOTALL)


class Markup(HTMLParser):
    """Every tag with its attributes, the text between them, and that of every `<mark>`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.marks: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "mark":
            self.marks.append("")

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.marks and self.lasttag == "mark":
            self.marks[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.lasttag = ""

    def inert(self) -> bool:
        return all(
            ALLOWED_TAGS.fullmatch(tag)
            and all(ALLOWED_ATTRIBUTES.fullmatch(name) for name in attributes)
            and _ADDRESS.fullmatch(attributes.get("href", "https://"))
            for tag, attributes in self.tags
        )

    def all(self, tag: str, /, **wanted: str) -> list[dict[str, str]]:
        """The attributes of the elements of this kind that have these; `data_key` stands for `data-key`."""
        asked = {key.rstrip("_").replace("_", "-"): value for key, value in wanted.items()}
        return [attributes for kind, attributes in self.tags if kind == tag and asked.items() <= attributes.items()]

    def cites(self) -> list[dict[str, str]]:
        return self.all("button", class_="cite")


def source(number: int = 1, **changes: Any) -> Source:
    excerpt = Excerpt(0, len(TEXT), TEXT)
    plain = Source(number, f"article-{number}", 1, "Ferry on time", "The Gull", "2024-05-02", None, excerpt)
    return replace(plain, **changes)


def quote(words: str, number: int = 1) -> Quote:
    start = TEXT.index(words)
    return Quote(number, f"article-{number}", start, start + len(words), words)


def answer(*claims: Claim, **changes: Any) -> Answer:
    numbers = sorted({each.source for claim in claims for each in claim.quotes})
    sources = tuple(source(number) for number in numbers)
    plain = Answer("a", "When?", "When?", "answered", "quotes", None, "…", claims, sources)
    return replace(plain, **changes)
