"""BERT models: a sentence-transformers folder, read and written as an ONNX graph of ONNX Runtime's fused operators.

    input_ids (int32, [texts, tokens]); for the reader and the scorer also token_type_ids
      -> token, position and segment embeddings
      -> layers x (MatMul, MultiHeadAttention, MatMul, LayerNormalization, MatMul, BiasGelu, MatMul, LayerNormalization)
      -> encoder: pooling, L2 norm -> vectors (float32, [texts, hidden])
      -> reader: spans (float32, [texts, tokens, 2]: start and end), answers (float32, [texts, 1])
      -> scorer: pooler, classifier -> scores (float32, [texts, 1])

There is no mask: the texts of one run have the same length, see `LocalEncoder`. In int8 the matrices
are quantised symmetrically with a scale for each output column, the token table with one for each
token, and activations at run time (`DynamicQuantizeMatMul`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import EncoderError, WeightsMissing

Pooling = Literal["mean", "cls"]
Weights = dict[str, NDArray[np.float32]]

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
DEFAULT_MAX_TOKENS = 256

_MODULES = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class BertFolder:
    """A sentence encoder as its folder describes it. `max_tokens` counts the special tokens too."""

    path: Path
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    epsilon: float
    pooling: Pooling
    max_tokens: int
    weights_sha256: str
    tokenizer_sha256: str

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with whatever changes the vectors."""
        parts = (self.weights_sha256, self.tokenizer_sha256, self.pooling, str(self.max_tokens), str(self.epsilon))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def read_folder(path: Path, pins: Mapping[str, str] | None = None) -> BertFolder:
    """Read everything but the weights.

    `pins` are the expected SHA-256 sums by file name. The tokenizer is held against them here, the
    weights when `read_weights` reads them: hashing 90 MB at every start would double its time.
    Raises WeightsMissing for a file that is not there, EncoderError for a model of another kind.
    """
    for name in ("config.json", TOKENIZER, WEIGHTS):
        if not (path / name).is_file():
            raise WeightsMissing(
                f"{path} has no {name}", "RAG_ENCODER_DIR takes a sentence-transformers folder with these files"
            )
    config = _read_json(path / "config.json")
    _require_bert(path, config)
    tokenizer_sha256 = file_sha256(path / TOKENIZER)
    if pins and tokenizer_sha256 != pins[TOKENIZER]:
        raise _damaged(path / TOKENIZER)
    limits = _read_json(path / "sentence_bert_config.json", missing_ok=True)
    try:
        if config["hidden_size"] % config["num_attention_heads"]:
            raise ValueError("the heads do not divide the hidden size")
        longest = int(limits.get("max_seq_length") or DEFAULT_MAX_TOKENS)
        return BertFolder(
            path=path,
            vocabulary=int(config["vocab_size"]),
            hidden=int(config["hidden_size"]),
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
            pooling=_read_pooling(path),
            max_tokens=min(longest, int(config["max_position_embeddings"])),
            weights_sha256=pins[WEIGHTS] if pins else file_sha256(path / WEIGHTS),
            tokenizer_sha256=tokenizer_sha256,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise EncoderError(f"{path / 'config.json'} does not describe a BERT model ({error})") from error


def read_weights(folder: BertFolder) -> Weights:
    """The tensors of `model.safetensors` as float32, by name, without a model's prefix `bert.`.

    The format is eight bytes with the length of a JSON header, the header, then the raw tensors
    (https://github.com/huggingface/safetensors#format). Raises EncoderError if the file is damaged.
    """
    path = folder.path / WEIGHTS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EncoderError(f"{path} cannot be read ({error.strerror})") from error
    if hashlib.sha256(data).hexdigest() != folder.weights_sha256:
        raise _damaged(path)
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        header.pop("__metadata__", None)
        return {
            name.removeprefix("bert."): _tensor(data, start, entry)
            for name, entry in header.items()
            if entry["dtype"] in ("F32", "F16", "BF16")  # the rest are position ids
        }
    except (ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{path} is no safetensors file ({error})") from error


def file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"{path} cannot be read ({error.strerror})") from error


def _tensor(data: bytes, start: int, entry: dict[str, Any]) -> NDArray[np.float32]:
    first, last = entry["data_offsets"]
    raw = memoryview(data)[start + first : start + last]
    if entry["dtype"] == "BF16":  # the upper half of a float32
        values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
    else:
        values = np.frombuffer(raw, np.float32 if entry["dtype"] == "F32" else np.float16).astype(
            np.float32, copy=False
        )
    return values.reshape(entry["shape"])


def _require_bert(path: Path, config: dict[str, Any]) -> None:
    """Refuse what the graph would get wrong: vectors that are slightly off are worse than none."""
    wanted = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in wanted.items():
        found = config.get(key, value if key == "position_embedding_type" else None)
        if found != value:
            raise EncoderError(
                f"the model in {path} has {key} {found!r}", f"only models of the BERT family ({key} {value!r}) are read"
            )
    for module in _read_json(path / "modules.json", missing_ok=True, empty=[]):
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind not in _MODULES:
            raise EncoderError(
                f"the model in {path} has a module {kind!r}", "only models that end in pooling and normalising are read"
            )


def _read_pooling(path: Path) -> Pooling:
    config = _read_json(path / "1_Pooling" / "config.json", missing_ok=True)
    modes = {key.removeprefix("pooling_mode_") for key, value in config.items() if value is True}
    modes -= {"include_prompt"}
    if "pooling_mode" in config:  # sentence-transformers 6 and later name the mode
        modes = {str(config["pooling_mode"])}
    if modes in ({"cls_token"}, {"cls"}):
        return "cls"
    if modes in ({"mean_tokens"}, {"mean"}, set()):
        return "mean"
    raise EncoderError(f"the model in {path} pools by {', '.join(sorted(modes))}", "only mean and cls are supported")


def _read_json(path: Path, *, missing_ok: bool = False, empty: Any = None) -> Any:
    if missing_ok and not path.is_file():
        return {} if empty is None else empty
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path} cannot be read as JSON ({error})") from error


