"""The rules of `predicates`: how a sentence goes on behind the name it is about, and what that answers."""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.english.months import MONTHS
from rag.suggesting.subjects import CAPITAL, NAME
from rag.suggesting.verbs import ASKED_TO, CHANGED, DONE, GONE, INTENDED, INTENDS, PARTICIPLES, TOLD, any_of

__all__ = ["RULES", "Rule"]

_NUMBER = (
    r"(?:about |some |nearly |almost |more than |at least |around |over |up to |an estimated |a total of |a record )?"
    r"(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty)"
    r"(?: (?:million|mln|billion|bn|thousand|hundred))?"
)
_MONEY = (
    r"(?:about |some |nearly |more than |up to )?"
    r"(?:[$£€]\s?\d[\w.]*|\d[\d.,]* (?:mln|billion|million|bn) (?:dlrs|dollars|stg|pounds|euros))"
)
_SHARE = r"\d[\d.]*(?:%| pct| percent)(?: stake in| of)"
_END = (
    r"(?=$|[,;]| (?:and|but|after|when|as|because|for|with|while|where|in|on|at|by|to|from"
    r"|against|over|during|since)\b)"
)
_COUNT = (
    rf"{_NUMBER} (?P<noun>(?:[A-Z]?[a-z-]+ ){{0,2}}(?:people|[a-z-]+[^s\W]s))"
    rf"(?P<tail> (?:on|in|against|of|at|from) (?:the )?(?:[a-z]+|{NAME}))?{_END}"
)
_OBJECT = r"(?P<object>(?:the |its |an? |his |her )?(?:[\w'’&.-]+ ){0,6}?[\w'’&-]+)"
_WHOM = rf"(?P<whom>(?:the )?{NAME})"
_BODY = rf"(?P<object>(?:the )?{NAME})"
_NO_VERB = r"its |the |an? |his |her |their |be |do so|[A-Z\d$£]|(?:two|three|four|five|six|\w+['’]s)\b"
_TO = rf"to (?!{_NO_VERB}|(?:rise|fall|grow|peak|reach|drop|exceed|become|remain|have)\b)"
_ACT = (
    "(?P<act>buy(?! back| out| up)|acquire|sell|build|launch|open|close|introduce|ban|offer|release|publish|merge with"
    "|replace|host|set up|invest in)"
)
_MONTH = rf"(?:{'|'.join(MONTHS)})"
_PAST_DATE = rf"(?:in|on) (?:(?:early |late |mid-)?(?:\d\d? )?{_MONTH}(?: \d\d?)?,? )?(?:19|20)\d\d"
_COMING_DATE = (
    rf"(?:(?:in|on|by|from|at the end of|before the end of) (?:early |late |mid-)?(?:the )?(?:\d\d? )?"
    rf"(?:{_MONTH}|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:19|20)\d\d|spring|summer|autumn|winter)"
    r"|next (?:week|month|year|spring|summer|autumn|\w+day))"
)
_HAVE = r"(?P<has>has|have) (?:also |now |already |reportedly |recently )?"
_WAS = r"(?P<was>was|were) "
_AUDIENCE = (
    rf"(?:reporters|investors|analysts|journalists|parliament|lawmakers|delegates|prosecutors|MPs"
    rf"|(?:the )?{NAME}(?:['’]s {NAME})?)"
)
_SAYS = (
    rf"(?:has |have |had )?(?:said|says|told {_AUDIENCE}|added|warned|stressed|argued|insisted)"
    r"(?: (?:on )?\w+day| today)?(?: that)?"
)
_MODAL = "was|were|had|has|have|is|are|would|will|could|should|may|might|can|must"
# Behind a name that is the subject of its clause, or closes its phrase.
_CLAUSE = (
    rf"(?!(?: and| or| of| for)?(?: the)? [A-Z])(?= (?:{_MODAL}|needs?|wants?|expects?|expected|agreed|plans|planned"
    r"|to|in|on|for|and|or|by|from|with|at|than|because|if|as|when|after|before)\b|;|$)"
)
_ACCUSED = (
    r"(?P<verb>accused of|charged with|convicted of|found guilty of|praised for|fined for|jailed for|blamed for"
    r"|criticised for) "
)
_TROPHY = "Open|Cup|Prize|Award|Trophy|Championship|Masters|League|Oscar|title|election"
_LED = "headed|heads|led|leads|founded|chaired|chairs|wrote|directed|invented|designed|discovered|runs|owns|replaced"


def _verb(verbs: dict[str, str], more: str = "") -> str:
    return rf"(?P<verb>{any_of(verbs)}{more})"


