"""Verb forms of English news by which past, present and what is to come are told apart, without a parser.

All patterns are for text in lower case, with straight apostrophes.
"""

from __future__ import annotations

import re

__all__ = ["BE_PRESENT", "BE_UNTOLD", "DETERMINER", "HAVE", "PAST", "is_participle"]

_IRREGULAR_TEXT = """
ate became been began bet bled blew bore bought bred broke broken brought burnt came caught chose chosen clung crept
dealt did done drank drawn drew driven drove fallen fed fell felt fled flew flung fought found froze gave given gone
got grew ground grown hit heard held hid hung kept knew known laid lay led left lent lit lost made met paid put quit ran
rang risen rose said sang sank sat saw seen sent shot shook shown shrank shut slept slid sold spent spoke spoken spread
sprang stole stolen stood stuck struck stung swam swept swore sworn swung taken taught thought threw thrown told took
tore torn understood went withdrew withdrawn won wore worn woke wrote written built was were had wasn't weren't didn't
hadn't
"""
_NO_VERB = (
    r"united|limited|hundred|sacred|naked|wicked|kindred|aged|beloved|biased|so-called|alleged|unprecedented|crowded"
)
# A form that is past by itself, or a participle; `is_participle` tells whether something before it decides.
PAST = re.compile(
    rf"\b(?!(?:{_NO_VERB})\b)(?:{'|'.join(_IRREGULAR_TEXT.split())}|(?!\w*eed\b)[a-z]{{2,}}(?:-[a-z]+)*ed)\b(?!-)"
)
_ADVERB = r"(?:(?:not|n't|also|now|still|already|only|never|being|\w+ly)\s+)*"
BE_PRESENT = re.compile(rf"(?:\b(?:is|are|am|isn't|aren't)|'s|'re)\s+{_ADVERB}$")
# Before a participle: what says when it is stands further in front ("will be held", "to be held").
BE_UNTOLD = re.compile(rf"\b(?:be|get|being|having|by)\s+{_ADVERB}$")
HAVE = re.compile(r"\b(?:has|have|hasn't|haven't)\b")
DETERMINER = re.compile(
    r"(?:\b(?:the|a|an|its|his|her|their|our|my|your|this|that|these|those|of|in|for|with|many|much|most|more|other|some"
    r"|any|all|no|newly|recently|what)|'s)\s+$"
)


def is_participle(before: str) -> bool:
    """Whether a past form after these words is no finite verb: "is employed", "will be held", "the injured"."""
    return bool(BE_PRESENT.search(before) or BE_UNTOLD.search(before) or DETERMINER.search(before))
