"""Proper names of a claim that its quotes do not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.english.names import group, name_forms, name_words
from rag.english.words import WORD, fold, is_stop_word
from rag.records import Evidence

__all__ = ["names_missing"]

# Seats of government stand for their countries ("Tehran said"), but not after a word of place ("in Tehran").
_CAPITALS = frozenset(
    """washington london brussels tehran baghdad jerusalem muscat doha riyadh damascus sanaa beirut cairo ankara
    moscow kremlin kyiv kiev beijing tokyo seoul delhi islamabad kabul paris berlin rome madrid""".split()  # noqa: SIM905
)
_PLACE_BEFORE = frozenset("in at near from to outside around across through via".split())  # noqa: SIM905
_TITLES = frozenset(
    """mr mrs ms dr sir president vice prime minister foreign secretary general gen lt col king queen prince princess
    crown sheikh sultan senator sen representative rep governor gov chancellor ambassador envoy spokesman
    spokeswoman spokesperson chief chairman chairwoman judge justice professor prof pope ayatollah leader supreme
    deputy former captain defence defense state interior finance treasury house parliament congress government
    ministry army navy officials""".split()  # noqa: SIM905
)
_TIMES = frozenset(
    """january february march april may june july august september october november december jan feb mar apr jun jul
    aug sept sep oct nov dec monday tuesday wednesday thursday friday saturday sunday gmt utc am pm""".split()  # noqa: SIM905
)
_SPEAKS = re.compile(
    r"\s+(?:said|says|told|asked|demanded|warned|argued|insisted|added|called|met|rejected|accused|denied|announced"
    r"|confirmed|wrote|replied|agreed|refused|signed|visited|arrived|resigned|won|led|left|fired|sent|launched|attacked"
    r"|released|paid|offered|threatened|promised|pledged|vowed|urged)\b"
)
_PLAIN_SPEAKERS = re.compile(
    r"(?:s|ing|ed|ly|ment|tion|ity|ness|ship|one|body|thing|ism|ist|ician)$"
    r"|^(?:police|cabinet|court|staff|crew|crowd|family|church|industry|opposition|tribunal|workforce|jury|regulator)$"
)
_OPENS = re.compile(r"(?:^\W*|[:.!?;—–]\W*|[“\"‘(]\s*)$")
_OPENERS = frozenset("senior top key new old major former many most big rich poor".split())  # noqa: SIM905
_DESCRIBES = re.compile(r"(?:ent|ant|ing|ed|al|ous|ive|ful|ary|ern|ic|ble)$")
_LONG_NAME = re.compile(r"[A-Z][\w.’'-]*(?:\s+(?:(?:of|for|and|the|on)\s+){0,2}[A-Z][\w’'-]*)+")
_UNIONS = re.compile(r"\b(?:United States(?: of America)?|United Kingdom|Great Britain|European Union)\b")
_UNION_GROUPS = frozenset({"us", "uk", "eu"})
_ARTICLE_CHARS = 200_000  # of an article that are searched for a name


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    before: str  # the word before it, folded

    @property
    def folded(self) -> str:
        return fold(self.text).removesuffix("'s")

    @property
    def is_acronym(self) -> bool:
        plain = self.text.replace(".", "").removesuffix("s")
        return len(plain) > 1 and plain.isupper() and plain.isalpha()


def names_missing(claim: str, evidence: tuple[Evidence, ...]) -> Iterator[tuple[int, str]]:
    """Offsets and texts of the names of a claim that stand neither in the quotes nor in title or publisher."""
    quoted = _Quoted(evidence)
    words = WORD.findall(claim)
    if len(words) > 4 and sum(word[0].isupper() for word in words) > 0.7 * len(words):
        return  # capitals tell nothing in a headline
    spelt_out = [match.span() for match in _LONG_NAME.finditer(claim) if _initials(match.group()) in quoted.acronyms]
    spelt_out.extend(match.span() for match in _UNIONS.finditer(claim) if quoted.has_union(match.group()))
    for run in _runs(claim):
        first, last = run[0], run[-1]
        if not any(start <= first.start and last.end <= end for start, end in spelt_out):
            text = quoted.lacking(claim, run)
            if text:
                yield text


class _Quoted:
    """The names of some quotes and of the titles and publishers of their articles."""

    def __init__(self, evidence: tuple[Evidence, ...]) -> None:
        articles = {part.hit.article.id: part.hit.article for part in evidence}.values()
        said = [part.text for part in evidence]
        said.extend(text for article in articles for text in (article.title, article.publisher or ""))
        text = re.sub(r"\bus\b", " ", " \n ".join(said))  # "us" is no country
        self._texts = [article.text[:_ARTICLE_CHARS] for article in articles]
        self._words = name_words(text)
        self._plain = frozenset(fold(match.group()).removesuffix("'s") for match in WORD.finditer(text))
        self.acronyms = {w.replace(".", "") for w in re.findall(r"\b(?:[A-Z]\.?){2,}", text)}
        self._initials = {i for match in _LONG_NAME.finditer(text) for i in _all_initials(match.group())}

    def lacking(self, claim: str, run: list[_Word]) -> tuple[int, str] | None:
        """Offset and text of the name that a run of capitalised words is, if it does not stand here."""
        first, last = run[0], run[-1]
        if _OPENS.search(claim[: first.start]):  # what opens a sentence has a capital in any case
            if len(run) == 1 and not self.is_name_elsewhere(claim, first):
                return None
            if len(run) > 1 and (first.folded in _OPENERS or _DESCRIBES.search(first.folded)):
                run, first = run[1:], run[1]
        if all(self.has(word) for word in run):
            return None
        text = claim[first.start : last.end].removesuffix("'s").removesuffix("’s")
        if len(run) > 1 and self.has(last) and self.article_has(text):
            return None  # "Brett McGurk" of "McGurk", whom the article calls so
        return first.start, text

    def has(self, word: _Word) -> bool:
        folded = word.folded
        if folded in self._plain and not (word.is_acronym and is_stop_word(folded)):
            return True
        plain = word.text.replace(".", "").removesuffix("’s").removesuffix("'s")
        if word.is_acronym and (plain in self.acronyms or plain in self._initials):
            return True
        known = group(folded)
        if folded in _CAPITALS:
            return word.before not in _PLACE_BEFORE and known in self._words
        if known in self._words:
            return True
        return not name_forms(folded).isdisjoint(self._plain)

    def has_union(self, name: str) -> bool:
        """Whether "the United States" stand there under one of their names."""
        return bool({group(word) for word in name_words(name)} & _UNION_GROUPS & self._words)

    def article_has(self, text: str) -> bool:
        """Whether a name stands in one of the articles as it is written."""
        return any(text in article for article in self._texts)

    def is_name_elsewhere(self, claim: str, word: _Word) -> bool:
        """Whether the first word of a claim is a name: by the articles, by being a land, by what follows it."""
        if word.folded != group(word.folded) or word.folded in _UNION_GROUPS or word.is_acronym:
            return True
        bare = word.text.removesuffix("'s").removesuffix("’s")
        if any(re.search(rf"[a-z,] {re.escape(bare)}\b", article) for article in self._texts):
            return True
        if any(re.search(rf"\b{re.escape(bare.lower())}\b", article) for article in self._texts):
            return False
        speaks = word.text != bare or bool(_SPEAKS.match(claim, word.end))
        return speaks and not _PLAIN_SPEAKERS.search(word.folded)


def _runs(claim: str) -> Iterator[list[_Word]]:
    """Capitalised words that stand together, each run without the titles before it."""
    run: list[_Word] = []
    before = ""
    end = 0
    for match in WORD.finditer(claim):
        text = match.group()
        word = _Word(text, match.start(), match.end(), fold(before))
        if run and (claim[end : match.start()] not in (" ", "-", ". ") or run[-1].text.endswith(("'s", "’s"))):
            yield run
            run = []
        if _is_name(word):
            run.append(word if not run else _Word(text, word.start, word.end, run[0].before))
        elif run:
            yield run
            run = []
        before, end = text, match.end()
    if run:
        yield run


def _is_name(word: _Word) -> bool:
    if not word.text[0].isupper() or word.folded in _TIMES | _TITLES:
        return False
    return not (is_stop_word(word.text) or word.folded == "i")


def _initials(name: str) -> str:
    return "".join(word[0] for word in re.findall(r"[A-Z]\w*", name))


def _all_initials(name: str) -> set[str]:
    """Initials of every stretch of a name: "the United Nations Security Council" is also "UN"."""
    letters = _initials(name)
    return {letters[i:j] for i in range(len(letters)) for j in range(i + 2, len(letters) + 1)}
