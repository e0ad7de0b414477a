"""Stand-ins for what the tests cannot have for real, and short ways to build records."""

from __future__ import annotations

from rag.records import Article, Hit, Passage


def hit(
    text: str,
    *,
    before: str = "",
    after: str = "",
    id: str = "a1",
    title: str = "A title",
    publisher: str | None = "The Paper",
    published: str | None = "2024-01-14",
) -> Hit:
    """A hit whose passage is `text`, in an article that goes on before and after it."""
    article = Article(id, 1, title, before + text + after, publisher=publisher, published=published)
    passage = Passage(f"{id}-0", id, 1, 0, len(before), len(before) + len(text), text)
    return Hit(passage, article, 1.0)
