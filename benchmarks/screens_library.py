"""What the pictures of the page show beside seeds/: articles that are hard to draw, and answers that are rare."""

from __future__ import annotations

from rag.engine import LocalEngine
from rag.records import Answer, Article, Claim, Excerpt, Note, Quote, Source

_FILLER = (
    "The council of Brannöy spoke of the quay, the lamps and the price of paint, and put all three off until autumn. "
)
_LONG = (
    "Ferry of Brannöy carries more bicycles than cars for the first time since the timetable of 1958, "
    "says the Inselverkehrsfahrgastbeförderungsgesellschaft, which had expected the opposite, and asks the council "
    "to pay for a second bicycle deck before the summer after next"
)

ARTICLES: list[dict[str, str]] = [
    {
        "id": "bicycles",
        "title": _LONG,
        "publisher": "The Brannöy Evening Messenger and Harbour Advertiser",
        "published": "2025-09-02",
        "url": "https://messenger.example/islands/brannoy/2025/09/02/" + "bicycles-and-cars-" * 6 + "8841",
        "text": f"{_FILLER * 6}\n\n"
        "The ferry of Brannöy carried 48,210 bicycles in the summer of 2025, the company said. "
        f"It carried 47,900 cars.\n\n{_FILLER * 30}",
    },
    {
        "id": "bicycles-again",
        "title": "Bicycles on the ferry",
        "publisher": "Island Radio",
        "published": "2025-09-04",
        "text": "Island Radio counted too: the ferry of Brannöy carried about 48,000 bicycles in the summer of 2025.",
    },
    {
        "id": "bridge",
        "title": "افتتاح الجسر الجديد فوق نهر الزهراء بعد ست سنوات من العمل",
        "publisher": "صحيفة الميناء",
        "published": "2025-04-12",
        "text": "افتتح الجسر الجديد فوق نهر الزهراء يوم السبت 12 أبريل 2025. "
        "قال رئيس البلدية إن العمل استغرق ست سنوات. ويبلغ طول الجسر الجديد 840 مترا، وهو مفتوح للسيارات والمشاة.",
    },
    {
        "id": "undated",
        "title": "How the lamps of Brannöy are lit",
        "text": "The lamps of Brannöy are lit by hand. Two keepers walk the quay every evening.",
    },
]


def older() -> list[str]:
    """Titles of conversations of other days, the oldest first."""
    return [
        "متى افتتح الجسر الجديد؟",
        "Who headed the American delegation in Muscat, and who headed the Iranian one in the same talks?",
        "Red Sea shipping",
        "How many strikes were there?",
    ]


def disagreeing(engine: LocalEngine) -> Answer:
    """A written answer whose sources disagree, with a claim that says more than its quotes."""
    articles = {article.title: engine.article(article.id) for article in engine.articles()}
    seoul = next(article for title, article in articles.items() if "$7 billion" in title)
    qatar = next(article for title, article in articles.items() if "$6 billion" in title)
    first, second = (
        "the newspaper put the frozen sum at $7 billion",
        "about $6 billion in Iranian oil revenue had arrived",
    )
    claims = (
        Claim("In May 2023 the money frozen in South Korea was put at $7 billion.", (_quote(1, seoul, first),)),
        Claim(
            "When it reached Qatar in September, it was about $6 billion; the rest was lost to the exchange rate.",
            (_quote(2, qatar, second),),
            ("Not found in the quotes: the exchange rate",),
        ),
    )
    told = "$7 billion in a report of 31 May 2023, about $6 billion in one of 19 September 2023; both are shown."
    return _written(
        "How much Iranian money was frozen in South Korea?",
        claims,
        (_source(1, seoul, first), _source(2, qatar, second)),
        (Note("conflict", told, (1, 2)),),
    )


def crowded(engine: LocalEngine, sources: int = 200) -> Answer:
    """An answer of eight claims that rest on this many sources."""
    listed = [engine.article(article.id) for article in engine.articles()]
    many = [listed[n % len(listed)] for n in range(sources)]
    openings = [article.text.partition(".")[0] + "." for article in many]
    each = sources // 8
    claims = tuple(
        Claim(
            openings[n * each],
            tuple(_quote(k + 1, many[k], openings[k]) for k in range(n * each, (n + 1) * each)),
        )
        for n in range(8)
    )
    numbered = tuple(_source(n + 1, article, openings[n]) for n, article in enumerate(many))
    return _written("What do all the articles say?", claims, numbered, ())


def _written(question: str, claims: tuple[Claim, ...], sources: tuple[Source, ...], notes: tuple[Note, ...]) -> Answer:
    return Answer(
        id=f"made-up-{len(sources)}",
        question=question,
        asked_as=question,
        verdict="answered",
        mode="written",
        degraded=None,
        text=" ".join(claim.text for claim in claims),
        claims=claims,
        sources=sources,
        notes=notes,
        as_of=max(source.published or "" for source in sources),
        model="example-model",
    )


def _quote(number: int, article: Article, words: str) -> Quote:
    start = article.text.index(words)
    return Quote(number, article.id, start, start + len(words), words)


def _source(number: int, article: Article, words: str) -> Source:
    start = article.text.index(words)
    excerpt = Excerpt(start, start + len(words), words)
    return Source(
        number, article.id, article.version, article.title, article.publisher, article.day, article.url, excerpt
    )