def _damaged(path: Path) -> EncoderError:
    return EncoderError(f"{path} is not the file that was released", "install it again, or set RAG_ENCODER_DIR")


Precision = Literal["int8", "fp32"]

GRAPH_FORMAT = 1
"""Goes up with every change here that changes a vector."""

_FUSED = "com.microsoft"
_FUSED_OPS = {"BiasGelu", "DynamicQuantizeMatMul", "MultiHeadAttention"}
_FLOAT = 1  # onnx.TensorProto.FLOAT


def build_graph(folder: BertFolder, weights: Weights, precision: Precision) -> bytes:
    """The serialised ONNX model. Raises EncoderError if the weights are not those of `folder`."""
    graph = _Graph(quantised=precision == "int8")
    _pool(graph, folder, _hidden(graph, folder, weights))
    return _serialise(graph, {"vectors": ["texts", folder.hidden]})


def build_reader_graph(folder: BertFolder, weights: Weights, precision: Precision) -> bytes:
    """The serialised ONNX model of a reader: `weights` also hold the linear layers `span` ([2, hidden]) over
    every token and `answers` ([1, hidden]) over the first. Raises EncoderError."""
    graph = _Graph(quantised=precision == "int8", inputs=["input_ids", "token_type_ids"])
    hidden = _hidden(graph, folder, weights)
    first = graph.add("Gather", [hidden, graph.constant("first", np.array(0, np.int64))], axis=1)
    for name, values in (("span", hidden), ("answers", first)):
        if missing := {f"{name}.weight", f"{name}.bias"} - weights.keys():
            raise EncoderError(f"the weights of the reader lack {min(missing)!r}", "train it again")
        # Two columns cost nothing in full precision.
        product = graph.add("MatMul", [values, graph.constant(f"{name}.weight", weights[f"{name}.weight"].T)])
        output = "spans" if name == "span" else name
        graph.add("Add", [product, graph.constant(f"{name}.bias", weights[f"{name}.bias"])], output)
    return _serialise(graph, {"spans": ["texts", "tokens", 2], "answers": ["texts", 1]})


