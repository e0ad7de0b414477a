"""What the reader is trained on is what it is given later: the same tokens, the same types, the same places."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from benchmarks import squad
from benchmarks.reader_training import examples
from benchmarks.reader_training.data import RawSource
from benchmarks.reader_training.examples import Sampler, pair, tokens
from benchmarks.reader_training.export import LONGEST, export
from rag.models.bert import build_reader_graph
from rag.models.reader import GRAPH, TOKENIZER, LocalReader
from rag.records import Span
from tests.models.test_reader import ODD, QUESTION, TEXT, TITLE, random_weights
from tests.models.tiny_bert import described


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "weights"
    export(described(), random_weights(described()), folder, "fp32")
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


class Recording:
    """A session that also keeps what it was given."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.given: dict[str, Any] = {}

    def run(self, outputs: None, inputs: dict[str, Any]) -> Any:
        self.given = inputs
        return self.session.run(outputs, inputs)


@pytest.fixture
def reader(folder: Path, monkeypatch: pytest.MonkeyPatch) -> LocalReader:
    reader = LocalReader(folder, threads=1)
    monkeypatch.setattr(reader, "_session", Recording(reader._session))
    return reader


def given(reader: LocalReader, question: str, title: str, text: str) -> tuple[list[int], list[int]]:
    reader.read(question, [(title, text)])
    inputs = reader._session.given
    return inputs["input_ids"][0].tolist(), inputs["token_type_ids"][0].tolist()


@pytest.mark.parametrize("text", [TEXT, ODD, TEXT * 8, "x"])
@pytest.mark.parametrize("title", [TITLE, "Zoë_&_Söhne, 1973", ""])
@pytest.mark.parametrize("question", [QUESTION, "who paid", "Où est 港?"])
def test_reader_is_given_the_sequence_it_learned(
    reader: LocalReader, tokenizer: Tokenizer, question: str, title: str, text: str
) -> None:
    passage = tokens(tokenizer, text)
    named = tokens(tokenizer, f"{title} .").ids if title else []
    learned = pair(tokens(tokenizer, question).ids, named, passage, range(len(passage.ids)), ())
    types = [0] * learned.second + [1] * (len(learned.ids) - learned.second)
    assert len(learned.ids) <= examples.LONGEST
    assert given(reader, question, title, text) == (learned.ids, types)


@pytest.mark.parametrize("answer", ["22:40", "weekdays. In summer", "The last ferry", "not."])
def test_tokens_of_an_answer_are_the_places_that_slice_it(
    reader: LocalReader, tokenizer: Tokenizer, answer: str
) -> None:
    span = Span(TEXT.index(answer), TEXT.index(answer) + len(answer))
    passage = tokens(tokenizer, TEXT)
    named = tokens(tokenizer, f"{TITLE} .").ids
    learned = pair(tokens(tokenizer, QUESTION).ids, named, passage, range(len(passage.ids)), (span,))
    (reading,) = reader.read(QUESTION, [(TITLE, TEXT)])
    first, last = (reading.places[token - learned.body] for (token,) in (learned.starts, learned.ends))
    assert TEXT[first[0] : last[1]] == answer


def test_an_answer_outside_the_window_is_none(tokenizer: Tokenizer) -> None:
    passage = tokens(tokenizer, TEXT)
    inside, outside = Span(0, 8), Span(len(TEXT) - 4, len(TEXT))
    window = range(0, 6)
    assert pair([7], [], passage, window, (outside,)).starts == []
    both = pair([7], [8, 9], passage, window, (inside, outside))
    assert (both.starts, both.ends) == ([5], [6])
    assert both.ids == [101, 7, 102, 8, 9, *passage.ids[:6], 102]
    assert passage.ids[3:6] == pair([7], [], passage, range(3, 6), ()).ids[3:-1]


def test_exported_graph_is_in_int8_and_takes_the_longest_sequence(reader: LocalReader, tmp_path: Path) -> None:
    written = export(described(), random_weights(described()), tmp_path / "new" / "weights")
    assert written == tmp_path / "new" / "weights" / GRAPH
    assert written.read_bytes() == build_reader_graph(described(), random_weights(described()), "int8")
    ids, _ = given(reader, QUESTION, TITLE, TEXT * 30)
    assert len(ids) == LONGEST
    (reading,) = LocalReader(written.parent).read(QUESTION, [(TITLE, TEXT * 30)])
    assert np.isfinite(reading.starts).all()


@pytest.fixture(scope="module")
def material() -> RawSource:
    if not squad.present():
        pytest.skip("SQuAD does not stand beside the project")
    return RawSource()


def test_nothing_is_learned_from_held_out_titles(material: RawSource) -> None:
    titles = {material.passages[example.passage].title for example in material.examples}
    assert titles
    assert not titles & squad.held_out()
    for number in range(0, len(material.examples), 200):
        negatives = material.negatives(number)
        assert not {material.passages[negative].title for negative in negatives} & squad.held_out()
        assert material.examples[number].passage not in negatives


def test_a_passage_that_holds_the_answer_is_no_negative(material: RawSource) -> None:
    for number, example in enumerate(material.examples[:2000:50]):
        own = material.passages[example.passage].text
        answers = [own[place.start : place.end].lower() for place in example.answers]
        for negative in material.negatives(number * 50):
            assert not any(answer in material.passages[negative].text.lower() for answer in answers)


def test_draws_are_the_same_for_a_seed_and_fit_the_limits(material: RawSource, tokenizer: Tokenizer) -> None:
    draws = [list(islice(Sampler(material, tokenizer, seed).epoch(), 8)) for seed in (7, 7, 8)]
    assert draws[0] == draws[1] != draws[2]
    groups = [group for batch in draws[0] for group in batch]
    assert len(groups) == 8 * examples.QUESTIONS_AT_ONCE
    assert {len(group) for group in groups} == {1, 2}
    for one in (one for group in groups for one in group):
        assert len(one.ids) <= examples.LONGEST
        assert all(one.body <= token < len(one.ids) - 1 for token in one.starts + one.ends)
