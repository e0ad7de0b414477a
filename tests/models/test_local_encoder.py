from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import EncoderError, WeightsMissing
from rag.models import local_encoder
from rag.models.local_encoder import LocalEncoder, default_weights

REFERENCE = json.loads((Path(__file__).parent / "reference_vectors.json").read_text(encoding="utf-8"))
TEXTS = [case["text"] for case in REFERENCE["cases"]]
VECTORS = np.array([case["vector"] for case in REFERENCE["cases"]], np.float32)

Array = NDArray[Any]


def test_fp32_equals_sentence_transformers_to_four_decimals(tmp_path: Path) -> None:
    encoder = LocalEncoder(default_weights(), tmp_path, precision="fp32")
    np.testing.assert_allclose(encoder.encode(TEXTS), VECTORS, atol=5e-5)


def test_int8_stays_close_to_sentence_transformers(encoder: LocalEncoder) -> None:
    cosines = (encoder.encode(TEXTS) * VECTORS).sum(axis=1)
    assert cosines.mean() >= 0.99
    assert cosines.min() >= 0.97


def test_int8_file_is_a_quarter_of_the_weights(encoder: LocalEncoder, model_cache: Path) -> None:
    weights = (default_weights() / "model.safetensors").stat().st_size
    assert (model_cache / f"{encoder.name}.graph").stat().st_size < 0.27 * weights


def test_rows_are_unit_vectors_in_the_order_of_the_texts(encoder: LocalEncoder) -> None:
    texts = ["The ferry sank.", "", "A long report on the harbour. " * 60, "The ferry sank.", "Fähre 🚢"]
    vectors = encoder.encode(texts)
    assert vectors.shape == (5, encoder.dimension) == (5, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[3])
    for row, text in enumerate(texts):
        np.testing.assert_array_equal(vectors[row], encoder.encode([text])[0])


def test_no_texts_give_no_rows(encoder: LocalEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_nearest_text_is_the_one_on_the_subject(encoder: LocalEncoder) -> None:
    query, ferry, budget = encoder.encode(
        ["When do boats cross at night?", "The ferry adds two late crossings.", "The council passed its budget."]
    )
    assert query @ ferry > query @ budget + 0.2


def test_text_beyond_the_maximum_length_changes_nothing(encoder: LocalEncoder) -> None:
    cut = "The keeper wrote about the weather. " * 50
    np.testing.assert_array_equal(*encoder.encode([cut, cut + "Then a bank was robbed in the city."]))


def test_undecodable_bytes_of_a_command_line_are_encoded(encoder: LocalEncoder) -> None:
    np.testing.assert_array_equal(*encoder.encode(["caf\udce9 closed", "caf? closed"]))


def test_threads_that_share_an_encoder_get_the_same_vectors(encoder: LocalEncoder) -> None:
    texts = [f"Report {number} from the harbour, with {number * 7} ships." for number in range(40)]
    expected = encoder.encode(texts)
    found: dict[int, Array] = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: encoder.encode(texts[n:])})) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for first, vectors in found.items():
        np.testing.assert_array_equal(vectors, expected[first:])
    assert len(found) == 8


def test_second_construction_reads_neither_onnx_nor_the_weights(encoder: LocalEncoder, model_cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.models import local_encoder\n"
        "local_encoder.read_weights = None\n"
        "encoder = local_encoder.LocalEncoder(local_encoder.default_weights(), Path(sys.argv[1]))\n"
        "encoder.encode(['x'])\n"
        "assert 'onnx' not in sys.modules; print(encoder.name)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(model_cache)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert (done.stdout.strip(), done.stderr) == (encoder.name, "")


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[: len(data) // 2], lambda data: data[:-9] + b"\0\1\2" + data[-6:], lambda data: b""],
    ids=["torn", "altered", "empty"],
)
def test_damaged_cached_graph_is_rebuilt(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    folder, cache = tiny_bert(tmp_path / "tiny"), tmp_path / "cache"
    before = LocalEncoder(folder, cache).encode(["the ferry"])
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    np.testing.assert_array_equal(LocalEncoder(folder, cache).encode(["the ferry"]), before)
    assert [path.name for path in cache.iterdir()] == [file.name]
    assert file.read_bytes() == whole


def test_cache_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(EncoderError, match="cannot be kept in"):
        LocalEncoder(tiny_bert(tmp_path / "tiny"), tmp_path / "cache")


def test_missing_weights_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_encoder, "PACKAGE", "a-package-that-is-not-installed")
    with pytest.raises(WeightsMissing) as caught:
        default_weights()
    line = str(caught.value)
    assert "make install" in line
    assert "RAG_ENCODER_DIR" in line
    assert "\n" not in line


def test_packaged_weights_that_are_not_the_released_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, folder = default_weights(), tiny_bert(tmp_path / "tiny", vocab_size=30522)
    monkeypatch.setattr(local_encoder, "_installed_folder", lambda: folder)
    with pytest.raises(EncoderError, match=r"tokenizer\.json is not the file that was released"):
        LocalEncoder(default_weights(), tmp_path / "cache")
    shutil.copy(released / "tokenizer.json", folder)
    with pytest.raises(EncoderError, match=r"model\.safetensors is not the file that was released"):
        LocalEncoder(default_weights(), tmp_path / "cache")


# Other folders: a tiny BERT with random weights, against the same arithmetic in numpy.

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "ferry", "sank", "at", "night", "."]
HIDDEN, LAYERS, HEADS, INNER, LONGEST = 32, 2, 4, 64, 12


