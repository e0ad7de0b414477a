"""The HTTP API of a real server on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Server, start_server, stop_server


@pytest.fixture
def http(seed_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=seed_server.url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def locked(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a key, that may be changed."""
    import shutil

    home = Path(shutil.copytree(seeded, tmp_path_factory.mktemp("locked") / "home", symlinks=True))
    server = start_server(home, RAG_API_KEY="open sesame")
    yield server
    stop_server(server)


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


JSON = {"headers": {"content-type": "application/json"}}
MUSCAT = {"question": "what did Iran demand in Muscat?"}


def test_an_answer_keeps_the_contract(http: httpx.Client) -> None:
    answer = http.post("/v1/answer", json=MUSCAT).json()
    assert set(answer) >= {
        *("id", "question", "asked_as", "verdict", "mode", "degraded", "text", "claims", "sources", "notes"),
        *("closest", "as_of", "model", "timings_ms"),
    }
    assert answer["verdict"] == "answered"
    assert 1 <= len(answer["claims"]) <= 8
    assert "[1]" in answer["text"]
    assert answer["as_of"] == "2024-03-15"
    assert set(answer["timings_ms"]) == {"search", "write", "total"}
    assert [source["number"] for source in answer["sources"]] == list(range(1, len(answer["sources"]) + 1))
    used = []
    for claim in answer["claims"]:
        assert claim["quotes"]
        for quote in claim["quotes"]:
            used.append(quote["source"])
            text = http.get(f"/v1/articles/{quote['article_id']}").json()["text"]
            assert text[quote["start"] : quote["end"]] == quote["text"]
    assert list(dict.fromkeys(used)) == [source["number"] for source in answer["sources"]]
    for source in answer["sources"]:
        text = http.get(f"/v1/articles/{source['article_id']}").json()["text"]
        excerpt = source["excerpt"]
        assert text[excerpt["start"] : excerpt["end"]] == excerpt["text"]


