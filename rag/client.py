"""The engine of a running server, over HTTP: how the command line works beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from rag.errors import InvalidRequest, ServerError, SourceTooLarge, UnknownArticle
from rag.records import (
    Article,
    ArticleSummary,
    Diagnosis,
    Document,
    Event,
    Feedback,
    Filters,
    Question,
    SearchResult,
    StoreResult,
)
from rag.serialization import ARTICLE, ARTICLES, DIAGNOSIS, FEEDBACK, SEARCH_RESULTS, event_from_json, to_json
from rag.settings import Settings

_PAGE = 1000
# An ingest or a repair may keep the server busy for minutes; connecting may not.
_TIMEOUT = httpx.Timeout(600, connect=5)


class RemoteEngine:
    """See rag.engine.Engine. Raises ServerError when the server refuses or breaks off."""

    def __init__(self, address: str, settings: Settings) -> None:
        headers = {}
        if settings.rag_api_key is not None:
            headers["Authorization"] = f"Bearer {settings.rag_api_key.get_secret_value()}"
        # trust_env off: a proxy from the environment has no business between two processes of one machine.
        self._client = httpx.Client(base_url=address, headers=headers, timeout=_TIMEOUT, trust_env=False)
        self.address = address

    def answer(self, question: Question) -> Iterator[Event]:
        body = {
            "question": question.text,
            "history": [to_json(turn) for turn in question.history],
            "all_dates": question.all_dates,
            "mode": question.mode,
            "stream": True,
            **_narrowing(question.filters),
        }
        with self._failures(), self._client.stream("POST", "/v1/answer", **_as_json(body)) as response:
            if response.is_error:
                response.read()
                self._raise(response)
            yield from _events(response.iter_lines())

    def search(self, query: str, filters: Filters, top_k: int) -> list[SearchResult]:
        body = {"query": query, "top_k": top_k, **_narrowing(filters)}
        return SEARCH_RESULTS.validate_python(self._call("POST", "/v1/search", body)["passages"])

    def knows(self, fingerprint: str) -> bool:
        # A request for every file would cost more than reading most of them.
        return False

    def store(self, drafts: Sequence[Document]) -> list[StoreResult]:
        stored = []
        for draft in drafts:
            said = self._call("POST", "/v1/drafts", to_json(draft))
            stored.append(StoreResult(said["id"], said["status"], said["passages"]))
        return stored

    def articles(self, limit: int = -1, after: str | None = None) -> list[ArticleSummary]:
        found: list[ArticleSummary] = []
        while limit < 0 or len(found) < limit:
            size = _PAGE if limit < 0 else min(_PAGE, limit - len(found))
            params = {"limit": str(size)} | ({"after": after} if after else {})
            page = self._call("GET", f"/v1/articles?{urlencode(params)}")
            found += ARTICLES.validate_python(page["articles"])
            after = page["next"]
            if after is None:
                break
        return found

    def article(self, article_id: str, version: int | None = None) -> Article:
        which = "" if version is None else f"?version={version}"
        with _naming(article_id):
            return ARTICLE.validate_python(self._call("GET", f"/v1/articles/{quote(article_id, safe='')}{which}"))

    def remove(self, article_id: str) -> None:
        with _naming(article_id):
            self._call("DELETE", f"/v1/articles/{quote(article_id, safe='')}")

    def count(self) -> int:
        return int(self._call("GET", "/readyz")["articles"])

    def feedback(self) -> list[Feedback]:
        return FEEDBACK.validate_python(self._call("GET", "/v1/feedback")["feedback"])

    def diagnose(self, *, repair: bool = False) -> Diagnosis:
        return DIAGNOSIS.validate_python(self._call("POST", "/v1/doctor", {"repair": repair}))

    def close(self) -> None:
        self._client.close()

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        with self._failures():
            response = self._client.request(method, path, **({} if body is None else _as_json(body)))
            if response.is_error:
                self._raise(response)
            said: dict[str, Any] = response.json()
            return said

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            raise ServerError(
                f"the server at {self.address} does not answer ({error or type(error).__name__})",
                "look at its log, or stop it and run the command again",
            ) from error

    def _raise(self, response: httpx.Response) -> None:
        try:
            said = response.json()["error"]
            code, message = str(said["code"]), str(said["message"])
        except (ValueError, KeyError, TypeError):
            code, message = "error", f"it answers {response.status_code}"
        if response.status_code == 401:
            raise ServerError(f"the server at {self.address} asks for its key", "set RAG_API_KEY to the same value")
        if response.status_code in (400, 404, 422):
            raise InvalidRequest(message)
        if response.status_code == 413:
            raise SourceTooLarge(message)
        raise ServerError(f"the server at {self.address} refused ({code}: {message})")


@contextmanager
def _naming(article_id: str) -> Iterator[None]:
    try:
        yield
    except InvalidRequest as error:
        raise UnknownArticle(article_id) from error


def _as_json(body: dict[str, Any]) -> dict[str, Any]:
    # In ASCII, so that half a character from the command line arrives as the server can refuse or mend it.
    return {"content": json.dumps(body).encode("ascii"), "headers": {"Content-Type": "application/json"}}


def _narrowing(filters: Filters) -> dict[str, Any]:
    return {
        "since": filters.since.isoformat() if filters.since else None,
        "until": filters.until.isoformat() if filters.until else None,
        "publishers": list(filters.publishers),
    }


def _events(lines: Iterator[str]) -> Iterator[Event]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            if name == "error":
                raise ServerError(data["error"]["message"])
            event = event_from_json(name, data)
            if event is not None:
                yield event
