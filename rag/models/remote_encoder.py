"""The encoder behind an OpenAI-compatible `/embeddings` endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from rag.errors import EncoderError
from rag.models.encoder import Vectors, normalize_rows

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI = "https://api.openai.com/v1"
BATCH = 128

_LONGEST = 8000
"""Characters sent of one text: in any script fewer tokens than the 8,191 that OpenAI's models take."""

_REMEDIES = {
    401: "check OPENAI_API_KEY",
    403: "check OPENAI_API_KEY",
    404: "check OPENAI_BASE_URL and OPENAI_EMBEDDING_MODEL",
    429: "wait, or check the account's limits",
}


class RemoteEncoder:
    """Encodes over the network with the model `model`.

    Nothing is sent when it is built; `dimension` is learned from the first answer. `timeout_s` is the
    wait, in seconds, for each part of an answer. The messages of its errors name the server by host
    and status alone, because some servers repeat the key in theirs. Raises EncoderError.
    """

    def __init__(
        self, model: str, *, api_key: str | None, base_url: str | None, timeout_s: float = 30.0, retries: int = 2
    ) -> None:
        if not api_key and not base_url:
            raise EncoderError("the embeddings endpoint has no key", "set OPENAI_API_KEY or OPENAI_BASE_URL")
        # Always explicit: left out, the SDK looks for an address in the environment.
        address = base_url or OPENAI
        self._model = model
        self._dimension: int | None = None
        self._server = f"the embeddings server at {_host(address)}"
        self._client = _client(address, api_key or "none", timeout_s, retries)

    @property
    def name(self) -> str:
        return f"openai-{self._model}"

    @property
    def dimension(self) -> int:
        """Length of a vector; asks the server if it has not answered yet."""
        if self._dimension is None:
            self._embed(["dimension"])
        assert self._dimension is not None
        return self._dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text, in order: float32, shape `(len(texts), dimension)`."""
        batches = [self._embed(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(batches) if batches else np.empty((0, self.dimension), np.float32)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of one request."""
        try:
            vectors = _read_vectors(self._ask([_sendable(text) for text in texts]))
        except (ValueError, KeyError, TypeError):
            vectors = np.empty((0, 0), np.float32)
        expected = (len(texts), self._dimension or vectors.shape[-1])
        if not vectors.size or vectors.shape != expected or not np.isfinite(vectors).all():
            raise EncoderError(f"{self._server} did not answer with one vector per text", _REMEDIES[404])
        self._dimension = vectors.shape[1]
        return normalize_rows(vectors)

    def _ask(self, texts: list[str]) -> Any:
        """The decoded body; ValueError if it is not JSON. Errors are not chained: theirs may hold the key."""
        from openai import APIStatusError, APITimeoutError, OpenAIError

        try:
            answer = self._client.embeddings.with_raw_response.create(
                model=self._model, input=texts, encoding_format="float"
            )
        except APIStatusError as error:
            remedy = _REMEDIES.get(error.status_code, "try again later")
            raise EncoderError(f"{self._server} answered {error.status_code}", remedy) from None
        except APITimeoutError:
            raise EncoderError(f"{self._server} did not answer in time", "try again later") from None
        except (OpenAIError, UnicodeError):
            raise EncoderError(
                f"{self._server} cannot be reached", "check OPENAI_BASE_URL, OPENAI_API_KEY and the network"
            ) from None
        return answer.http_response.json()


def _host(address: str) -> str:
    try:
        url = urlsplit(address)
        host = url.hostname if url.scheme in ("http", "https") and url.port != 0 else None
    except ValueError:
        host = None
    if not host:
        raise EncoderError("OPENAI_BASE_URL is not an address", "write it as http://host:port/v1")
    return host


def _client(address: str, api_key: str, timeout_s: float, retries: int) -> OpenAI:
    # The SDK takes a second to import; commands that use the local encoder start without it.
    from openai import OpenAI

    return OpenAI(base_url=address, api_key=api_key, timeout=timeout_s, max_retries=retries)


def _sendable(text: str) -> str:
    """Valid UTF-8, not empty (OpenAI answers 400 to that), not too long."""
    return text[:_LONGEST].encode("utf-8", "replace").decode("utf-8") or " "


def _read_vectors(body: Any) -> Vectors:
    """The answer's vectors in the order of its `index` fields."""
    rows = sorted(body["data"], key=lambda row: row["index"])
    if [row["index"] for row in rows] != list(range(len(rows))):
        raise ValueError("the indices have gaps")
    return np.array([row["embedding"] for row in rows], np.float32)