def test_a_stream_says_the_same_as_the_answer(http: httpx.Client) -> None:
    response = http.post("/v1/answer", json={"question": "How many attacks on ships?", "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    said = events(response.text)
    assert said[0][0] == "sources"
    name, done = said[-1]
    assert name == "done"
    assert [data for name, data in said if name == "claim"] == done["claims"]
    assert [data["sources"] for name, data in said if name == "sources"][-1] == done["sources"]
    shown: set[int] = set()
    for name, data in said:
        if name == "sources":
            shown = {source["number"] for source in data["sources"]}
        if name == "claim":
            assert {quote["source"] for quote in data["quotes"]} <= shown


def test_asking_for_quotes_is_not_degraded(http: httpx.Client) -> None:
    assert http.post("/v1/answer", json={**MUSCAT, "mode": "quotes"}).json()["degraded"] is None
    assert http.post("/v1/answer", json={**MUSCAT, "mode": "written"}).json()["degraded"] == "no_model"


def test_filters_hold(http: httpx.Client) -> None:
    body = {"query": "Iran", "top_k": 50, "until": "2023-12-31", "publishers": ["dateline seeds"]}
    found = http.post("/v1/search", json=body).json()["passages"]
    assert found
    assert all(passage["published"] <= "2023-12-31" for passage in found)
    assert http.post("/v1/search", json={**body, "publishers": ["AP"]}).json() == {"passages": []}


def test_a_declined_question_shows_what_was_closest(http: httpx.Client) -> None:
    answer = http.post("/v1/answer", json={"question": "Who is the chief executive of Apple?"}).json()
    assert (answer["verdict"], answer["claims"], answer["sources"]) == ("no_evidence", [], [])
    assert set(answer["closest"][0]) == {"article_id", "title", "start", "end", "text", "version"}


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"),
    [
        ("POST", "/v1/answer", {"json": {"question": " "}}, 422, "invalid_request"),
        ("POST", "/v1/answer", {"json": {"question": "x" * 20_000}}, 422, "invalid_request"),
        ("POST", "/v1/answer", {"json": {}}, 422, "invalid_request"),
        ("POST", "/v1/answer", {"json": {**MUSCAT, "since": "15 March"}}, 422, "invalid_request"),
        ("POST", "/v1/answer", {"json": {**MUSCAT, "mode": "poem"}}, 422, "invalid_request"),
        (
            "POST",
            "/v1/answer",
            {"json": {**MUSCAT, "since": "2024-02-01", "until": "2024-01-01"}},
            422,
            "invalid_request",
        ),
        ("POST", "/v1/answer", {"json": {"question": "", "stream": True}}, 422, "invalid_request"),
        ("POST", "/v1/answer", {"content": b"{", **JSON}, 400, "bad_request"),
        ("POST", "/v1/search", {"json": {"query": "x", "top_k": 0}}, 422, "invalid_request"),
        (
            "POST",
            "/v1/search",
            {"content": b'{"query": "x", "publishers": ["\\ud800"]}', **JSON},
            422,
            "invalid_request",
        ),
        ("GET", "/v1/answer", {}, 405, "method_not_allowed"),
        ("PUT", "/v1/articles", {}, 405, "method_not_allowed"),
        ("GET", "/v1/articles/nope", {}, 404, "unknown_article"),
        ("DELETE", "/v1/articles/nope", {}, 404, "unknown_article"),
        ("GET", "/v1/articles?limit=0", {}, 422, "invalid_request"),
        ("GET", "/v1/nope", {}, 404, "not_found"),
        ("POST", "/slack/nope", {}, 404, "not_found"),
        ("POST", "/v1/articles", {"content": b"hello", "headers": {"content-type": "text/plain"}}, 415, None),
        ("POST", "/v1/articles", {"json": ["a"]}, 422, "invalid_request"),
        ("POST", "/v1/articles", {"json": {"text": ""}}, 422, None),
        ("POST", "/v1/articles", {"json": {"title": "no text"}}, 422, None),
        ("POST", "/v1/drafts", {"json": {"text": "x", "title": "t", "source": 7}}, 422, "invalid_request"),
        ("POST", "/v1/drafts", {"json": {"text": "x", "title": "t", "published": "soon"}}, 422, "invalid_request"),
        ("POST", "/v1/search", {"json": {"query": "x" * 20_000}}, 422, "invalid_request"),
        ("POST", "/v1/search", {"json": {"query": "x", "publishers": ["p"] * 101}}, 422, "invalid_request"),
        ("POST", "/v1/articles", {"content": b"[" * 200_000, **JSON}, 400, "bad_request"),
        ("POST", "/v1/articles", {"files": {"other": b"x"}}, 422, "invalid_request"),
        ("POST", "/v1/articles", {"files": {"file": ("a.txt", bytes(range(256)) * 20)}}, 422, None),
        (
            "POST",
            "/v1/articles",
            {"content": b"x" * 12_000_000, **JSON},
            413,
            None,
        ),
        ("POST", "/v1/chat/completions", {"json": {}}, 422, "invalid_request"),
        ("POST", "/v1/chat/completions", {"json": {"messages": []}}, 422, "invalid_request"),
        ("POST", "/v1/chat/completions", {"json": {"messages": [{"role": "assistant", "content": "x"}]}}, 422, None),
        ("POST", "/v1/chat/completions", {"json": {"messages": [{"role": "user", "content": " "}]}}, 422, None),
        ("GET", "/metrics", {}, 501, "not_built"),
    ],
)
def test_errors_are_one_object(
    http: httpx.Client, method: str, path: str, request_: dict[str, Any], status: int, code: str | None
) -> None:
    response = http.request(method, path, **request_)
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert "\n" not in error["message"]
    assert code is None or error["code"] == code


def test_health(http: httpx.Client) -> None:
    assert http.get("/healthz").status_code == 200
    assert http.get("/readyz").json()["status"] == "ready"


def test_a_foreign_host_or_origin_is_refused(http: httpx.Client, seed_server: Server) -> None:
    assert http.get("/v1/articles", headers={"Host": "evil.example"}).status_code == 403
    assert http.get("/", headers={"Host": "evil.example:8000"}).status_code == 403
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "http://["):
        assert http.post("/v1/answer", json=MUSCAT, headers={"Origin": origin}).status_code == 403
    own = http.post("/v1/answer", json=MUSCAT, headers={"Origin": seed_server.url})
    assert own.status_code == 200


