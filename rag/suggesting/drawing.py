"""From a sentence of an article to the questions that it answers, by rules that are precise rather than many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.english.months import MONTHS
from rag.english.sentences import sentences
from rag.records import Span
from rag.suggesting.predicates import Asking, asked_of
from rag.suggesting.roles import asked_who
from rag.suggesting.speech import asked_what_was_said
from rag.suggesting.subjects import CAPITAL, NAME, Cast
from rag.suggesting.verbs import HARMED

__all__ = ["LONGEST", "Drawn", "drawn"]

LONGEST = 90  # characters of a question
_READ = 12_000  # code points of an article that are looked at
_SENTENCE = (30, 420)  # characters

_LEAD = re.compile(
    r"(?:(?:But|And|However,?|Meanwhile,?|Separately,?|Yesterday,?|Also,?|Still,?|Later,?|Earlier,?) )?"
    r"(?:(?P<lead>(?:On|In|At|During|After|Before|Last|Earlier|Under|Despite|Speaking|As|With|For|By) "
    r"(?:[^,;]|, (?=\d{4}\b)){3,70}), )?"
)
# A setting that the question keeps: "At the Muscat meeting, ...", "In January 2024, ...".
_SETTING = re.compile(
    r"(?:at|during) (?:the|an?) (?:[a-z]+ )?(?:[A-Z][\w-]+ )+[a-z]+"
    rf"|in {NAME}|(?:in|on) (?:[A-Z][a-z]+ )?(?:\d{{1,2}}, )?(?:19|20)\d\d"
)
_TICKER = re.compile(r"^<([^<>]{3,40})>(?= )| <[A-Z.]{1,10}>")  # of wire stories: "<Name Inc>", "Name Inc <NAME>"
_MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b")
_WEEKDAYS = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
_BODY = (
    "government|administration|parliament|ministry|presidency|delegation|army|navy|military|police|opposition"
    "|authorities|council|company|group|union|party|team|club|court|coalition|ambassador|embassy|central bank"
    "|foreign minister|prime minister|finance minister|president|supreme court|economy|regulator|watchdog"
    "|leaders|ministers|lawmakers|officials|forces|troops|farmers|workers"
)
_FIGURE = (
    "[Ss]hares|[Ss]ales|[Pp]rofits?|[Nn]et profits?|[Ee]arnings|[Rr]evenues?|[Ee]xports|[Ii]mports|[Pp]roduction"
    "|[Oo]utput"
)
_HOLDERS = (
    "boss|coach|chairman|chief|leader|minister|president|executive|director|striker|captain|analyst|economist|spokesman"
    "|spokeswoman|actor|singer|manager|founder|secretary|star"
)
_KINDS = "giant|group|firm|company|maker|retailer|airline|brewer|carmaker|studio|band|station|state|agency"
_SUBJECT = re.compile(
    rf"(?:(?:The )?{NAME}(?:['’]s)? (?:[a-z-]+ ){{0,1}}(?:{_HOLDERS}) (?={CAPITAL} {CAPITAL})"
    rf"|(?:The )?[A-Z][\w-]+(?: [a-z-]+){{0,2}} (?:{_KINDS}) (?={CAPITAL}))?"
    rf"(?P<figure>(?:{_FIGURE}) (?:in|at|of|from) )?(?P<name>(?:[Tt]he )?{NAME})"
    rf"(?P<body>(?:['’]s)? (?:{_BODY}|{_FIGURE})\b|['’]s (?:[a-z-]+ ){{0,3}}?[a-z-]+(?=,| (?:will|is|was|has) ))?"
    r"(?:, [^,;]{3,90}, | \([^)]{1,20}\) | )"
    r"(?:(?:on )?(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day |yesterday |today )?"
    r"(?:also |later |earlier |recently |already |reportedly |now |immediately |finally |then )?"
)
_COUNTED = re.compile(
    rf"(?P<noun>people|[a-z]+ ?[a-z]*s) (?:were|have been|had been|was) (?P<done>{HARMED})\b.{{0,80}}?"
    rf"\b(?P<where>(?:in|at|near) (?:the )?{NAME})"
)
_NUMBER_BEFORE = re.compile(r"(?:\d[\d,]*|two|three|four|five|six|seven|eight|nine|ten|dozens of|hundreds of) $", re.I)
_UNFIT = re.compile(r"[\"“”„«»\[\]{}<>*_|]|  |--|\?|\b(?:I|we|We|my|our|us|you|your)\b|\.\.\.|…")
_POINTS = re.compile(
    r"\b(?:he|she|they|him|them|it|this|that|these|those|there|here|I|we|you|my|our|who|which|whom|yesterday|today"
    r"|tomorrow|ago|latter|former|other|others|such|same|another|last (?:week|month|year|night)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A question, the sentence of the article that answers it, and what it is worth, in [0, 1]."""

    question: str
    at: Span
    worth: float