def tiny_bert(folder: Path, pooling: str = "mean", dtype: str = "F32", prefix: str = "", **config: Any) -> Path:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    described = {"model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS}
    described |= {"num_attention_heads": HEADS, "max_position_embeddings": LONGEST, "layer_norm_eps": 1e-12}
    described |= {"vocab_size": len(WORDS), **config}
    (folder / "config.json").write_text(json.dumps(described))
    (folder / "1_Pooling").mkdir()
    modes = {"pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean"}
    modes["pooling_mode_max_tokens"] = pooling == "max"
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    write_safetensors(folder / "model.safetensors", random_weights(), dtype, prefix)
    return folder


def random_weights() -> dict[str, Array]:
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": (LONGEST, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,),
        "embeddings.LayerNorm.bias": (HIDDEN,),
    }
    dense = {"attention.self.query": (HIDDEN, HIDDEN), "attention.self.key": (HIDDEN, HIDDEN)}
    dense |= {"attention.self.value": (HIDDEN, HIDDEN), "attention.output.dense": (HIDDEN, HIDDEN)}
    dense |= {"intermediate.dense": (INNER, HIDDEN), "output.dense": (HIDDEN, INNER)}
    for layer in range(LAYERS):
        for name, shape in dense.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        for name in ("attention.output", "output"):
            shapes[f"encoder.layer.{layer}.{name}.LayerNorm.weight"] = (HIDDEN,)
            shapes[f"encoder.layer.{layer}.{name}.LayerNorm.bias"] = (HIDDEN,)
    # Rounded to bfloat16, so that the same numbers can be written in every type.
    halves = {name: random.normal(0, 0.4, shape).astype(np.float32).view(np.uint32) for name, shape in shapes.items()}
    return {name: (bits & 0xFFFF0000).view(np.float32) for name, bits in halves.items()}


def write_safetensors(path: Path, weights: dict[str, Array], dtype: str, prefix: str) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = np.arange(LONGEST, dtype=np.int64).tobytes()
    header["embeddings.position_ids"] = {"dtype": "I64", "shape": [1, LONGEST], "data_offsets": [0, len(data)]}
    for name, weight in weights.items():
        raw = (weight.view(np.uint32) >> 16).astype(np.uint16) if dtype == "BF16" else weight
        raw = raw.astype(np.float16) if dtype == "F16" else raw
        place = [len(data), len(data) + raw.nbytes]
        header[prefix + name] = {"dtype": dtype, "shape": list(weight.shape), "data_offsets": place}
        data += raw.tobytes()
    encoded = json.dumps(header).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + data)