def build_scorer_graph(folder: BertFolder, weights: Weights, precision: Precision) -> bytes:
    """The serialised ONNX model of a cross-encoder: `weights` also hold BERT's pooler and the linear layer
    `classifier` ([1, hidden]) over what it makes of the first token. Raises EncoderError."""
    graph = _Graph(quantised=precision == "int8", inputs=["input_ids", "token_type_ids"])
    hidden = _hidden(graph, folder, weights)
    values = graph.add("Gather", [hidden, graph.constant("first", np.array(0, np.int64))], axis=1)
    for name, rows in (("pooler.dense", folder.hidden), ("classifier", 1)):
        shapes = [weights[part].shape if part in weights else () for part in (f"{name}.weight", f"{name}.bias")]
        if shapes != [(rows, folder.hidden), (rows,)]:
            raise EncoderError(
                f"the weights in {folder.path} have no {name} of {rows} x {folder.hidden}",
                "is it a cross-encoder with one label?",
            )
        # One token of a text: full precision costs nothing.
        product = graph.add("MatMul", [values, graph.constant(f"{name}.weight", weights[f"{name}.weight"].T)])
        bias = graph.constant(f"{name}.bias", weights[f"{name}.bias"])
        values = graph.add("Add", [product, bias], "scores" if name == "classifier" else "")
        if name == "pooler.dense":
            values = graph.add("Tanh", [values])
    return _serialise(graph, {"scores": ["texts", 1]})


