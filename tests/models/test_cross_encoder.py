"""The cross-encoder, as a tiny BERT with random weights against the same arithmetic in numpy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from rag.errors import EncoderError
from rag.models.cross_encoder import CrossEncoder
from rag.models.local_encoder import default_weights
from tests.models.tiny_bert import (
    HEADS,
    HIDDEN,
    INNER,
    LAYERS,
    dense,
    described,
    hidden_states,
    random_weights,
    write_safetensors,
)

LABEL = {"pooler.dense": (HIDDEN, HIDDEN), "classifier": (1, HIDDEN)}
QUESTION = "When does the last ferry leave?"
TITLE = "News from the harbour"
TEXT = "The last ferry leaves at 22:40 on weekdays, and on Sundays it does not."
PASSAGES = [
    (TITLE, TEXT),
    ("", "Café Zoë 🚢 pays 1.200 €."),
    (TITLE, TEXT * 40),
    ("", ""),
    ("Herring", "Catches doubled."),
]


def write_folder(folder: Path, labels: int = 1, **changes: Any) -> Path:
    """As sentence-transformers saves one: BERT's tensors under a prefix, the classifier's without."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = random_weights(described(), {**LABEL, "classifier": (labels, HIDDEN)})
    names = {name: name if name.startswith("classifier") else f"bert.{name}" for name in weights}
    write_safetensors(folder / "model.safetensors", {names[name]: values for name, values in weights.items()})
    config = {"model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS}
    config |= {"num_attention_heads": HEADS, "intermediate_size": INNER, "max_position_embeddings": 512}
    config |= {"vocab_size": described().vocabulary, **changes}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(default_weights() / "tokenizer.json", folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def exact(folder: Path) -> CrossEncoder:
    return CrossEncoder(folder, precision="fp32", threads=2)


def numpy_score(question: str, title: str, text: str) -> float:
    tokenizer = Tokenizer.from_file(str(default_weights() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    asked, words = (tokenizer.encode(t, add_special_tokens=False).ids for t in (question, f"{title}\n{text}"))
    head = [101, *asked[:64], 102]
    weights = random_weights(described(), LABEL)
    hidden = hidden_states(weights, [*head, *words[: 384 - len(head) - 1], 102], len(head))
    return float(dense(weights, "classifier", np.tanh(dense(weights, "pooler.dense", hidden[0])))[0])


@pytest.mark.parametrize("question", [QUESTION, "", "when and where and why " * 100])
def test_scores_are_those_of_the_same_network_in_numpy(exact: CrossEncoder, question: str) -> None:
    expected = [numpy_score(question, *passage) for passage in PASSAGES]
    assert exact.score(question, PASSAGES) == pytest.approx(expected, abs=1e-4)
    assert len({round(score, 3) for score in expected}) == len(expected)
    assert exact.score(question, []) == []


def test_int8_is_close_to_fp32(exact: CrossEncoder, folder: Path) -> None:
    rough = CrossEncoder(folder).score(QUESTION, PASSAGES)
    assert rough == pytest.approx(exact.score(QUESTION, PASSAGES), abs=0.3)


def test_undecodable_bytes_are_scored(exact: CrossEncoder) -> None:
    assert exact.score("caf\udce9?", [("", "caf\udce9")]) == exact.score("caf??", [("", "caf?")])


def test_threads_that_share_a_reranker_agree(exact: CrossEncoder) -> None:
    passages = PASSAGES * 3
    expected = exact.score(QUESTION, passages)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: exact.score(QUESTION, passages), range(4))) == [expected] * 4


# Folders that cannot be used: one line that names the setting.


def assert_one_line(folder: Path, said: str) -> None:
    with pytest.raises(EncoderError, match=said) as caught:
        CrossEncoder(folder)
    assert str(caught.value).startswith("RAG_RERANKER_DIR: ")
    assert "RAG_ENCODER_DIR" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_missing_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / name).unlink()
    assert_one_line(broken, name)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    assert_one_line(tmp_path / "nowhere", "nowhere")


DAMAGE: list[Callable[[bytes], bytes]] = [
    lambda _: b"",
    lambda _: b"no such thing",
    lambda data: data[: len(data) // 2],
]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", DAMAGE, ids=["empty", "garbage", "torn"])
def test_damaged_file_is_named(folder: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / name).write_bytes(damage((broken / name).read_bytes()))
    assert_one_line(broken, name)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": 2}, "no classifier of 1 x 32"),
        ({"model_type": "xlm-roberta"}, "model_type 'xlm-roberta'"),
        ({"num_hidden_layers": 3}, "lack 'encoder.layer.2"),
    ],
)
def test_model_of_another_kind_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    assert_one_line(write_folder(tmp_path / "other", **changes), said)


def test_a_sentence_encoder_is_refused() -> None:
    assert_one_line(default_weights(), "no classifier of 1 x 384")


def test_tokenizer_of_a_larger_model_is_refused(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_tokens(["ferryboat"])
    tokenizer.save(str(other / "tokenizer.json"))
    assert_one_line(other, "more tokens than the model")


def test_tokenizer_without_special_tokens_is_refused(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    (other / "tokenizer.json").write_text('{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}')
    assert_one_line(other, "CLS")