class Rule(NamedTuple):
    """`pattern` is matched where the predicate begins. Of the `template`, `{who}` is the subject (`{figure}` one
    that can rise and fall) and `{base}` the base form of the `verb`; the other fields are groups of the pattern.
    `worth` is in [0, 1]."""

    worth: float
    pattern: re.Pattern[str]
    template: str


_TO_WHOM = (
    (0.9, rf"accused {_WHOM} of ", "What did {who} accuse {whom} of?"),
    (0.9, rf"{_HAVE}accused {_WHOM} of ", "What {has} {who} accused {whom} of?"),
    (0.85, rf"(?:had )?{_verb(ASKED_TO)} {_WHOM} to ", "What did {who} {base} {whom} to do{setting}?"),
    (0.85, rf"{_HAVE}{_verb(ASKED_TO)} {_WHOM} to ", "What {has} {who} {verb} {whom} to do?"),
    (0.75, rf"(?:beat|defeated) (?P<whom>{NAME}) (?:in|at|to|by|\d|on)", "Who did {who} beat?"),
)
_HOW_MUCH = (
    (0.85, rf"(?:bought|acquired|purchased) {_OBJECT} for {_MONEY}", "How much did {who} pay for {object}?"),
    (0.85, rf"sold {_OBJECT} (?:to {NAME} )?for {_MONEY}", "How much did {who} sell {object} for?"),
    (0.85, rf"(?:has )?spent {_MONEY} on {_OBJECT}{_END}", "How much did {who} spend on {object}?"),
    (0.85, rf"(?P<was>was|were|has been) fined {_MONEY}", "How much was {who} fined?"),
    (0.9, rf"(?:had )?{_verb(DONE)} {_COUNT}", "How many {noun}{tail} did {who} {base}{setting}?"),
    (0.9, rf"{_HAVE}{_verb(PARTICIPLES)} {_COUNT}", "How many {noun}{tail} {has} {who} {verb}{setting}?"),
    (0.85, rf"employs? {_COUNT}", "How many {noun}{tail} does {who} employ?"),
    (0.9, rf"(?P<has>will|could|would) (?:also )?(?P<act>[a-z]+) {_COUNT}", "How many {noun}{tail} {has} {who} {act}?"),
    (0.9, rf"(?P<is>is|are) to (?P<act>[a-z]+) {_COUNT}", "How many {noun}{tail} {is} {who} to {act}?"),
    (0.9, rf"{_verb(INTENDS)} to (?P<act>[a-z]+) {_COUNT}", "How many {noun}{tail} {does} {who} {base} to {act}?"),
    (
        0.75,
        rf"(?:has |have |had )?{_verb(CHANGED)} (?:by )?(?:about |some |more than |almost |nearly )?[$£€]?\d",
        "How much did {figure} {base}?",
    ),
    (
        0.85,
        rf"(?:owns|holds|controls) (?:an? |about |over )?{_SHARE} {_BODY}",
        "How much of {object} does {who} own?",
    ),
    (
        0.8,
        rf"(?P<verb>acquired|bought|sold|purchased) (?:an? |its )?{_SHARE} {_BODY}",
        "How much of {object} did {who} {base}?",
    ),
    (
        0.8,
        r"(?:has )?(?P<verb>raised|cut|lowered|increased|reduced) (?P<object>(?:its|the) (?:[a-z-]+ ){0,3}[a-z-]+)"
        r" (?:by|to) (?:about )?[$£€]?\d",
        "How far did {who} {base} {object}?",
    ),
)
_WHY_WHEN_WHERE = (
    (
        0.85,
        rf"{_verb(DONE)} {_OBJECT} (?:because|in order to|in protest|in response to|to avoid|to prevent) ",
        "Why did {who} {base} {object}?",
    ),
    (0.85, rf"{_verb(GONE)} (?:because|in protest|over) ", "Why did {who} {base}?"),
    (
        0.8,
        rf"{_WAS}(?P<done>born|founded|arrested|built|jailed|killed|shot|held|seized|buried|sentenced)"
        rf" (?:in|at) (?:the )?{NAME}",
        "Where {was} {who} {done}?",
    ),
    (
        0.8,
        rf"{_WAS}(?P<done>born|founded|arrested|built|jailed|killed|shot|seized|established|created|launched|opened"
        rf"|released|sold) {_PAST_DATE}",
        "When {was} {who} {done}?",
    ),
    (0.8, rf"{_verb(DONE)} {_OBJECT} {_PAST_DATE}", "When did {who} {base} {object}?"),
    (
        0.9,
        rf"(?:will|is to|are to) (?P<rest>(?!continue|remain|have|due)[a-z]+ {_OBJECT}) {_COMING_DATE}",
        "When will {who} {rest}?",
    ),
    (
        0.85,
        rf"will (?P<rest>(?!be )[a-z]+ (?:(?!in |at )[\w'’&-]+ ){{1,6}}?)(?:in|at) (?:the )?{NAME}{_END}",
        "Where will {who} {rest}?",
    ),
)
_WHO = (
    (
        0.8,
        rf"(?:was|were|has been|have been|had been) (?:also |later |finally )?"
        rf"{_verb(PARTICIPLES, '|received|greeted|appointed|nominated|elected')}"
        rf" by (?:the |a |an )?(?:[a-z]+ ){{0,3}}{NAME}",
        "Who {past} {who}?",
    ),
    (0.85, rf"won (?P<object>the (?:[\w'’-]+ ){{0,4}}(?:{_TROPHY}))\b(?! [A-Z])", "Who won {object}?"),
    (
        0.8,
        rf"(?P<verb>{_LED}) (?P<object>(?:the )?(?:[a-z-]+ ){{0,2}}{NAME}(?: government| party| project)?){_END}",
        "Who {verb} {object}?",
    ),
    (
        0.8,
        rf"{_HAVE}(?P<verb>signed|appointed|hired|sacked|fired|dropped|nominated)"
        rf" (?:[A-Za-z-]+ ){{0,4}}?{CAPITAL} {CAPITAL}",
        "Who {has} {who} {verb}?",
    ),
    (0.8, rf"will (?P<act>face|meet|play|replace|succeed) (?:[a-z]+ ){{0,2}}{NAME}", "Who will {who} {act}?"),
)
_WHAT_TO_DO = (
    (0.8, rf"(?:had )?{_verb(INTENDED)} to {_ACT} ", "What did {who} {base} to {act}?"),
    (0.8, rf"{_HAVE}{_verb(INTENDED)} to {_ACT} ", "What {has} {who} {verb} to {act}?"),
    (0.8, rf"{_verb(INTENDS)} to {_ACT} ", "What {does} {who} {base} to {act}?"),
    (0.75, rf"will (?:also )?{_ACT} (?:an? |its |the |[A-Z\d])", "What will {who} {act}?"),
    (0.7, rf"(?:had )?{_verb(INTENDED)} (?:not )?{_TO}", "What did {who} {base} to do{setting}?"),
    (0.7, rf"{_HAVE}{_verb(INTENDED)} (?:not )?{_TO}", "What {has} {who} {verb} to do?"),
    (0.7, rf"{_verb(INTENDS)} {_TO}", "What {does} {who} {base} to do?"),
    (
        0.7,
        rf"(?P<is>is|are) (?P<verb>planning|preparing|trying|seeking|threatening|hoping|expected|required"
        rf"|allowed) {_TO}",
        "What {is} {who} {verb} to do?",
    ),
    (
        0.6,
        r"(?P<is>is|are) (?P<verb>considering|planning|proposing|demanding|developing|launching)"
        r" (?:an? |the |its |new |whether )",
        "What {is} {who} {verb}?",
    ),
)
_WHAT = (
    (0.7, rf"{_WAS}{_ACCUSED}", "What {was} {who} {verb}?"),
    (0.7, rf"has been {_ACCUSED}", "What was {who} {verb}?"),
    (
        0.5,
        rf"(?:had )?{_verb(TOLD)} (?:that |an? |the |its |plans |new |for |he |she |it |they "
        r"|[a-z]+ing |(?!\w+day)[A-Z])",
        "What did {who} {base}{setting}?",
    ),
    (0.5, rf"{_HAVE}{_verb(TOLD)} (?:that |an? |the |its |plans |new |for )", "What {has} {who} {verb}?"),
    (
        0.45,
        r"(?P<verb>believes|claims|insists|expects|predicts) (?:that |the |there |[A-Z]|its |an? )",
        "What does {who} {base}?",
    ),
    (
        0.45,
        rf"{_SAYS} (?P<topic>(?!its )(?:the )?(?:[a-z-]+ ){{0,2}}[a-z-]+"
        rf"(?: (?:of|in|for|at) (?:the )?(?:[a-z]+|{NAME}))?)"
        rf" (?:{_MODAL}|rose|fell)\b",
        "What did {who} say about {topic}?",
    ),
    (
        0.45,
        rf"{_SAYS} (?:[^,]{{0,40}}? (?:on|about|against|with|towards) )?(?P<about>(?:the )?{NAME}){_CLAUSE}",
        "What did {who} say about {about}?",
    ),
)
RULES = tuple(
    Rule(worth, re.compile(pattern), template)
    for worth, pattern, template in (*_TO_WHOM, *_HOW_MUCH, *_WHY_WHEN_WHERE, *_WHO, *_WHAT_TO_DO, *_WHAT)
)
