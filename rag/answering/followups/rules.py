"""From a follow-up and the conversation before it to a question that stands on its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rag.answering.followups.references import leans_back, open_pronouns, points_there
from rag.answering.followups.subjects import (
    YEAR,
    Part,
    content,
    is_city,
    is_country,
    parts,
    people,
    plain_answer,
    things,
    topic_phrase,
)
from rag.english.words import is_stop_word
from rag.records import Message

__all__ = ["is_complete", "standalone"]

# How far back a conversation is read, and how much of one message.
_TURNS = 8
_LONGEST = 1000
_LONGEST_RESULT = 400

_LEAD = re.compile(
    r"^(?:(?:and|but|so|or|ok|okay|well|also|then|now|yes|no|oh|hm+|sorry|thanks|thank you|i see|right|alright|great"
    r"|interesting|excuse me|by the way|btw)\b[\s,.!:;…-]*)+",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"^(?:(?:ok|okay|thanks|thank|you|so|much|very|a|lot|great|good|nice|cool|wow|omg|i|see|got|it|right|all|alright|bye"
    r"|hi|hello|hey|yes|no|sure|ya|interesting|fine|that's|helpful|perfect|cheers|understood|never|mind)\b[\s,.!:;…]*)+$",
    re.IGNORECASE,
)
_NEW_SUBJECT = re.compile(
    r"^(?:by the way|btw|changing|another question|a different|separately|unrelated|on another|something else)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"^(?:what|how) about (?P<x>.+)$", re.IGNORECASE)
_MEANT = re.compile(
    r"^(?:i|we) (?:meant|mean|am asking about|was asking about|was talking about)(?: for)? (?P<x>.+)$", re.IGNORECASE
)
_WITH_PREPOSITION = re.compile(
    r"^(?:in|at|on|near|during|before|after|since|by|for|from|to|with|under|against)\s", re.IGNORECASE
)
_QUESTION_WORD = re.compile(
    r"^(?P<asks>why not|why|when|where|who|whom|whose|how many|how much|how long|how often|how far|how old|how"
    r"|since when|by whom|which ones?|what for|what|in which (?:city|country|place|month|year)"
    r"|what (?:date|day|time|year|month))"
    r"(?: exactly| then| so| (?:is|was|were|did|does) (?:that|it|this|he|she|they)| of (?:them|those))?$",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r", and (?:why|when|where|who|how|what|which|in which|since when|by whom)[\w ]{0,15}\?$", re.IGNORECASE
)
_PLURAL_AUX = {"is": "are", "was": "were", "does": "do", "has": "have"}
_HEAD = re.compile(r"\b(?:how many|how much|which|what|whose)\s+(?P<head>[a-z]{3,})\b", re.IGNORECASE)
_VERB_AT_FRONT = re.compile(
    r"^(?:who|what|when|where|why|how|which|whose|whom|is|are|was|were|do|does|did|can|could|will|would|should|has|have"
    r"|had|may|might|tell|explain|give|list|name|describe|show|compare|summari[sz]e|find)\b|n't\b",
    re.IGNORECASE,
)
_BEFORE_SUBJECT = re.compile(
    r"(?:^|\b(?:do|does|did|will|would|can|could|has|have|had|should|that|if|when|n't)\s+)$", re.IGNORECASE
)
_DEFINES = re.compile(
    r"^(?:what|who) (?:is|are|was|were) (?:an? )?[\w-]+$|^what does [\w-]+ mean$|^(?:explain|define) ", re.IGNORECASE
)
_COUNTED = re.compile(r"\b(?:how many|which)\s+(?P<head>[a-z]{2,}s)\b", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both|either|neither|each other)\b", re.IGNORECASE)  # two are meant, not one
_OWNERS = ("his", "hers", "its", "their", "theirs")
_THIN = 3  # content words of a question without a name that asks about what was named before
_ENOUGH = 6  # content words of a question that needs no more places and dates
_FEW = 4  # content words of a question that says little by itself
_DEFINITE = re.compile(r"\bthe (?P<noun>[a-z]{3,})\b(?!\s+(?:of|in|at|for|between|with|that|who|on|from|to)\b)")


def standalone(question: str, history: Sequence[Message]) -> str:
    """The question with what it takes from the conversation before it, by rules and without a model.

    A question that is complete comes back as it is, byte for byte; so does every question without a
    history. The work is linear in the length of the question and bounded in that of the history.
    """
    earlier = list(history)[-2 * _TURNS :]
    topic, answer = "", ""
    for turn in earlier:
        if turn.role == "assistant":
            answer = plain_answer(turn.content)
        elif not _CHATTER.match(turn.content[:_LONGEST].strip()):
            topic, answer = _resolved(" ".join(turn.content[:_LONGEST].split()), topic, answer), ""
    return _resolved(question, topic, answer)


def is_complete(question: str) -> bool:
    """Whether a question says by itself what it is about: it names something, says enough, and nothing in it
    refers back."""
    asked = " ".join(question[:_LONGEST].split())
    return len(content(asked)) > _THIN and bool(parts(asked)) and not leans_back(_LEAD.sub("", asked))


def _resolved(question: str, topic: str, answer: str) -> str:
    asked = " ".join(question.split())
    core = _LEAD.sub("", asked).rstrip(" ?.!…") if len(asked) <= _LONGEST else ""
    if not topic or not core or _CHATTER.match(asked):
        return question
    found = (
        _replacing(core, topic, asks=asked.endswith("?"))
        or _asking_again(core, topic)
        or _pointing(asked, core, topic, answer)
    )
    return found if found and len(found) <= _LONGEST_RESULT else question


# --- "What about the Americans?", "And in March?" --------------------------------------------------------


def _replacing(core: str, topic: str, *, asks: bool) -> str:
    named = _ABOUT.match(core) or _MEANT.match(core)
    x = named["x"] if named else core
    if len(content(x)) > 4 or (not named and _VERB_AT_FRONT.match(x)) or leans_back(x):
        return ""
    topic = _AGAIN.sub("?", topic)
    found = parts(x, fragment=True)
    whole = found[0] if len(found) == 1 and set(content(x)) <= set(content(found[0].text)) else None
    if whole and (named or _stands_in(whole, x, asks=asks)):
        return _with_part(topic, whole, x) or (_beside(x, topic) if len(content(x)) < 3 else "")
    if not named and not (_WITH_PREPOSITION.match(x) and len(content(x)) <= _THIN):
        return ""
    head = _HEAD.search(topic)
    if head and not is_stop_word(head["head"]) and re.fullmatch(r"(?:the )?[a-z]{3,}", x):
        return topic[: head.start("head")] + x.removeprefix("the ") + topic[head.end("head") :]
    if found and found[0].kind != "date":
        return ""
    return _beside(x if _MEANT.match(core) else core, topic)


def _stands_in(part: Part, x: str, *, asks: bool) -> bool:
    """Whether a fragment alone ("The Americans?", "In March") asks the same of something else: a word with
    a capital alone may as well be a new subject."""
    return part.kind != "name" or x.startswith("the ") or is_country(part.bare.split()[-1]) or asks


def _with_part(topic: str, part: Part, x: str) -> str:
    """The earlier question with one name, place or date in place of its own."""
    old = parts(topic)
    if part.kind == "date":
        return _with_date(topic, part, [p for p in old if p.kind == "date"])
    places, names = [p for p in old if p.kind == "place"], [p for p in old if p.kind == "name"]
    if part.kind == "place" or _WITH_PREPOSITION.match(x):
        return _swap(topic, places[-1], x) if places else _append(topic, x)
    if places and (not names or is_city(part.bare)):
        return _swap(topic, places[-1], f"{places[-1].preposition} {part.text}")
    alike = [p for p in names if is_country(p.bare.split()[-1]) == is_country(part.bare.split()[-1])]
    return _swap(topic, (alike or names)[0], part.text) if names else ""


def _with_date(topic: str, part: Part, old: list[Part]) -> str:
    if not old:
        return _append(topic, part.text if part.preposition else f"in {part.text}")
    last, text = old[-1], part.text
    year = YEAR.search(last.text)
    if re.fullmatch(YEAR, part.bare) and year:
        at = last.start + year.start()
        return topic[:at] + part.bare + topic[at + 4 :]
    if year and not YEAR.search(text) and any(c.isupper() for c in text):
        text = f"{text} {year.group()}"
    return _swap(topic, last, text if part.preposition or not last.preposition else f"{last.preposition} {text}")


def _swap(topic: str, old: Part, new: str) -> str:
    """The topic with a part replaced; the verb in front of it agrees with "the Americans"."""
    before, after = topic[: old.start], topic[old.end :]
    if re.match(r"the \w+s$", new, re.IGNORECASE):
        aux = re.search(r"\b(is|was|does|has) $", before, re.IGNORECASE)
        if aux:
            plural = _PLURAL_AUX[aux[1].lower()]
            before = f"{before[: aux.start()]}{plural.capitalize() if aux[1][0].isupper() else plural} "
    return before + (new if before.strip() else new[:1].upper() + new[1:]) + after


# --- "Why?", "How many?" ---------------------------------------------------------------------------------


def _asking_again(core: str, topic: str) -> str:
    asks = _QUESTION_WORD.match(core)
    if not asks:
        return ""
    return f"{_AGAIN.sub('', topic).rstrip(' ?.!')}, and {asks['asks'].lower()}?"


# --- "Why did they refuse?", "Who signed the deal?" ------------------------------------------------------


def _pointing(asked: str, core: str, topic: str, answer: str) -> str:
    size = len(content(core))
    if leans_back(core):
        resolved = _without_pronouns(core, topic, answer)
        if resolved != core:
            return _carrying(resolved, topic)
        return _beside(core, topic) if size <= _FEW else ""
    if _DEFINES.match(core) or parts(core) or _NEW_SUBJECT.match(asked):
        return ""
    thin = size < 2 and _VERB_AT_FRONT.match(core)
    if thin or (size <= _THIN and _repeats(core, f"{topic} {answer}")):
        return _beside(core, topic)
    # Key words without a question are a search of their own more often than not.
    is_question = asked.endswith("?") or _VERB_AT_FRONT.search(core)
    return _with_focus(core, topic, answer) if size <= _THIN and is_question else ""


def _repeats(core: str, said: str) -> bool:
    """Whether the question speaks of "the deal" after one was spoken of."""
    nouns = {match["noun"] for match in _DEFINITE.finditer(core)}
    return bool(nouns) and not nouns.isdisjoint(content(said))


def _without_pronouns(core: str, topic: str, answer: str) -> str:
    there = points_there(core)
    place = next((p for p in parts(topic) if p.kind == "place"), None)
    if there and place:
        core = core[: there.start()] + place.text + core[there.end() :]
    resolved, end = "", 0
    for match in open_pronouns(core) if not _BOTH.search(core) else ():
        pronoun = match.group().lower()
        subject = bool(_BEFORE_SUBJECT.search(core[: match.start()]))
        candidates = _referents(pronoun, topic, answer, subject=subject)
        # What does something and what it is done to are two.
        chosen = next((name for name in candidates if name not in resolved), "")
        if chosen and pronoun in _OWNERS:
            chosen += "'" if chosen.endswith("s") else "'s"
        resolved += core[end : match.start()] + (chosen or match.group())
        end = match.end()
    return resolved + core[end:]


def _referents(pronoun: str, topic: str, answer: str, *, subject: bool) -> list[str]:
    """What a pronoun may stand for, as the topic (or for a person the answer) names it, the likeliest first."""
    names = [p.text for p in parts(topic) if p.kind == "name"]
    objects = things(topic)
    if pronoun in ("he", "she", "him", "her", "his", "hers"):
        return [n for n in names if not is_country(n.split()[-1])] + people(answer)
    if pronoun in ("they", "them", "their", "theirs"):
        counted = _COUNTED.search(topic)
        several = [t for t in objects if t.endswith("s")] + ([f"the {counted['head']}"] if counted else [])
        many = [n for n in names if n.endswith("s")] + names
        return several + many if pronoun == "them" else many + several
    others = [n for n in names if len(n.split()) == 1 or n.startswith("the ")]  # "Ali Larijani" is no "it"
    if subject or pronoun == "its":
        return others + objects
    # What is done to "it" is seldom done to a country.
    return objects + [n for n in others if not is_country(n.split()[-1])]


def _carrying(core: str, topic: str) -> str:
    """Places and dates of the topic at the end, where the question has none of its own."""
    own = {p.kind for p in parts(core)}
    for part in parts(topic):
        if part.kind != "name" and part.kind not in own and len(content(core)) <= _ENOUGH:
            core = f"{core} {part.text}"
    return f"{core}?"


def _beside(core: str, topic: str) -> str:
    """The question with what the conversation is about in brackets: the less it says itself, the more."""
    own = frozenset(content(core))
    phrase = topic_phrase(topic, 4 - len(own) // 2, own)
    return f"{core} ({phrase})?" if phrase else ""


def _with_focus(core: str, topic: str, answer: str) -> str:
    """The question with the name that the conversation turns on: the one that question and answer repeat
    most, else what the question before named."""
    named = parts(topic)
    counts = Counter(part.bare for part in parts(answer) if part.kind != "date")
    counts.update(part.bare for part in named if part.kind != "date")
    chosen = [name for name, count in counts.most_common(1) if count > 1] or [p.bare for p in named][:2]
    own = frozenset(content(core))
    fresh = [name for name in chosen if not own.issuperset(content(name))]
    return f"{core} ({', '.join(fresh)})?" if fresh else ""


def _append(topic: str, text: str) -> str:
    return f"{topic.rstrip(' ?.!')} {text}?"
