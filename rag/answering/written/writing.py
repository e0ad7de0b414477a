"""From a writer's stream of JSON lines to findings, each with its quotes located.

Everything a writer sends is taken with tolerance (fences, prose, reasoning before the answer) and
nothing of it with trust: a claim is shown when its line is complete and a quote of it stands in an
article, and then as plain text.
"""

from __future__ import annotations

import html
import json
import logging
import re
import unicodedata
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from rag.answering.checking.checking import check
from rag.answering.checking.support import Encode, Support
from rag.answering.written.locating import Locator
from rag.answering.written.prompt import Prompt
from rag.errors import EncoderError, WriterError
from rag.models.deadline import Deadline
from rag.models.writer import MOST_CALLS, Writer
from rag.records import Evidence, Finding

__all__ = ["Writing", "plain_text"]

logger = logging.getLogger(__name__)

MAX_CLAIMS = 12
MAX_CLAIM_CHARS = 600
MAX_QUOTES = 4
MAX_SLICES = 8  # a quote may have been put together from several places
MAX_LINE_CHARS = 20_000

_JSON = json.JSONDecoder(parse_float=str)  # "at": 2.10 is a sentence number, not two and a tenth
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)

_TAG = re.compile(r"<[/!?a-z][^<>]*(?:<(?![/!?a-z])[^<>]*)*(?:>|$)", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^)]*\)|\[[^\[\]]*\])")
_HALF_LINK = re.compile(r"!(?=\[)|(?<=\])\([^\s()]*\)?")  # brackets within brackets, or no end
_ADDRESS = re.compile(
    r"(?<![\w+.-])[\w+.-]*://\S*|(?<![\w:])//\S+|\bwww\.\S+"
    r"|\b(?:https?|mailto|javascript|vbscript|data|tel):(?=\S)\S+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*",
    re.IGNORECASE,
)
_MARKER = re.compile(r"\[[\d.,;\s–-]+\](?:\([^)]*\))?|【[^】]*】")
_EMPHASIS = re.compile(r"[*`]+|~~|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|^[#>•\s-]+(?=\s)")


class Writing:
    """One written answer; iterate it once.

    Yields each finding as soon as its line has arrived and been checked, with flags for what its quotes
    do not have. With `encode`, which turns texts into unit vectors, a claim that its quotes may not say
    is flagged too. Afterwards `declined` is true when the writer said that the passages do not answer the
    question; then nothing was yielded. Closing the iterator ends the request.

    Iterating raises WriterError: what the writer raises, or `bad_output` when the stream breaks off
    without its last line or holds no claim with a quote that can be located.
    """

    def __init__(
        self,
        prompt: Prompt,
        writer: Writer,
        deadline: Deadline,
        encode: Encode | None = None,
        *,
        calls: int = MOST_CALLS,
    ) -> None:
        self.declined = False
        self._calls = calls
        self._prompt = prompt
        self._writer = writer
        self._deadline = deadline
        self._locator = Locator(prompt.sentences)
        self._support = Support(encode) if encode else None

    def __iter__(self) -> Generator[Finding, None, None]:
        shown: set[str] = set()
        system, user = self._prompt.system, self._prompt.user
        with closing(self._writer.stream(system, user, self._deadline, calls=self._calls)) as deltas:
            for record in _records(deltas):
                finding = self._finding(record)
                if finding and finding.text.casefold() not in shown:
                    shown.add(finding.text.casefold())
                    yield finding
                if record.get("no_evidence") is True and not shown:
                    self.declined = True
                    return
                if _is_last(record) or len(shown) == MAX_CLAIMS:
                    if shown:
                        return
                    raise WriterError("bad_output", "the language model quoted nothing that stands in the articles")
        raise WriterError("bad_output", "the language model broke off, or did not answer in the form asked for")

    def _finding(self, record: dict[str, Any]) -> Finding | None:
        claim, quotes = record.get("claim"), record.get("quotes")
        if not isinstance(claim, str) or not isinstance(quotes, list):
            return None
        text = plain_text(claim) if len(claim) <= MAX_CLAIM_CHARS else ""
        if not any(c.isalnum() for c in text):
            return None
        evidence = tuple(dict.fromkeys(self._evidence(quotes[:MAX_QUOTES])))[:MAX_SLICES]
        if not evidence:
            return None
        finding = Finding(text, evidence)
        return replace(finding, flags=(*check(finding), *self._doubts(finding)))

    def _doubts(self, finding: Finding) -> tuple[str, ...]:
        try:
            return self._support.flags(finding) if self._support else ()
        except EncoderError as error:  # an encoder behind a network; the quotes are located without it
            logger.warning("a claim was not weighed against its quotes: %s", error)
            return ()

    def _evidence(self, quotes: Iterable[Any]) -> Iterator[Evidence]:
        for quote in quotes:
            if not isinstance(quote, dict) or not isinstance(quote.get("text"), str):
                continue
            named = _NUMBER.search(str(quote.get("at")))
            yield from self._locator.locate_all(quote["text"], named.group() if named else "")


def plain_text(text: str) -> str:
    """What a writer wrote as one line of plain text.

    Tags, images, links, addresses, Markdown marks, citation markers and characters that cannot be seen
    are removed, not escaped; the text of a link stays.
    """
    before = ""
    while text != before:
        before = text
        text = html.unescape(text)
        text = re.sub(r"\s+", " ", text)
        text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
        text = _TAG.sub("", text)
        text = _LINK.sub(r"\1", _IMAGE.sub("", _MARKER.sub("", text)))
        text = _EMPHASIS.sub("", _ADDRESS.sub("", _HALF_LINK.sub("", text))).strip()
    return re.sub(r" +(?=[.,;:!?](?:\s|$))", "", text)


def _is_last(record: dict[str, Any]) -> bool:
    return record.get("done") is True or record.get("no_evidence") is True


def _records(deltas: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects of the answer; everything else in it is passed over."""
    for line in _without_thoughts(_lines(deltas)):
        position = line.find("{")
        while position >= 0:
            try:
                record, position = _JSON.raw_decode(line, position)
            except (ValueError, RecursionError):
                break
            yield record
            position = line.find("{", position)


def _lines(deltas: Iterable[str]) -> Iterator[str]:
    pending = ""
    for delta in deltas:
        *complete, pending = (pending + delta).split("\n")
        yield from complete
        if len(pending) > MAX_LINE_CHARS:
            raise WriterError("bad_output", "the language model wrote a line without an end")
    yield pending


def _without_thoughts(lines: Iterable[str]) -> Iterator[str]:
    """Leave out what a model thinks aloud: it may hold drafts in the form of the answer."""
    thinking = False
    for line in lines:
        rest = line
        thought = _THOUGHT.match(rest)
        if thought:
            thinking, rest = True, rest[thought.end() :]
        if thinking:
            ending = _THOUGHT_END.search(rest)
            if not ending:
                continue
            thinking, rest = False, rest[ending.end() :]
        yield rest
