"""Lines that are no part of an article: share bars, adverts, credits, captions, link lists.

A sentence of the article must never match. When in doubt a line stays: a caption that is kept costs
less than a sentence that is lost.
"""

from __future__ import annotations

import re

__all__ = ["is_boilerplate", "is_caption", "is_terminated", "strip_glued_source_link"]

_MAX_LINE = 300
_TERMINATED = re.compile(r"[.!?…。！？؟۔।]+[\"'”’»›)\]}」』）]*$")

_FURNITURE = re.compile(
    r"""
    source\ link\W*
  | (?:view\ |read\ )?(?:the\ )?(?:original\ (?:article|source|story|post)|full\ (?:article|story))(?:\ here)?\W*
  | (?:advertisements?|advertising|sponsored(?:\ content)?|promoted(?:\ content)?)\W*
  | (?:(?:story|article)\ )?continues?\ (?:reading|below)(?:\ (?:this\ |the\ )?(?:advertisement|ad|main\ story))?\W*
  | continue\ reading\b.{0,60}
  | skip\ (?:advertisement|to\ (?:main\ )?content)\W*
  | (?:read|see|watch|listen)\ (?:more|also|next)(?:\ (?:on|about)\ .{0,60})?\W*
  | (?:read\ (?:more|also|next)|see\ also|also\ read|more\ on\ this(?:\ story)?
      |related(?:\ (?:articles?|stories|news|topics))?
      |recommended(?:\ (?:articles?|stories|reading))?|don['’]t\ miss|watch|listen)\ ?:.{0,200}
  | (?:related|recommended|popular|trending|latest|top|more)\ (?:articles?|stories|news|topics|posts|videos)\W*
  | (?:sign\ up|subscribe|register)\ (?:for|to|now|here|today|and)\b.{0,120}
      \b(?:newsletters?|inbox|alerts|updates|briefing|channel)\b.{0,60}
  | (?:subscribe|sign\ up|log\ in|sign\ in|register)(?:\ (?:now|here|today))?\W*
  | (?:©|\(c\)\ ?\d{4}|copyright\ (?:©|\(c\)|\d{4})).{0,160}
  | (?:follow|like|join)\ us\ on\b.{0,80}
  | click\ here\b.{0,80}
  | download\ (?:our|the)\ app\b.{0,60}
  | (?:tags?|topics?|filed\ under|categor(?:y|ies)|keywords?)\ ?:.{1,160}
  | \d+\ (?:comments?|shares?|likes?|views?)
  | (?:leave\ a\ comment|view\ comments|comments?|print|bookmark|back\ to\ top|load\ more|show\ more)\W*
  | [-*_=~\#•·|.\ ]{3,}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHARE_WORD = (
    r"(?:share|tweet|post|email|e-mail|print|save|copy\ link|link\ copied|facebook|twitter|x|linkedin|whatsapp|telegram"
    r"|reddit|pinterest|messenger|flipboard|pocket|instagram|youtube|bluesky|threads|comments?)"
)
_SHARE_BAR = re.compile(
    rf"(?:{_SHARE_WORD}[\s|/,·•]+){{2,24}}{_SHARE_WORD}\W*"
    r"|share(?:\ (?:this|on|via))\b.{0,40}|share\W*",
    re.IGNORECASE,
)
_AGENCY = (
    r"(?:getty(?:\ images)?|reuters?|afp|ap|ap\ photo|associated\ press|epa(?:-efe)?|efe|shutterstock|alamy|istock"
    r"|pa(?:\ media)?|wana|irna|xinhua)"
)
_CREDIT = re.compile(
    rf"(?:(?:photo(?:graph)?s?|images?|pictures?|video|illustration|graphic|caption|credits?)"
    rf"(?:\ (?:credit|by|courtesy(?:\ of)?|source))?\s*:.{{0,150}}"
    rf"|(?:photo|image|picture|illustration)\ (?:by|courtesy\ of)\ .{{0,100}}"
    rf"|[\[(]?(?:file(?:\ (?:photo|image|picture))?)[\])]?\W*"
    rf"|[(\[]?{_AGENCY}(?:\s*(?:/|via)\s*[\w .'’-]{{2,40}}){{0,3}}[)\]]?\.?)",
    re.IGNORECASE,
)
_IN_THIS_PICTURE = re.compile(
    r"\bin\ this\ (?:undated\ |file\ |handout\ |combination\ |satellite\ |video\ |still\ ){0,3}"
    r"(?:photo|photograph|picture|image|illustration|screengrab|screenshot|frame\ grab|handout)\b,?\s+"
    r"(?:taken|released|provided|obtained|made\ available|dated|issued|distributed|from\ video|on\ \w+)\b.{0,120}$",
    re.IGNORECASE,
)
_SENTENCE_BREAK = re.compile(r"[.!?][\"'”’)]*\s")
_POSITION_MARK = re.compile(r"\((?:l|r|c|left|right|cent(?:er|re)|file|pictured)\)", re.IGNORECASE)

_NAME = r"[A-Z][\w'’-]+(?:\ (?:[A-Z][\w'’-]*\.?|bin|al|el|van|von|de)){0,3}\ [A-Z][\w'’-]+"
_ROLE = re.compile(
    r"\b(?:president|premier|minister|secretary|envoy|ambassador|advis[eo]r|spokes(?:man|woman|person)|chief|director"
    r"|leader|general|governor|senator|commander|negotiator|chairman|chairwoman|chair|mayor|chancellor|king|queen|prince"
    r"|sultan|coordinator|representative|official|analyst|professor|founder|executive|head|deputy|coach|captain)\b",
    re.IGNORECASE,
)
_NAME_THEN_ROLE = re.compile(rf"{_NAME},\ .+")
_ROLE_THEN_NAME = re.compile(rf".+\ {_NAME}")
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|being|has|have|had|do|does|did|will|would|can|could|shall|should|may|might|must"
    r"|says?|said|tells?|told|asks?|asked|warns?|warned|calls?|called|takes?|took|makes?|made|meets?|met|wants?|wanted"
    r"|heads|leads|led|vows?|urges?|denies|rejects?|visits?|visited|gets?|got|goes|went|comes|came|gives?|gave|how|why)\b",
    re.IGNORECASE,
)


def is_terminated(line: str) -> bool:
    """Whether the line ends like a sentence."""
    return _TERMINATED.search(line[-40:]) is not None


def is_boilerplate(line: str) -> bool:
    """Whether a line that stands alone is page furniture, a credit, or a caption that says it is one."""
    if len(line) > _MAX_LINE:
        return False
    lower = line.lower()
    if lower.rstrip(". ").endswith("all rights reserved") or any(
        pattern.fullmatch(line) for pattern in (_FURNITURE, _SHARE_BAR, _CREDIT)
    ):
        return True
    pictured = _IN_THIS_PICTURE.search(line) if "in this " in lower else None
    return pictured is not None and not _SENTENCE_BREAK.search(line, 0, pictured.start())


def is_caption(line: str) -> bool:
    """Whether a line between paragraphs only names a person and an office, as captions do.

    Such a line has no full stop and no verb: "Jane Roe, the prime minister's senior adviser",
    "UN envoy for Yemen Jane Roe".
    """
    if len(line) > 160 or is_terminated(line) or line.endswith((":", ",", ";")):
        return False
    if _POSITION_MARK.search(line):
        return True
    if _VERB.search(line) or not _ROLE.search(line):
        return False
    return bool(_NAME_THEN_ROLE.fullmatch(line)) or (
        len(line.split()) <= 12 and not line.istitle() and bool(_ROLE_THEN_NAME.fullmatch(line))
    )


def strip_glued_source_link(text: str) -> str:
    """The text without a "Source link" that a scraper glued to its last sentence."""
    return re.sub(r"(?<=[.!?\"'”’)])\s{0,4}source link\W{0,4}$", "", text, flags=re.IGNORECASE)
