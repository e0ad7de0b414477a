"""Verbs of news prose, by what can be asked about a sentence that has them: past form -> base form."""

from __future__ import annotations

__all__ = ["ASKED_TO", "CHANGED", "DONE", "GONE", "HARMED", "INTENDED", "INTENDS", "PARTICIPLES", "TOLD", "any_of"]


def _listed(listed: str) -> dict[str, str]:
    """`reject` is regular, `bought/buy` is written out; `_` is a space."""
    forms = (_past(word).replace("_", " ").split("/") for word in listed.split())
    return {form[0]: form[-1] for form in forms}


def _past(word: str) -> str:
    if "/" in word:
        return word
    if word.endswith("e"):
        return f"{word}d/{word}"
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ied/{word}"
    return f"{word}ed/{word}"


def any_of(verbs: dict[str, str]) -> str:
    """A pattern for one of the forms, the longest that fits."""
    return "|".join(sorted(verbs, key=len, reverse=True))


# "What did X announce?" says enough to be asked.
TOLD = _listed(
    """demand announce reject approve propose launch unveil introduce recommend condemn criticise criticize veto
    postpone cancel abandon suggest discover invent predict admit deny denounce endorse oppose outline restrict reveal
    claim question declare downgrade upgrade finalise finalize complete acquire
    pledge promise offer warned_of/warn_of called_for/call_for asked_for/ask_for
    apologised_for/apologise_for banned/ban scrapped/scrap"""
)

# With an object: "When did X open Y?", "Why did X cut Y?", "How many Y did X buy?".
DONE = TOLD | _listed(
    """open close start found establish create join host raise lift lower add hire employ kill injure wound arrest
    attack seize capture release order invest sign publish develop design produce import export receive deploy
    invade occupy visit award purchase merge replace defeat end count record score suspend expel
    deport execute evacuate rescue bought/buy sold/sell won/win lost/lose built/build
    held/hold left/leave cut/cut shot/shoot spent/spend paid/pay began/begin took/take gave/give made/make
    set_up/set_up shut/shut sent/send hit/hit beat/beat carried_out/carry_out stopped/stop dropped/drop"""
)

# Past participles, by the past form of their verb.
PARTICIPLES = {form: form for form in DONE if form not in ("began", "took", "gave", "beat")} | {
    "begun": "began",
    "taken": "took",
    "given": "gave",
    "beaten": "beat",
}

# Without an object: "Why did X resign?".
GONE = _listed(
    "resign die arrive collapse retire surrender met/meet withdrew/withdraw stepped_down/step_down quit/quit"
)

# "What did X agree to do?"
INTENDED = _listed(
    """agree decide refuse promise threaten offer pledge vow propose fail swore/swear planned/plan want intend
    hope"""
)
INTENDS = _listed("plans/plan plan/plan wants/want want/want intends/intend intend/intend hopes/hope aims/aim aim/aim")

# "What did X urge Y to do?"
ASKED_TO = _listed("urge ask order invite instruct warn advise require called_on/call_on told/tell force")

# "How much did X rise?"
CHANGED = _listed(
    """increase decline fell/fall dropped/fall plunged/fall slumped/fall tumbled/fall slipped/fall sank/fall slid/fall
    rose/rise climbed/rise jumped/rise surged/rise soared/rise gained/rise grew/grow
    risen/rise fallen/fall sunk/fall grown/grow"""
)

# What happens to people: "How many people were killed in X?".
HARMED = "killed|injured|wounded|arrested|detained|hurt|displaced|evacuated|rescued|kidnapped|infected"
