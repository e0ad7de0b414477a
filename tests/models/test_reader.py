"""The reader, as a tiny BERT with random weights against the same arithmetic in numpy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from rag.errors import EncoderError
from rag.models.bert import BertFolder, Precision, Weights, build_graph, build_reader_graph
from rag.models.local_encoder import default_weights
from rag.models.reader import GRAPH, TOKENIZER, AnswerSpan, LocalReader, Reading
from rag.records import Span
from tests.models import tiny_bert
from tests.models.tiny_bert import HIDDEN, Array, dense, described, hidden_states

HEADS = {"span": (2, HIDDEN), "answers": (1, HIDDEN)}
QUESTION = "When does the last ferry leave?"
TITLE = "News from the harbour"
TEXT = "The last ferry leaves at 22:40 on weekdays. In summer it leaves an hour later, and on Sundays it does not."
ODD = "Café Zoë 🚢 pays 1.200 € to 東京の港, says Ångström — naïve?"


def write_reader(folder: Path, precision: Precision = "fp32") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GRAPH).write_bytes(build_reader_graph(described(), random_weights(described()), precision))
    shutil.copy(default_weights() / TOKENIZER, folder / TOKENIZER)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reader(tmp_path_factory.mktemp("tiny") / "fp32")


@pytest.fixture(scope="module")
def reader(folder: Path) -> LocalReader:
    return LocalReader(folder, threads=2)


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def random_weights(folder: BertFolder) -> Weights:
    return tiny_bert.random_weights(folder, HEADS)


def numpy_reader(ids: list[int], second: int) -> tuple[Array, float]:
    """Start and end scores of every token, and the answer score; token type 1 begins at `second`."""
    weights = random_weights(described())
    hidden = hidden_states(weights, ids, second)
    return dense(weights, "span", hidden), float(dense(weights, "answers", hidden[0])[0])


def assert_same(found: Reading, expected: Reading) -> None:
    for field in ("starts", "ends", "places", "answers", "nothing"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field), err_msg=field)


@pytest.mark.parametrize("title", [TITLE, ""])
def test_scores_are_those_of_the_same_network_in_numpy(reader: LocalReader, tokenizer: Tokenizer, title: str) -> None:
    question, words = (tokenizer.encode(text, add_special_tokens=False).ids for text in (QUESTION, TEXT))
    named = tokenizer.encode(f"{title} .", add_special_tokens=False).ids if title else []
    head = [101, *question, 102]
    spans, answers = numpy_reader([*head, *named, *words, 102], len(head))
    (reading,) = reader.read(QUESTION, [(title, TEXT)])
    own = spans[len(head) + len(named) : -1]
    np.testing.assert_allclose(reading.starts, own[:, 0], atol=1e-4)
    np.testing.assert_allclose(reading.ends, own[:, 1], atol=1e-4)
    assert reading.answers == pytest.approx(answers, abs=1e-4)
    assert reading.nothing == pytest.approx(spans[0].sum(), abs=1e-4)


def test_int8_is_close_to_fp32(reader: LocalReader, tmp_path: Path) -> None:
    passages = [(TITLE, TEXT), ("", ODD), (TITLE, ODD + TEXT * 5)]
    small = LocalReader(write_reader(tmp_path, "int8"), threads=1)
    for exact, rough in zip(reader.read(QUESTION, passages), small.read(QUESTION, passages), strict=True):
        np.testing.assert_array_equal(exact.places, rough.places)
        for scores, close in ((exact.starts, rough.starts), (exact.ends, rough.ends)):
            assert np.corrcoef(scores, close)[0, 1] > 0.99
            assert np.abs(scores - close).max() < 0.15 * np.ptp(scores)
        assert exact.answers == pytest.approx(rough.answers, abs=0.3)
        assert exact.nothing == pytest.approx(rough.nothing, abs=0.3)


def test_readings_come_in_the_order_of_the_passages_and_do_not_touch_each_other(reader: LocalReader) -> None:
    passages = [(TITLE, TEXT), ("", ""), ("", ODD), (TITLE, TEXT * 9), (TITLE, TEXT)]
    readings = reader.read(QUESTION, passages)
    assert len(readings) == 5
    for passage, reading in zip(passages, readings, strict=True):
        assert_same(reading, reader.read(QUESTION, [passage])[0])
    assert reader.read(QUESTION, []) == []


def test_title_and_question_count(reader: LocalReader) -> None:
    plain, titled = reader.read(QUESTION, [("", TEXT), (TITLE, TEXT)])
    (other,) = reader.read("Who paid for the pier?", [("", TEXT)])
    assert plain.answers != titled.answers
    assert plain.answers != other.answers
    np.testing.assert_array_equal(plain.places, titled.places)


def test_places_are_the_words_of_the_passage(reader: LocalReader) -> None:
    (reading,) = reader.read(QUESTION, [(TITLE, ODD)])
    pieces = [ODD[start:end] for start, end in reading.places]
    assert "".join(pieces) == "".join(ODD.split())
    for word in ("Café", "Zoë", "🚢", "€", "東", "京", "の", "港", "—", "naïve"):
        assert word in pieces


def test_places_follow_what_the_tokenizer_drops(reader: LocalReader) -> None:
    text = "\ufeffThe\u200b pier\x00 is  closed\t—  cafe\u0301 too"
    (reading,) = reader.read(QUESTION, [("", text)])
    pieces = [text[start:end].strip("\u200b\x00\ufeff") for start, end in reading.places]
    for word in ("pier", "is", "closed", "—", "too"):
        assert word in pieces
    assert (np.diff(reading.places[:, 0]) > 0).all()


# The best answer within a span.


def made_up(count: int, seed: int = 3) -> Reading:
    """`count` tokens of four code points with a space between."""
    random = np.random.default_rng(seed)
    starts, ends = random.normal(0, 3, (2, count)).astype(np.float32)
    places = np.array([(5 * n, 5 * n + 4) for n in range(count)], np.int32).reshape(-1, 2)
    return Reading(starts, ends, places, answers=0.0, nothing=0.0)


def brute_force(reading: Reading, span: Span) -> AnswerSpan | None:
    places = [(int(start), int(end)) for start, end in reading.places]
    inside = [n for n, (start, end) in enumerate(places) if span.start <= start and end <= span.end]
    pairs = [(start, end) for start in inside for end in inside if start <= end < start + 30]
    if not pairs:
        return None
    start, end = max(pairs, key=lambda pair: reading.starts[pair[0]] + reading.ends[pair[1]])
    return AnswerSpan(float(reading.starts[start] + reading.ends[end]), Span(places[start][0], places[end][1]))


@pytest.mark.parametrize("count", [1, 2, 29, 30, 31, 80])
def test_best_is_what_trying_every_pair_finds(count: int) -> None:
    for seed in range(3):
        reading = made_up(count, seed)
        for start in range(0, 5 * count, 1 + count // 2):
            for end in (start, start + 3, start + 4, start + 40, 5 * count, 5 * count + 100):
                assert reading.best(Span(start, end)) == brute_force(reading, Span(start, end))


def test_no_answer_is_longer_than_thirty_tokens() -> None:
    reading = made_up(60)
    reading.starts[:] = reading.ends[:] = 0
    reading.starts[5] = 9
    reading.ends[[34, 35]] = 7, 8
    assert reading.best(Span(0, 300)) == AnswerSpan(16.0, Span(25, 174))
    reading.ends[34] = 0
    found = reading.best(Span(0, 300))
    assert found is not None
    assert found.score == 9


def test_no_answer_ends_before_it_starts() -> None:
    reading = made_up(10)
    reading.starts[:] = reading.ends[:] = -5
    reading.starts[7], reading.ends[2] = 9, 9
    found = reading.best(Span(0, 50))
    assert found is not None
    assert found.span.start < found.span.end
    assert found.score == 4


@pytest.mark.parametrize("span", [Span(50, 80), Span(-9, 0), Span(1, 4), Span(20, 20), Span(30, 10)])
def test_stretch_that_holds_no_whole_token_has_no_best(span: Span) -> None:
    assert made_up(10).best(span) is None


def test_best_of_a_real_reading_is_cut_from_the_sentence(reader: LocalReader) -> None:
    (reading,) = reader.read(QUESTION, [(TITLE, TEXT)])
    second = Span(TEXT.index("In summer"), len(TEXT))
    found = reading.best(second)
    assert found == brute_force(reading, second)
    assert found is not None
    assert second.start <= found.span.start < found.span.end <= second.end
    assert TEXT[found.span.start : found.span.end].strip() == TEXT[found.span.start : found.span.end]


# Text as it comes.


def test_long_passage_is_read_as_far_as_it_fits(reader: LocalReader) -> None:
    short, long = reader.read(QUESTION, [(TITLE, TEXT * 20), (TITLE, TEXT * 21)])
    assert_same(short, long)
    assert 330 < len(short.starts) < 384
    far = len(TEXT) * 19
    assert short.best(Span(far, far + len(TEXT))) is None


def test_long_question_and_long_title_leave_room_for_the_passage(reader: LocalReader) -> None:
    question, title = "when and where and why " * 300, "harbour " * 900
    (reading,) = reader.read(question, [(title, TEXT * 20)])
    (same,) = reader.read(question + "at all", [(title + "news", TEXT * 20)])
    assert_same(reading, same)
    assert len(reading.starts) > 200
    assert TEXT.startswith(TEXT[slice(*reading.places[0])])


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b"])
def test_passage_without_words_has_scores_but_no_place(reader: LocalReader, text: str) -> None:
    (reading,) = reader.read(QUESTION, [(TITLE, text)])
    assert reading.starts.shape == reading.ends.shape == (0,)
    assert reading.places.shape == (0, 2)
    assert np.isfinite([reading.answers, reading.nothing]).all()
    assert reading.best(Span(0, 10)) is None


def test_empty_question_is_read(reader: LocalReader) -> None:
    (reading,) = reader.read("", [("", TEXT)])
    assert np.isfinite(reading.starts).all()
    assert len(reading.starts) == len(reading.places) > 20


def test_undecodable_bytes_keep_the_places(reader: LocalReader) -> None:
    passages = [("caf\udce9", "The caf\udce9 🚢 closed"), ("caf?", "The caf? 🚢 closed")]
    broken, plain = reader.read("caf\udce9 closed?", passages)
    assert_same(broken, plain)
    assert passages[0][1][slice(*broken.places[-1])] == "closed"


def test_threads_that_share_a_reader_agree(reader: LocalReader) -> None:
    passages = [(f"Pier {n}", f"Ship {n} sailed at {n}:30 with {n * 7} sacks. {TEXT}") for n in range(12)]
    expected = reader.read(QUESTION, passages)
    with ThreadPoolExecutor(6) as pool:
        for readings in pool.map(lambda _: reader.read(QUESTION, passages), range(6)):
            for found, one in zip(readings, expected, strict=True):
                assert_same(found, one)


# Files.

GARBAGE: list[Callable[[bytes], bytes]] = [
    lambda _: b"",
    lambda _: b"no such thing",
    lambda data: data[: len(data) // 2],
]


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_missing_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / name).unlink()
    assert_one_line_naming(broken, name)


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
@pytest.mark.parametrize("damage", GARBAGE, ids=["empty", "garbage", "torn"])
def test_damaged_file_is_named(folder: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / name).write_bytes(damage((broken / name).read_bytes()))
    assert_one_line_naming(broken, name)


def test_tokenizer_file_that_is_other_json_is_named(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / TOKENIZER).write_text('{"model": {"type": "Abacus"}}')
    assert_one_line_naming(broken, TOKENIZER)


def test_graph_of_an_encoder_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / GRAPH).write_bytes(build_graph(described(), random_weights(described()), "fp32"))
    with pytest.raises(EncoderError):
        LocalReader(broken).read(QUESTION, [(TITLE, TEXT)])


@pytest.mark.parametrize("name", ["span.weight", "answers.bias", "encoder.layer.1.output.dense.weight"])
def test_weights_that_lack_a_tensor_are_refused(name: str) -> None:
    weights = random_weights(described())
    del weights[name]
    with pytest.raises(EncoderError, match=name):
        build_reader_graph(described(), weights, "fp32")


def assert_one_line_naming(folder: Path, name: str) -> None:
    with pytest.raises(EncoderError, match=name) as caught:
        LocalReader(folder)
    assert "\n" not in str(caught.value)
