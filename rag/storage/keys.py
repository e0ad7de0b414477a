"""The forms in which texts, publishers and articles are compared."""

from __future__ import annotations

import hashlib

# Begins the address of an article that is known by nothing but its text.
TEXT_ADDRESS = "text:"


def input_text(title: str, passage: str) -> str:
    """What is embedded for a passage: the title in front helps retrieval."""
    return f"{title}\n{passage}"


def input_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def publisher_key(publisher: str | None) -> str | None:
    """The form in which publishers are compared: case and outer white space do not matter."""
    return publisher.strip().casefold() or None if publisher else None


def text_digest(text: str) -> str:
    """Identity of a text: the same words in the same case-folded order, whatever the white space."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass")).hexdigest()


def new_article_id(source: str, digest: str) -> str:
    return hashlib.sha256(f"{source}\n{digest}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
