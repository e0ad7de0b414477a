"""The words by which a question refers to something that it does not name itself."""

from __future__ import annotations

import re

from rag.answering.followups.subjects import parts

__all__ = ["leans_back", "open_pronouns", "points_there"]

_PRONOUN = re.compile(r"\b(?:he|she|him|her|his|hers|they|them|their|theirs|it|its)\b", re.IGNORECASE)
# "it" that stands for nothing: "is it true that", "how long does it take", "got it".
_IDLE_IT = re.compile(
    r"""
      \b(?:is|was|isn't|wasn't|be|been|makes?|made|find)\ it\s+(?:(?:\w+ly|still|even|more|a)\s+)?
      (?:true|possible|likely|unlikely|clear|safer?|legal|illegal|better|best|important|necessary|ok|okay|harder|hard
        |difficult|easier|easy|common|normal|known|fair|worth|advisable|good|bad|wise|raining|snowing|time)\b
      (?!\s*(?:\?|$))
    | \bit\s+(?:seems?|appears?|turns?\ out|is\ said|rains?|snows?|takes?)\b
    | \b(?:does|did|would|will|do)\ it\s+(?:\w+ly\s+)?(?:take|snow|rain|matter|look\ like|mean\ to|make\ sense)\b
    | \b(?:got|get|getting|that's|might\ be|makes?)\ it\s*(?=[?.,!]|$)
    | \bwhat\ is\ it\ (?:that|like)\b
    | \bit\ (?:is|was)\b[^?]{1,60}\b(?:that|who|to)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "about that", "did this deal": not "said that the", "this year", "those who".
_DEMONSTRATIVE = re.compile(
    r"""
    (?: ^ | [,;]\s*
      | \b(?:about|of|for|after|before|since|by|from|with|in|on|to|at|than|like|despite|during|under|over|against|behind
            |and|but|so|is|are|was|were|does|did|do|will|would|can|could|has|had|have|says?|said|mean|know|use|why|how)
        \s+
    )
    (?:all\s+(?:of\s+)?)?(?:this|that|these|those)\b
    (?!\s+(?:year|week|month|morning|evening|day|time|summer|winter|spring|autumn|fall|who|is\ why|the|a|an|in|on
            |he|she|it|they|we|you|i|there|his|her|their|its|our|my|your|any|some|no|all)\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "who went there?": not "is there", "how many are there?".
_THERE = re.compile(
    r"""
      \b(?:from|over|up|down|out|near|still|also|already|back|go|went|gone|going|happen\w*|meet|met|take\ place|live\w*
          |work\w*|be|held|killed|died|stationed|said|arrive\w*|left|get|got)\ there\b
    | \bwho\ (?:is|was|were|are)\ there\b
    | (?<!\bis)(?<!\bare)(?<!\bwas)(?<!\bwere)\ there\ *\?*$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OTHER = re.compile(
    r"""
      \b(?:who|what|where|anyone|anything|anybody|something|someone|nothing)\ else\b
    | \b(?:which|what|another|(?:the\ )?other|the\ (?:first|second|last|same)|create|get|regular|each)\ ones?\b
    | ^(?:any\ |are\ there\ (?:any\ )?|the\ |what\ |were\ there\ (?:any\ )?)?others?\b
    | \bthe\ (?:same|former|latter|other\ (?:side|party|one|two)|opposite|alternatives?|first|second
        |last\ (?:one|option))\b (?=\s*(?:\?|$|for\b|happen|apply|true|option))
    | \b(?:both|either|each|all)\ (?:sides?|parties|of\ them|of\ these)\b
    | \bthe\ two\ (?:sides|parties|countries|leaders|men|women)\b
    | \bdo(?:es)?\ (?:that|so)\b
    | ^(?:tell\ me|say|know|hear|give\ me)\ more\b
    | ^(?:more|(?:any\ )?(?:more\ |other\ )?(?:details|examples?|reasons|updates?|news))\s*\??$
    | \bmore\ (?:about|on|details|information)\ (?:this|that|it|them)\b
    | \b(?:then|as\ well|too|also)\s*\?*$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ANTECEDENT = re.compile(
    r"""
      \b(?:the|a|an|this|that|these|those|my|your|our|every|each|all)\s+(?!same\b|other\b)\w+
    | \b(?:do|does|did|will|can|could|should|would|are|is|were|was|have|has|had|if|when|that|of)\s+
      (?!(?:he|she|it|they|we|you|i|there|not|the|his|her|their|its)\b)\w{3,}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WORD_THERE = re.compile(r"\bthere\b", re.IGNORECASE)


def leans_back(text: str) -> bool:
    """Whether a question refers to something that it does not name itself."""
    return bool(open_pronouns(text) or _DEMONSTRATIVE.search(text) or _THERE.search(text) or _OTHER.search(text))


def open_pronouns(text: str) -> list[re.Match[str]]:
    """Pronouns for which nothing in front of them, in the same question, can stand."""
    found = list(_PRONOUN.finditer(text))
    if not found:
        return []
    named = [part.end for part in parts(text) if part.kind != "date"]
    phrase = _ANTECEDENT.search(text)
    first = min([*named, phrase.end() if phrase else len(text)])
    idle = [match.span() for match in _IDLE_IT.finditer(text)]
    return [m for m in found if m.end() <= first and not any(start <= m.start() < end for start, end in idle)]


def points_there(text: str) -> re.Match[str] | None:
    """The "there" that stands for a place."""
    found = _THERE.search(text)
    return _WORD_THERE.search(text, found.start()) if found else None
