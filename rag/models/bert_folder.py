"""Reads a sentence-transformers folder of the BERT family: what the model is, and its weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
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