def numpy_bert(ids: list[int], pooling: str) -> Array:
    from math import erf, sqrt

    weights = {name: weight.astype(np.float64) for name, weight in random_weights().items()}

    def dense(name: str, values: Array) -> Array:
        return np.asarray(values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])

    def norm(name: str, values: Array) -> Array:
        centred = values - values.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])

    def heads(values: Array) -> Array:
        return values.reshape(len(ids), HEADS, -1).swapaxes(0, 1)

    tables = [weights[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type")]
    hidden = norm("embeddings.LayerNorm", tables[0][ids] + tables[1][: len(ids)] + tables[2][0])
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            heads(dense(f"{name}.attention.self.{part}", hidden)) for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.swapaxes(1, 2) / sqrt(HIDDEN // HEADS))
        mixed = (scores / scores.sum(axis=-1, keepdims=True) @ value).swapaxes(0, 1).reshape(len(ids), HIDDEN)
        hidden = norm(f"{name}.attention.output.LayerNorm", hidden + dense(f"{name}.attention.output.dense", mixed))
        inner = dense(f"{name}.intermediate.dense", hidden)
        inner = inner * 0.5 * (1 + np.vectorize(erf)(inner / sqrt(2)))
        hidden = norm(f"{name}.output.LayerNorm", hidden + dense(f"{name}.output.dense", inner))
    pooled: Array = hidden[0] if pooling == "cls" else hidden.mean(axis=0)
    return np.asarray(pooled / np.linalg.norm(pooled))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize(("dtype", "prefix"), [("F32", ""), ("F16", "bert."), ("BF16", "")])
def test_any_bert_folder_is_read(tmp_path: Path, pooling: str, dtype: str, prefix: str) -> None:
    folder = tiny_bert(tmp_path / "tiny", pooling, dtype, prefix)
    encoder = LocalEncoder(folder, tmp_path / "cache", precision="fp32")
    vectors = encoder.encode(["The ferry sank at night.", "Ferry."])
    tolerance = 2e-3 if dtype == "F16" else 1e-5
    np.testing.assert_allclose(vectors[0], numpy_bert([2, 5, 6, 7, 8, 9, 10, 3], pooling), atol=tolerance)
    np.testing.assert_allclose(vectors[1], numpy_bert([2, 6, 10, 3], pooling), atol=tolerance)


def test_maximum_length_of_the_folder_is_kept(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 5}')
    encoder = LocalEncoder(folder, tmp_path / "cache", precision="fp32")
    expected = numpy_bert([2, 5, 6, 7, 3], "mean")
    np.testing.assert_allclose(encoder.encode(["the ferry sank at night"])[0], expected, atol=1e-5)


def test_name_changes_with_whatever_changes_the_vectors(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    names = [
        LocalEncoder(tiny_bert(tmp_path / "a"), cache).name,
        LocalEncoder(tmp_path / "a", cache, precision="fp32").name,
        LocalEncoder(tiny_bert(tmp_path / "b", "cls"), cache).name,
        LocalEncoder(tiny_bert(tmp_path / "c", dtype="BF16"), cache).name,
        LocalEncoder(tiny_bert(tmp_path / "d", layer_norm_eps=1e-5), cache).name,
    ]
    assert len(set(names)) == len(names)
    assert LocalEncoder((tmp_path / "a").rename(tmp_path / "moved"), cache).name == names[0]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "roberta"}, "model_type 'roberta'"),
        ({"hidden_act": "relu"}, "hidden_act 'relu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ({"num_hidden_layers": 3}, "lack 'encoder.layer.2"),
        ({"hidden_size": "wide"}, "config.json"),
        ({"hidden_size": 16}, "do not fit together"),
        ({"num_attention_heads": 5}, "heads do not divide"),
        ({"vocab_size": 5}, "more tokens than the model"),
    ],
)
def test_folder_of_another_kind_is_refused(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    with pytest.raises(EncoderError, match=said):
        LocalEncoder(tiny_bert(tmp_path / "tiny", **config), tmp_path / "cache")


def test_weights_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    folder, weights = tiny_bert(tmp_path / "tiny"), random_weights()
    weights["encoder.layer.1.output.dense.weight"] = np.zeros((HIDDEN, INNER + 1), np.float32)
    write_safetensors(folder / "model.safetensors", weights, "F32", "")
    with pytest.raises(EncoderError, match="ONNX Runtime refuses the model"):
        LocalEncoder(folder, tmp_path / "cache", precision="fp32")


def test_pooling_and_modules_that_are_not_supported_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="max_tokens"):
        LocalEncoder(tiny_bert(tmp_path / "max", "max"), tmp_path / "cache")
    folder = tiny_bert(tmp_path / "dense")
    (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    with pytest.raises(EncoderError, match="Dense"):
        LocalEncoder(folder, tmp_path / "cache")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_missing_and_broken_files_are_named(tmp_path: Path, name: str) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    (folder / name).write_bytes(b"\x05\x00\x00\x00\x00\x00\x00\x00nope")
    with pytest.raises(EncoderError, match=name):
        LocalEncoder(folder, tmp_path / "cache")
    (folder / name).unlink()
    with pytest.raises(WeightsMissing, match=name):
        LocalEncoder(folder, tmp_path / "cache")
