"""From a writer's stream of JSON to findings, each with its quotes located.

Everything a writer sends is taken with tolerance (see `reading`) and nothing of it with trust: a claim is
shown when its object is complete and a quote of it stands in an article, and then as plain text.
"""

from __future__ import annotations

import html
import logging
import re
import unicodedata
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from rag.answering.checking.claims import check
from rag.answering.checking.support import Encode, Support
from rag.answering.generation.output_parser import records
from rag.answering.generation.prompt import Prompt
from rag.answering.generation.quote_location import Locator
from rag.errors import EncoderError, LanguageModelError
from rag.models.deadline import Deadline
from rag.models.llm import MOST_CALLS, LanguageModel
from rag.records import Evidence, UncitedClaim

__all__ = ["Writing", "plain_text"]

logger = logging.getLogger(__name__)

MAX_CLAIMS = 12
MAX_CLAIM_CHARS = 600
MAX_QUOTES = 4
MAX_SLICES = 8  # a quote may have been put together from several places

_NUMBER = re.compile(r"\d+(?:\.\d+)?")

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

    Yields each finding as soon as its object has arrived and been checked, with flags for what its quotes
    do not have. With `encode`, which turns texts into unit vectors, a claim that its quotes may not say
    is flagged too. Afterwards `declined` is true when the writer said that the passages do not answer the
    question; then nothing was yielded. Closing the iterator ends the request.

    Iterating raises LanguageModelError: what the writer raises, or `bad_output` when the stream breaks off
    without its end or holds no claim with a quote that can be located.
    """

    def __init__(
        self,
        prompt: Prompt,
        writer: LanguageModel,
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

    def __iter__(self) -> Generator[UncitedClaim, None, None]:
        shown: set[str] = set()
        with closing(self._stream()) as deltas:
            for record in records(deltas):
                finding = self._finding(record)
                if finding and finding.text.casefold() not in shown:
                    shown.add(finding.text.casefold())
                    yield finding
                ending = _ending(record)
                if ending == "no_evidence" and not shown:
                    self.declined = True
                    return
                if ending or len(shown) == MAX_CLAIMS:
                    if shown:
                        return
                    raise LanguageModelError(
                        "bad_output", "the language model quoted nothing that stands in the articles"
                    )
        raise LanguageModelError("bad_output", "the language model broke off, or did not answer in the form asked for")

    def _stream(self) -> Generator[str, None, None]:
        json_mode = self._writer.json_mode
        system = self._prompt.system_one_object if json_mode else self._prompt.system
        return self._writer.stream(system, self._prompt.user, self._deadline, calls=self._calls, json_mode=json_mode)

    def _finding(self, record: dict[str, Any]) -> UncitedClaim | None:
        claim, quotes = record.get("claim"), record.get("quotes")
        if not isinstance(claim, str) or not isinstance(quotes, list):
            return None
        text = plain_text(claim) if len(claim) <= MAX_CLAIM_CHARS else ""
        if not any(c.isalnum() for c in text):
            return None
        evidence = tuple(dict.fromkeys(self._evidence(quotes[:MAX_QUOTES])))[:MAX_SLICES]
        if not evidence:
            return None
        finding = UncitedClaim(text, evidence)
        return replace(finding, flags=(*check(finding), *self._doubts(finding)))

    def _doubts(self, finding: UncitedClaim) -> tuple[str, ...]:
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


def _ending(record: dict[str, Any]) -> str:
    """`done` or `no_evidence` when the record is the last one, else empty."""
    for ending in ("no_evidence", "done"):
        # Beside a claim, `end` is a slip: it is said of the whole answer.
        if record.get(ending) is True or ("claim" not in record and record.get("end") == ending):
            return ending
    return ""
