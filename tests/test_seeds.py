"""The seeds are complete, our own words, and hold what their questions ask for."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
QUESTIONS = ROOT / "tests" / "journeys"
SEEDS = sorted((ROOT / "seeds").iterdir())
SHINGLE = 8  # words in a row that count as copied

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="needs the article corpus in ../shared/corpus")
every_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)


def parts(seed: Path) -> tuple[dict[str, Any], str]:
    """Front matter and body; fails where a seed does not open with a closed block."""
    opening, front, body = seed.read_text(encoding="utf-8").split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(front), body


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}


def questions(name: str) -> list[dict[str, Any]]:
    lines = (QUESTIONS / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def answers_missing_from(texts: list[str], asked: list[dict[str, Any]]) -> list[str]:
    folded = [text.casefold() for text in texts]
    expected = [answer for item in asked for answer in item["answers"] or []]
    return [answer for answer in expected if not any(answer.casefold() in text for text in folded)]


def test_six_to_ten_markdown_files_and_nothing_else() -> None:
    assert 6 <= len(SEEDS) <= 10
    assert {seed.suffix for seed in SEEDS} == {".md"}


@every_seed
def test_front_matter_is_complete(seed: Path) -> None:
    front, _ = parts(seed)
    assert set(front) == {"title", "publisher", "published", "authors", "provenance"}
    assert isinstance(front["title"], str)
    assert front["title"]
    assert front["publisher"] == "Dateline seeds"
    assert front["authors"] == ["Dateline"]
    assert front["provenance"]
    assert all(isinstance(line, str) for line in front["provenance"])


@every_seed
def test_published_is_a_day_that_the_file_name_repeats(seed: Path) -> None:
    published = parts(seed)[0]["published"]
    assert type(published) is date
    assert date(2023, 1, 1) <= published <= date.today()
    assert seed.name.startswith(f"{published.isoformat()}-")


@every_seed
def test_body_is_an_article_of_plain_paragraphs(seed: Path) -> None:
    _, body = parts(seed)
    assert 200 <= len(body.split()) <= 420
    assert not re.search(r"https?://|[*_#\[\]<>]", body)


@needs_corpus
@every_seed
def test_nothing_is_copied_from_the_corpus(seed: Path) -> None:
    front, body = parts(seed)
    copied = set().union(*(shingles(path.read_text(encoding="utf-8")) for path in CORPUS.glob("*.txt")))
    assert copied
    assert shingles(f"{front['title']}\n{body}") & copied == set()


@pytest.mark.parametrize(
    ("name", "answerable", "unanswerable"), [("questions_seeds.jsonl", 40, 15), ("questions_corpus.jsonl", 25, 12)]
)
def test_questions_have_the_shape_the_evaluation_reads(name: str, answerable: int, unanswerable: int) -> None:
    asked = questions(name)
    assert all(set(item) == {"question", "answers"} and item["question"].strip() for item in asked)
    assert len({item["question"].casefold() for item in asked}) == len(asked)
    assert sum(item["answers"] is None for item in asked) == unanswerable
    assert sum(bool(item["answers"]) for item in asked) == answerable


def test_every_expected_answer_stands_in_a_seed() -> None:
    assert answers_missing_from([parts(seed)[1] for seed in SEEDS], questions("questions_seeds.jsonl")) == []


@needs_corpus
def test_every_expected_answer_stands_in_the_corpus() -> None:
    texts = [path.read_text(encoding="utf-8") for path in CORPUS.glob("*.txt")]
    assert answers_missing_from(texts, questions("questions_corpus.jsonl")) == []