@dataclass
class _Graph:
    """Nodes and constants as plain data, so that only serialising needs onnx."""

    quantised: bool
    inputs: list[str] = field(default_factory=lambda: ["input_ids"])
    nodes: list[tuple[str, list[str], list[str], dict[str, Any]]] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)

    def add(self, op: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Append a node; returns the name of its output."""
        output = output or f"{op}.{len(self.nodes)}"
        self.nodes.append((op, inputs, [output], attributes))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants[name] = np.asarray(value, order="C")
        return name

    def matmul(self, name: str, values: str, weight: NDArray[np.float32], bias: str = "") -> str:
        """`values @ weight + bias` for a weight of shape [in, out]."""
        if not self.quantised:
            product = self.add("MatMul", [values, self.constant(name, weight)])
            return self.add("Add", [product, bias]) if bias else product
        matrix, scale = _quantise(weight, axis=0)
        inputs = [values, self.constant(name, matrix), self.constant(f"{name}.scale", scale[0])]
        return self.add("DynamicQuantizeMatMul", [*inputs, "", bias] if bias else inputs)

    def normalise(self, values: str, skip: str, scale_and_bias: list[str], epsilon: float) -> str:
        """LayerNormalization of a sum. SkipLayerNormalization fuses the two, but took six times as long."""
        summed = self.add("Add", [values, skip])
        return self.add("LayerNormalization", [summed, *scale_and_bias], axis=-1, epsilon=epsilon)


def _quantise(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8, with the scales that belong to it; they keep `axis` with length one."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True) / 127, 1e-12).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


def _hidden(graph: _Graph, folder: BertFolder, weights: Weights) -> str:
    """The last layer's states, [texts, tokens, hidden]. Raises EncoderError."""
    try:
        hidden = _embeddings(graph, folder, weights)
        for layer in range(folder.layers):
            hidden = _layer(graph, folder, weights, f"encoder.layer.{layer}", hidden)
    except KeyError as error:
        raise EncoderError(f"the weights in {folder.path} lack {error.args[0]!r}", "is it a BERT model?") from error
    except ValueError as error:
        raise EncoderError(f"the weights in {folder.path} do not fit together ({error})") from error
    return hidden


def _embeddings(graph: _Graph, folder: BertFolder, weights: Weights) -> str:
    words = weights["embeddings.word_embeddings.weight"]
    if words.shape != (folder.vocabulary, folder.hidden):
        raise ValueError(f"{words.shape} token embeddings for {folder.vocabulary} tokens of size {folder.hidden}")
    segments = weights["embeddings.token_type_embeddings.weight"]
    positions = weights["embeddings.position_embeddings.weight"][: folder.max_tokens]
    paired = "token_type_ids" in graph.inputs
    if not paired:  # the embedding of the only segment is part of every position's
        positions = positions + segments[0]
    if graph.quantised:
        codes, scales = _quantise(words, axis=1)
        codes_of_tokens = graph.add("Gather", [graph.constant("words", codes), "input_ids"])
        scales_of_tokens = graph.add("Gather", [graph.constant("words.scale", scales), "input_ids"])
        tokens = graph.add("Mul", [graph.add("Cast", [codes_of_tokens], to=_FLOAT), scales_of_tokens])
    else:
        tokens = graph.add("Gather", [graph.constant("words", words), "input_ids"])
    zero = graph.constant("zero", np.array([0], np.int64))
    length = graph.add("Shape", ["input_ids"], start=1, end=2)
    places = graph.add("Slice", [graph.constant("positions", positions), zero, length, zero])
    if paired:
        segment = graph.add("Gather", [graph.constant("segments", segments), "token_type_ids"])
        places = graph.add("Add", [segment, places])
    return graph.normalise(tokens, places, _norm(graph, weights, "embeddings.LayerNorm"), folder.epsilon)


def _layer(graph: _Graph, folder: BertFolder, weights: Weights, name: str, hidden: str) -> str:
    attended = _attention(graph, folder, weights, f"{name}.attention.self", hidden)
    hidden = _dense_and_norm(graph, folder, weights, f"{name}.attention.output", attended, hidden)
    inner = f"{name}.intermediate.dense"
    wide = graph.matmul(f"{inner}.weight", hidden, weights[f"{inner}.weight"].T)
    wide = graph.add("BiasGelu", [wide, graph.constant(f"{inner}.bias", weights[f"{inner}.bias"])])
    return _dense_and_norm(graph, folder, weights, f"{name}.output", wide, hidden)


def _attention(graph: _Graph, folder: BertFolder, weights: Weights, name: str, hidden: str) -> str:
    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1)
    bias = graph.constant(f"{name}.bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))
    packed = graph.matmul(f"{name}.weight", hidden, weight, bias)
    graph.nodes.append(("Split", [packed], parts, {"axis": -1}))
    return graph.add("MultiHeadAttention", parts, num_heads=folder.heads)


def _dense_and_norm(graph: _Graph, folder: BertFolder, weights: Weights, name: str, values: str, skip: str) -> str:
    bias = graph.constant(f"{name}.dense.bias", weights[f"{name}.dense.bias"])
    projected = graph.matmul(f"{name}.dense.weight", values, weights[f"{name}.dense.weight"].T, bias)
    return graph.normalise(projected, skip, _norm(graph, weights, f"{name}.LayerNorm"), folder.epsilon)


def _norm(graph: _Graph, weights: Weights, name: str) -> list[str]:
    return [graph.constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias")]


def _pool(graph: _Graph, folder: BertFolder, hidden: str) -> None:
    if folder.pooling == "cls":
        pooled = graph.add("Gather", [hidden, graph.constant("first", np.array(0, np.int64))], axis=1)
    else:
        pooled = graph.add("ReduceMean", [hidden], axes=[1], keepdims=0)
    graph.add("LpNormalization", [pooled], "vectors", axis=-1, p=2)


def _serialise(graph: _Graph, outputs: dict[str, list[str | int]]) -> bytes:
    # Slow to import, and needed only once for each model.
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node(op, inputs, outputs, domain=_FUSED if op in _FUSED_OPS else "", **attributes)
        for op, inputs, outputs, attributes in graph.nodes
    ]
    body = helper.make_graph(
        nodes,
        "bert",
        [helper.make_tensor_value_info(name, TensorProto.INT32, ["texts", "tokens"]) for name in graph.inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_FUSED, 1)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=8, producer_name="dateline")
    return bytes(model.SerializeToString())