def drawn(text: str) -> list[Drawn]:
    """Questions that the sentences of an article answer, in the order of the sentences.

    Only the first 12,000 code points are looked at.
    """
    text = text[:_READ]
    cast = Cast(text)
    found: list[Drawn] = []
    for span in sentences(text):
        sentence = text[span.start : span.end]
        if _SENTENCE[0] <= len(sentence) <= _SENTENCE[1] and not _is_torn(text, span.start):
            found.extend(Drawn(q.text, span, q.worth) for q in _of_sentence(" ".join(sentence.split()), cast))
    return [question for question in found if _reads_well(question.question)]


def _is_torn(text: str, start: int) -> bool:
    """Whether a sentence may begin in the middle: on a new line below a long one that ends without a full stop."""
    before = text[max(0, start - 200) : start]
    line = before.rstrip().rpartition("\n")[2]
    gap = before[len(before.rstrip()) :]
    return gap.count("\n") == 1 and len(line) > _SENTENCE[0] and (line[-1].isalnum() or line[-1] in ",-")


def _of_sentence(sentence: str, cast: Cast) -> Iterator[Asking]:
    sentence = _TICKER.sub(r"\1", sentence)
    if not sentence.rstrip("\"”’'").endswith((".", "!")) or sentence[0].islower():
        return
    yield from asked_who(sentence, cast)
    yield from asked_what_was_said(sentence, cast)
    yield from _counted(sentence)
    if _UNFIT.search(sentence):
        return
    lead = _LEAD.match(sentence)
    begin = lead.end() if lead else 0
    subject = _SUBJECT.match(sentence, begin)
    if not subject:
        return
    name = cast.called(subject["name"], opens=subject.start("name") == 0)
    if name:
        who = f"{(subject['figure'] or '').lower()}{name}{subject['body'] or ''}"
        setting = _setting(lead["lead"] or "") if lead else ""
        yield from asked_of(who, sentence[subject.end() :].rstrip(".! "), setting, cast)


def _setting(lead: str) -> str:
    lead = lead[:1].lower() + lead[1:]
    return lead if _SETTING.fullmatch(lead) and not _WEEKDAYS.search(lead) and _year_if_month(lead) else ""


def _year_if_month(lead: str) -> bool:
    """A month without its year is another month when it is asked for."""
    return not _MONTH.search(lead) or bool(re.search(r"\d{4}", lead))


def _counted(sentence: str) -> Iterator[Asking]:
    for match in _COUNTED.finditer(sentence):
        if _NUMBER_BEFORE.search(sentence[: match.start()]):
            yield Asking(f"How many {match['noun']} were {match['done']} {match['where']}?", 0.9)


def _reads_well(question: str) -> bool:
    inner = question.removesuffix("?")
    return (
        15 < len(question) <= LONGEST
        and not _UNFIT.search(inner)
        and not _POINTS.search(inner.partition(" ")[2])
        and not re.search(r"[,;:()/]|\b(\w+) \1\b", inner)
    )
