"""The nouns of the engine: frozen records without any I/O.

Offsets are counted in Unicode code points and are half open, so that for every record with a
`start`, an `end` and a `text`, `article.text[start:end] == text`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Role = Literal["user", "assistant"]
Mode = Literal["auto", "written", "quotes"]
Verdict = Literal["answered", "no_evidence"]
NoteKind = Literal["conflict", "stale", "undated", "filtered"]
IngestStatus = Literal["added", "updated", "unchanged", "duplicate"]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """An article as it was read and cleaned, before the library has seen it.

    `source` is the identity that makes a second ingest of the same thing an update: a file's URI, a
    web address, or `id:...` for a dump line that names itself. None means that the text itself is the
    identity (a paste, an upload).
    """

    text: str
    title: str
    source: str | None = None
    id: str | None = None
    publisher: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None  # ISO 8601, a date or a date with time
    published_from: str | None = None  # where the date was found: "front matter", "meta", ...
    url: str | None = None
    warnings: tuple[str, ...] = ()
    fingerprint: str | None = None  # of the bytes it was read from: the same bytes need not be read again


@dataclass(frozen=True, slots=True)
class Article:
    """One version of a stored article; `version` counts from 1."""

    id: str
    version: int
    title: str
    text: str
    publisher: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    published_from: str | None = None
    url: str | None = None
    addresses: tuple[str, ...] = ()

    @property
    def day(self) -> str | None:
        """The publication date without the time of day, `YYYY-MM-DD`."""
        return self.published[:10] if self.published else None


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """A line of the article list."""

    id: str
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    passages: int
    version: int = 1


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences of one article version: what is indexed, retrieved and shown to a writer."""

    id: str
    article_id: str
    version: int
    ordinal: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage with its article; scores are in [0, 1], the best first.

    `cosine` is the similarity of the passage to the query, in [-1, 1], or None if the dense index did
    not return it.
    """

    passage: Passage
    article: Article
    score: float
    lexical: float = 0.0
    dense: float = 0.0
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is narrowed to. Both dates are inclusive."""

    since: date | None = None
    until: date | None = None
    publishers: tuple[str, ...] = ()

    @property
    def dated(self) -> bool:
        return self.since is not None or self.until is not None

    def __bool__(self) -> bool:
        return self.dated or bool(self.publishers)


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, with everything that narrows it."""

    text: str
    history: tuple[Message, ...] = ()
    filters: Filters = Filters()
    all_dates: bool = False
    mode: Mode = "auto"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A located quote before its source has a number: a slice of the article of one hit."""

    hit: Hit
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.hit.article.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class UncitedClaim:
    """A claim before its sources are numbered: one sentence and the slices it rests on."""

    text: str
    evidence: tuple[Evidence, ...]
    flags: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()  # addresses (or titles) of other articles that say it in the same words


@dataclass(frozen=True, slots=True)
class Quote:
    source: int
    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    quotes: tuple[Quote, ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Excerpt:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """A quoted article; `version` is the version that was quoted, `copies` are the addresses (or titles) under
    which its words stand elsewhere: one report, not several."""

    number: int
    article_id: str
    version: int
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    excerpt: Excerpt
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader must know to judge an answer. `widens` says that asking over all dates includes what it tells
    of."""

    kind: NoteKind
    text: str
    sources: tuple[int, ...] = ()
    widens: bool = False


@dataclass(frozen=True, slots=True)
class Closest:
    """A passage offered as "closest, but not an answer", of one version of its article."""

    article_id: str
    title: str
    start: int
    end: int
    text: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall time in milliseconds."""

    search: int = 0
    write: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What every face renders; its JSON form is the contract of the HTTP API."""

    id: str
    question: str
    asked_as: str
    verdict: Verdict
    mode: Literal["written", "quotes"]
    degraded: str | None
    text: str
    claims: tuple[Claim, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[Note, ...] = ()
    closest: tuple[Closest, ...] = ()
    as_of: str | None = None
    model: str | None = None
    timings_ms: Timings = Timings()
    # Calibrated probability that the best sentence found answers the question; None where it was not estimated.
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class SourcesShown:
    """All sources known so far, with final numbers; precedes the first claim that needs them."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ClaimShown:
    claim: Claim


@dataclass(frozen=True, slots=True)
class Reset:
    """Takes back all that was shown: the writer failed midway, quotes follow."""

    degraded: str


@dataclass(frozen=True, slots=True)
class Done:
    answer: Answer


Event = SourcesShown | ClaimShown | Reset | Done


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A passage as a search returns it."""

    article_id: str
    start: int
    end: int
    text: str
    score: float
    title: str
    published: str | None


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What became of one draft."""

    id: str
    status: IngestStatus
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be taken in, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    failed: tuple[Failure, ...] = ()
    warnings: tuple[Failure, ...] = ()
    passages: int = 0
    seconds: float = 0.0

    @property
    def taken(self) -> int:
        """Articles that are in the library after the run."""
        return self.added + self.updated + self.unchanged + self.duplicate


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `rag doctor`."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    checks: tuple[Check, ...] = field(default_factory=tuple)

    @property
    def sound(self) -> bool:
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it is listed. `filters` narrow its questions; a shared one may be read by whoever has its
    id; `updated` is ISO 8601, in UTC."""

    id: str
    title: str
    updated: str
    filters: Filters = Filters()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """One question of a conversation with its answer, which is None if it was stopped or failed. `key` is unique
    in the conversation; `problem` is the sentence that stood in for an answer. `filters` narrowed it."""

    key: str
    question: str
    answer: Answer | None = None
    problem: str | None = None
    filters: Filters = Filters()


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader thought of an answer. `expected` are words that the right answer holds, where they gave any;
    `settings` are those that the answer was made with, by name; `given` is ISO 8601, in UTC."""

    id: str
    answer: Answer
    history: tuple[Message, ...]
    good: bool
    comment: str = ""
    expected: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    face: Literal["page", "slack"] = "page"
    given: str = ""