def test_any_loopback_address_is_this_machine(http: httpx.Client) -> None:
    assert http.get("/v1/articles", headers={"Host": "127.0.0.2:8000"}).status_code == 200
    assert http.get("/v1/articles", headers={"Host": "localhost"}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/answer", "/v1/articles"])
def test_a_body_without_a_length_is_limited_too(http: httpx.Client, path: str) -> None:
    chunks = (b"x" * 1_000_000 for _ in range(13))
    assert http.post(path, content=chunks, **JSON).status_code == 413


def test_a_field_named_source_does_not_name_the_article(locked: Server) -> None:
    headers = {"Authorization": "Bearer open sesame"}
    with httpx.Client(base_url=locked.url, timeout=30, trust_env=False, headers=headers) as client:
        for text in ("The first report of the day.", "Another report of the day."):
            added = client.post("/v1/articles", json={"text": text, "source": "Reuters"})
            assert (added.status_code, added.json()["status"]) == (201, "added")


def test_the_key_is_asked_of_every_route(locked: Server) -> None:
    with httpx.Client(base_url=locked.url, timeout=30, trust_env=False) as client:
        for method, path in [
            ("POST", "/v1/answer"),
            ("GET", "/v1/articles"),
            ("GET", "/v1/feedback"),
            ("GET", "/v1/x"),
            ("GET", "/metrics"),
        ]:
            assert client.request(method, path).status_code == 401
            assert client.request(method, path, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        key = {"Authorization": "Bearer open sesame"}
        assert client.get("/v1/articles", headers=key).status_code == 200
        assert client.get("/v1/feedback", headers=key).json() == {"feedback": []}
        assert client.get("/v1/articles", headers={**key, "Host": "news.example"}).status_code == 200


def test_articles_come_and_go(locked: Server) -> None:
    headers = {"Authorization": "Bearer open sesame"}
    with httpx.Client(base_url=locked.url, timeout=30, trust_env=False, headers=headers) as client:
        line = {
            "id": "wire/42",
            "title": "Storm",
            "text": "A storm closed the port of Tromsø.",
            "published": "2024-02-30",
        }
        added = client.post("/v1/articles", json=line)
        assert (added.status_code, added.json()["status"], added.json()["id"]) == (201, "added", "wire/42")
        assert added.json()["warnings"]
        assert client.get("/v1/articles/wire%2F42").json()["published"] is None
        again = client.post("/v1/articles", json=line)
        assert (again.status_code, again.json()["status"]) == (200, "unchanged")
        changed = client.post("/v1/articles", json={**line, "text": "A storm closed the port of Bodø."})
        assert (changed.status_code, changed.json()["status"]) == (200, "updated")
        copy = client.post(
            "/v1/articles", json={"text": "A storm closed the port of Bodø.", "url": "https://x.example/1"}
        )
        assert (copy.status_code, copy.json()["status"], copy.json()["id"]) == (200, "duplicate", "wire/42")
        upload = client.post(
            "/v1/articles", files={"file": ("ferry.md", b"# Ferry\n\nThe **ferry** to Bergen was late.\n")}
        )
        assert upload.status_code == 201
        assert client.get(f"/v1/articles/{upload.json()['id']}").json()["text"] == "The ferry to Bergen was late."
        asked = client.post("/v1/answer", json={"question": "Which port did the storm close?"}).json()
        assert "Bodø" in asked["claims"][0]["text"]
        assert client.delete("/v1/articles/wire%2F42").status_code == 200
        assert client.get("/v1/articles/wire%2F42").status_code == 404
        gone = client.post("/v1/search", json={"query": "storm port of Bodø", "top_k": 100}).json()["passages"]
        assert not any(passage["article_id"] == "wire/42" for passage in gone)


def test_articles_are_listed_in_pages(http: httpx.Client) -> None:
    everything = http.get("/v1/articles").json()
    assert everything["next"] is None
    assert set(everything["articles"][0]) == {
        "id",
        "title",
        "publisher",
        "published",
        "url",
        "passages",
        "version",
    }
    ids, after = [], None
    while True:
        page = http.get("/v1/articles", params={"limit": 3} | ({"after": after} if after else {})).json()
        ids += [article["id"] for article in page["articles"]]
        after = page["next"]
        if after is None:
            break
    assert ids == [article["id"] for article in everything["articles"]]
