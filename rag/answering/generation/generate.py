"""Generation: from a language model's stream of JSON to claims, each with its quotes located.

The parser tolerates whatever a model sends (see `output_parser`), and nothing of it is trusted: a claim is shown
when its object is complete and a quote of it stands in an article, and then as plain text.
"""

from __future__ import annotations

import html
import logging
import re
import unicodedata
from collections.abc import Generator
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

__all__ = ["Declined", "generate_claims", "plain_text"]

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


class Declined(Exception):
    """The language model said that the passages do not answer the question."""


def generate_claims(
    prompt: Prompt,
    llm: LanguageModel,
    deadline: Deadline,
    encode: Encode | None = None,
    *,
    calls: int = MOST_CALLS,
) -> Generator[UncitedClaim, None, None]:
    """Yield each claim of a written answer as soon as its object has arrived and its quotes are located.

    A claim has flags for what its quotes do not have. With `encode`, which turns texts into unit vectors, a claim
    that its quotes may not say is flagged too. Closing the generator ends the request.

    Raises Declined, before any claim, and LanguageModelError: what the model raises, or `bad_output` when the stream
    breaks off without its end or holds no claim with a quote that can be located.
    """
    locator = Locator(prompt.sentences)
    support = Support(encode) if encode else None
    system = prompt.system_one_object if llm.json_mode else prompt.system
    stream = llm.stream(system, prompt.user, deadline, calls=calls, json_mode=llm.json_mode)
    shown: set[str] = set()
    with closing(stream) as deltas:
        for record in records(deltas):
            claim = _claim(record, locator)
            if claim and claim.text.casefold() not in shown:
                shown.add(claim.text.casefold())
                yield replace(claim, flags=(*check(claim), *_doubts(claim, support)))
            ending = _ending(record)
            if ending == "no_evidence" and not shown:
                raise Declined
            if ending or len(shown) == MAX_CLAIMS:
                if shown:
                    return
                raise LanguageModelError("bad_output", "the language model quoted nothing that stands in the articles")
    raise LanguageModelError("bad_output", "the language model broke off, or did not answer in the form asked for")


def _claim(record: dict[str, Any], locator: Locator) -> UncitedClaim | None:
    """The claim of one object of the output; None if it has no text or no quote that can be located."""
    claim, quotes = record.get("claim"), record.get("quotes")
    if not isinstance(claim, str) or not isinstance(quotes, list):
        return None
    text = plain_text(claim) if len(claim) <= MAX_CLAIM_CHARS else ""
    if not any(c.isalnum() for c in text):
        return None
    evidence: list[Evidence] = []
    for quote in quotes[:MAX_QUOTES]:
        if isinstance(quote, dict) and isinstance(quote.get("text"), str):
            number = _NUMBER.search(str(quote.get("at")))
            evidence += locator.locate_all(quote["text"], number.group() if number else "")
    slices = tuple(dict.fromkeys(evidence))[:MAX_SLICES]
    return UncitedClaim(text, slices) if slices else None


def _doubts(claim: UncitedClaim, support: Support | None) -> tuple[str, ...]:
    try:
        return support.flags(claim) if support else ()
    except EncoderError as error:  # an encoder behind a network; the quotes are located without it
        logger.warning("a claim was not weighed against its quotes: %s", error)
        return ()


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
