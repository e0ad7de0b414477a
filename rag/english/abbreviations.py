"""Words that decide whether a period ends a sentence, in lower case and without their last period."""

from __future__ import annotations


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Always followed by a name.
TITLES = _words(
    """mr mrs ms mx dr prof gen lt sgt col capt cpl pvt maj adm cmdr brig sen rep gov pres amb hon rev fr
    st messrs mme mlle supt insp det atty rt"""
)

NEVER_LAST = _words("vs v eg e.g ie i.e cf viz approx ca al aka incl")

# Abbreviations only in front of a number: "No. 5", "Jan. 6", "p. 12".
BEFORE_NUMBERS = _words("""no nos p pp art sec fig figs ch vol para jan feb mar apr jun jul aug sep sept oct nov dec""")

CLOCK = _words("a.m p.m")
AFTER_CLOCK = _words(
    """gmt utc bst cet cest est edt et cst cdt ct mst mdt mt pst pdt pt ist jst eastern central mountain pacific
    local monday tuesday wednesday thursday friday saturday sunday"""
)

# They end a sentence only when the next word is one that often opens one.
SOMETIMES_LAST = _words(
    """inc corp ltd co cos llc bros assn assoc dept univ intl natl jr sr esq ave blvd rd mt ft
    ala ariz ark calif colo conn del fla ga ill ind kan ky la mass md mich minn miss mo mont neb nev okla ore pa
    tenn tex va vt wash wis wyo ph.d"""
)

# Not here: words that also open names ("U.S. Under Secretary", "U.S. First Lady", "U.S. Open").
STARTERS = _words(
    """a according after afterwards against although also amid an and another any as at authorities because before
    beyond but by despite during each earlier either even every few following for from given he her here his how
    however i if in instead it its just later many meanwhile moreover much my nearly neither nevertheless no nobody
    none nor nothing now on our perhaps reporters several she since so some sources speaking such that the their then
    there therefore these they this those though through thus to today together tomorrow until we what when where
    whether which while who whoever why with within without yesterday yet you your"""
)
