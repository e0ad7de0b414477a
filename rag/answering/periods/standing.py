"""Whether what looks like a time stands where it tells when, and is no name, no number and no other thing."""

from __future__ import annotations

import re

from rag.answering.periods.mark import EDGE, FREE, PLACED, YEAR_LIKE, Mark
from rag.answering.periods.present import means_present

__all__ = ["RELATION", "is_name", "is_other", "stands"]

# The word that leads up to a time, at the end of what stands before it.
RELATION = re.compile(
    r"\b(since|before|prior\s+to|ahead\s+of|after|following|later\s+than|until|till|til|up\s+to|up\s+until|up\s+through"
    r"|by|as\s+of|as\s+at|through|from|between|in|on|at|during|of|for|over|throughout|within|around|about|circa)"
    r"\s+(the\s+|the\s+(?:night|morning|afternoon|evening)\s+of\s+|late\s+)?$"
)
_ARTICLES = re.compile(r"\b(?:articles?|stories|story|news|reports?|coverage|pieces?)\s+from\s+$")
_PAST = re.compile(r"\b(?:did|was|were|had|has|have)\b")
_ALWAYS = re.compile(r"\b(?:do|does|is|are|can|should)\b")
_NUMBERED = re.compile(
    r"\b(?:page|room|bus|flight|number|no|section|chapter|article|resolution|highway|route|channel|model|form|the)$"
)
_SEASONS = ("spring", "summer", "autumn", "fall", "winter")
_CAPITALISED = ("sday", "nday", "iday", "rday", *_SEASONS)
_NAMED_DAY = re.compile(r"\b(?:black|good|cyber|super|fat|ash|bloody|ruby|holy|easter|palm|girl|the)$", re.IGNORECASE)
_SPORT = re.compile(
    r"\b(?:game|match|ball|yards?|touchdowns?|quarterback|player|team|score[ds]?|goals?|kick|halftime|coach|bowl)\b"
)
_EARLY_IN = re.compile(r"\b(?:early|late)\s+in\s+(?:the\s+)?$")
_EARLIER_YEAR = re.compile(r",?\s*(?:of\s+|in\s+)?(?:1[0-7]\d\d|[1-9]\d\d|\d{1,4}\s+(?:bc|ad|bce|ce))\b")
_WORD = re.compile(r"[^\W\d_]\w*")


def is_name(plain: str, mark: Mark) -> bool:
    """Whether a time is part of a name: "Last Week Tonight", "USA Today", "Windows 2000"."""
    before, words = plain[: mark.start].rstrip(), _WORD.findall(plain)
    if sum(word[0].isupper() for word in words) > 0.85 * len(words):
        return False  # where nearly every word has a capital, they tell nothing
    last = before.rsplit(None, 1)[-1] if before else ""
    leads_up = RELATION.search(f"{before.lower()} ") is not None
    if mark.place == YEAR_LIKE:
        return bool(_NUMBERED.search(before.lower())) or (
            last[:1].isupper() and len(before) > len(last) and not leads_up
        )
    if mark.ambiguous and mark.relative and not leads_up:
        return not last or last[0].isupper() or bool(_NAMED_DAY.search(before))
    own = _WORD.findall(plain[mark.start : mark.end])
    if not mark.relative or mark.ambiguous or not own or own[-1].lower().endswith(_CAPITALISED):
        return False
    opens = not before or before[-1] in ".?!:;,"
    return own[-1][0].isupper() and not (opens and len(own) == 1)


def is_other(text: str, mark: Mark) -> bool:
    """Whether what looks like a time is not one that sets when: "teaching today", "in the fourth quarter" of a
    match, "19 October 1512", "leaves change colour in the fall", "the sun"."""
    words, before, after = text[mark.start : mark.end], text[: mark.start], text[mark.end :]
    if words == "today":
        return means_present(text, mark.start)
    if words.endswith("quarter") and mark.in_year is not None:
        return bool(_SPORT.search(text) or _EARLY_IN.search(before))
    if words.endswith(_SEASONS) and mark.in_year is not None:
        return bool(_ALWAYS.search(text)) and not _PAST.search(text)
    if mark.relative and mark.place == PLACED:
        return bool(re.search(r"\b(?:the|of)\s+$", before)) and len(words) == 3
    return mark.in_year is not None and bool(_EARLIER_YEAR.match(after))


def stands(before: str, after: str, mark: Mark, relation: re.Match[str] | None) -> bool:
    """Whether a time stands where it tells when, and not what."""
    if mark.place == FREE:
        return True
    if relation is not None and relation[1] == "from" and _ARTICLES.search(before):
        return True
    if relation is not None:
        word = relation[1]
        if mark.ambiguous and word in ("by", "of", "for", "about", "from", "at", "around") and mark.in_year is not None:
            return False  # a speech by May, the fall of March
        return not (relation[2] and mark.place == PLACED and mark.in_year is not None and mark.ambiguous)
    at_edge = not before.strip() or not re.sub(r"[\s?.!,;:]", "", after)
    if mark.place == PLACED:
        # "announced Tuesday", "Iran talks January"
        closes = at_edge and bool(before.strip())
        return closes and (bool(_PAST.search(before)) if mark.relative else not mark.ambiguous)
    return at_edge or (mark.place == EDGE and not before.rstrip().endswith(" the"))
