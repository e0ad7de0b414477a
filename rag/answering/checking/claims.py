"""What a claim says that its quotes do not: numbers, dates, names, quoted speech.

A flag says "not found in the quotes" and means just that. Nothing here finds a claim to be true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from rag.answering.checking.days import Day, days, days_meant, rests_on
from rag.answering.checking.entities import names_missing
from rag.answering.checking.numbers import Quantity, quantities
from rag.answering.generation.normalise import fold
from rag.records import Article, Evidence, UncitedClaim

__all__ = ["NOT_FOUND", "amounts_missing", "check", "missing"]

NOT_FOUND = "not found in the quotes"

_SPEECH = re.compile(r"[“\"„«]([^“”\"„«»]{2,})[”\"“»]|(?<![\w])‘([^‘]{2,}?)’(?!\w)")
_LEFT_OUT = re.compile(r"\[[^\]]*\]|…|\.{3,}")
_EDGES = " '.,;:!?"
_REPORTED = re.compile(r"\b(?:report\w*|publish\w*|according|article|wrote|writes|dated|as of|story)\b", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both|pair|couple|twice|double|twin|each other|neither|either|bilateral)\b", re.IGNORECASE)
_COUNTED = re.compile(r"\W+(?:\w+ )?(?:reports|articles|accounts|sources|outlets|newspapers|figures|versions)\b")


def check(finding: UncitedClaim) -> tuple[str, ...]:
    """Flags of a claim, each a phrase to be shown as it is: "not found in the quotes: 17 January, Doha".

    The title, publisher and date of a quoted article are known to whoever reads the quote, so names and
    years in them count; its other sentences do not. Costs well under a millisecond for a claim of a sentence.
    """
    absent = missing(finding)
    return (f"{NOT_FOUND}: {', '.join(absent)}",) if absent else ()


def missing(finding: UncitedClaim) -> list[str]:
    """What the claim names, counts, dates or quotes and none of its quotes has, in the words of the claim."""
    claim = finding.text
    found: list[tuple[int, str]] = []
    for start, said in _speech_missing(claim, finding.evidence):
        found.append((start, f"“{said}”"))
        claim = claim[:start] + " " * (len(said) + 2) + claim[start + len(said) + 2 :]
    found.extend(_amounts_missing(claim, finding.evidence))
    found.extend(names_missing(claim, finding.evidence))
    return list(dict.fromkeys(text for _, text in sorted(found)))


def amounts_missing(finding: UncitedClaim) -> list[str]:
    """The numbers and dates among what is missing."""
    return [text for _, text in _amounts_missing(finding.text, finding.evidence)]


def _amounts_missing(claim: str, evidence: tuple[Evidence, ...]) -> Iterator[tuple[int, str]]:
    named = days(claim)
    for day in _days_missing(claim, named, evidence):
        yield day.start, day.text
    for number in _numbers_missing(_without(claim, named), evidence):
        yield number.start, number.text


def _speech_missing(claim: str, evidence: tuple[Evidence, ...]) -> Iterator[tuple[int, str]]:
    texts = [fold(part.text).text.casefold() for part in evidence]
    texts.extend(fold(part.hit.article.title).text.casefold() for part in evidence)
    for match in _SPEECH.finditer(claim):
        said = match[1] or match[2]
        pieces = [fold(piece).text.casefold().strip(_EDGES) for piece in _LEFT_OUT.split(said)]
        if not all(any(piece in text for text in texts) for piece in pieces):
            yield match.start(), said


def _days_missing(claim: str, named: list[Day], evidence: tuple[Evidence, ...]) -> Iterator[Day]:
    meant: list[Day] = []
    for part in evidence:
        article = part.hit.article
        published = _published(article)
        said = days_meant(part.text, published)
        meant.extend(said)
        meant.extend(days_meant(article.title, published))
        if published is not None:
            meant.extend(_context(published, said, is_reported=bool(_REPORTED.search(claim))))
    years = {day.year for day in meant if day.year}
    for day in named:
        undated = Day(None, day.month, day.day, day.weekday)
        if not (rests_on(day, meant) or (day.month and day.year in years and rests_on(undated, _yearless(meant)))):
            yield day


def _context(published: date, said: list[Day], *, is_reported: bool) -> Iterator[Day]:
    """What the date of an article says of what stands in it: the year; the month, if it names no other."""
    if is_reported:
        yield Day(published.year, published.month, published.day, published.weekday())
    elif not any(day.month for day in said):
        yield Day(published.year, published.month)
    yield Day(published.year)


def _yearless(meant: list[Day]) -> list[Day]:
    return [day for day in meant if day.year is None]


def _published(article: Article) -> date | None:
    try:
        return date.fromisoformat(article.day or "")
    except ValueError:
        return None


def _without(claim: str, named: list[Day]) -> str:
    """The claim with its dates blanked out, so that 17 of "17 January" is no number."""
    for day in named:
        claim = claim[: day.start] + "x" * len(day.text) + claim[day.start + len(day.text) :]
    return claim


def _numbers_missing(claim: str, evidence: tuple[Evidence, ...]) -> Iterator[Quantity]:
    given = [number for part in evidence for number in quantities(part.text)]
    for number in quantities(claim):
        if any(number.rests_on(other) for other in given):
            continue
        if number.value == 2 and any(_BOTH.search(part.text) for part in evidence):
            continue
        after = number.start + len(number.text)
        if number.value == len(evidence) and _COUNTED.match(claim, after):
            continue  # "two reports differ": the quotes themselves are counted
        yield number
