from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from rag.ingestion.loading import IngestLimits
from tests.ui.conftest import ScriptedEngine
from ui.page.app import mount_page
from ui.page.session import owner_of

KEY = "sésame & 1"
RULES = IngestLimits(max_bytes=1_000_000)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> ScriptedEngine:
    return ScriptedEngine(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def open_app(engine: ScriptedEngine) -> FastAPI:
    return mount_page(FastAPI(docs_url=None), engine, RULES)


@pytest.fixture(scope="module")
def locked_app(engine: ScriptedEngine) -> FastAPI:
    return mount_page(FastAPI(docs_url=None), engine, RULES, auth_key=KEY)


@pytest.fixture
def open_client(open_app: FastAPI) -> TestClient:
    return TestClient(open_app)


@pytest.fixture
def locked_client(locked_app: FastAPI) -> TestClient:
    return TestClient(locked_app, follow_redirects=False)


@pytest.mark.parametrize(
    "path",
    [
        "/file=/etc/passwd",
        "/gradio_api/call/typed",
        "/gradio_api/component_server",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/info",
        "/gradio_api/mcp/sse",
        "/gradio_api/openapi.json",
        "/gradio_api/proxy=http://127.0.0.1",
        "/gradio_api/stream/x/0/0/playlist.m3u8",
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
        "/gradio_api/vibe-code",
        "/login",
        "/monitoring",
        "/page/../gradio_api/upload",
        "/page/gradio_api/upload",
        "/runs",
        "/upload",
    ],
)
def test_what_the_page_does_not_use_is_closed(open_client: TestClient, path: str) -> None:
    assert open_client.get(path).status_code == 404
    assert open_client.post(path).status_code == 404
    assert open_client.post(path, files={"files": ("a.txt", b"words")}).status_code == 404


@pytest.mark.parametrize("folder", ["/assets/", "/static/", "/svelte/", "/page/", "/gradio_api/heartbeat/../"])
@pytest.mark.parametrize("up", ["../../../../../../etc/passwd", "%2e%2e/%2e%2e/gradio_api/info", "..%2f..%2froutes.py"])
def test_no_way_leads_out_of_the_open_folders(open_client: TestClient, folder: str, up: str) -> None:
    response = open_client.get(folder + up)
    assert response.status_code in (403, 404)
    assert "root:" not in response.text
    assert "named_endpoints" not in response.text


def test_there_are_no_sockets(open_client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), open_client.websocket_connect("/queue/join"):
        pass


@pytest.mark.parametrize("path", ["/", "/config", "/page/article?id=ferry", "/page/article?id=gone"])
def test_the_page_may_load_nothing_from_another_host(open_client: TestClient, path: str) -> None:
    response = open_client.get(path)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_the_page_names_no_font_of_another_host(open_client: TestClient) -> None:
    response = open_client.get("/")
    assert response.status_code == 200
    assert "fonts.g" not in response.text


def test_the_page_makes_its_reader_an_owner_and_reads_articles(open_client: TestClient) -> None:
    open_client.get("/")
    assert owner_of(open_client.cookies) is not None
    article = open_client.get("/page/article", params={"id": "ferry", "marks": "0-23"})
    assert '<mark data-start="0" data-end="23">The ferry left at noon.</mark>' in article.text


def test_without_the_key_there_is_only_a_form(locked_client: TestClient) -> None:
    assert 'type="password"' in locked_client.get("/").text
    assert "gradio" not in locked_client.get("/").text
    assert owner_of(locked_client.cookies) is None
    for path in ("/config", "/theme.css", "/gradio_api/queue/data"):
        assert locked_client.get(path).status_code == 401
    wrong = locked_client.post("/sign-in", data={"key": "guess"})
    assert (wrong.status_code, dict(wrong.cookies)) == (403, {})
    assert locked_client.post("/sign-in", content=b"key=" + b"x" * 5000).status_code == 403


@pytest.mark.parametrize("kind", ["md", "json"])
def test_without_the_key_no_article_and_no_conversation_can_be_read(
    locked_client: TestClient, engine: ScriptedEngine, kind: str
) -> None:
    shared = engine.conversations.begin("somebody", "Ferry")
    engine.conversations.share(shared.id, "somebody", True)
    for path in ("/page/article?id=ferry", f"/page/conversations/{shared.id}.{kind}", "/page/articles"):
        refused = locked_client.get(path)
        assert (refused.status_code, refused.text) == (401, "Sign in at / first.")
        assert locked_client.post(path).status_code == 401
    locked_client.post("/sign-in", data={"key": KEY})
    assert locked_client.get("/page/article?id=ferry").status_code == 200
    assert locked_client.get(f"/page/conversations/{shared.id}.{kind}").status_code == 200


def test_the_key_opens_the_page(locked_client: TestClient) -> None:
    signed_in = locked_client.post("/sign-in", data={"key": KEY})
    assert signed_in.status_code == 303
    assert "httponly" in signed_in.headers["set-cookie"].lower()
    assert KEY not in signed_in.headers["set-cookie"]
    assert locked_client.get("/config").status_code == 200
    assert locked_client.get("/").status_code == 200
    assert owner_of(locked_client.cookies) is not None


def test_another_page_may_not_write(open_client: TestClient) -> None:
    def posted(**headers: str) -> int:
        return open_client.post("/gradio_api/run/predict", json={}, headers=headers).status_code

    assert posted(origin="http://evil.example") == 403
    assert posted(origin="null") == 403
    assert posted(origin="http://testserver:81") == 403
    assert posted(origin="http://testserver") != 403
    assert posted() != 403
    answer = open_client.get("/config", headers={"origin": "http://evil.example"})
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


def test_a_link_is_followed_after_the_sign_in(locked_client: TestClient) -> None:
    assert 'action="/sign-in?conversation=abc_-9"' in locked_client.get("/?conversation=abc_-9").text
    signed_in = locked_client.post("/sign-in?conversation=abc_-9", data={"key": KEY})
    assert signed_in.headers["location"] == "/?conversation=abc_-9"
    hostile = '"><script>'
    assert hostile not in locked_client.get("/", params={"conversation": hostile}).text
    assert locked_client.post("/sign-in?conversation=//evil.example", data={"key": KEY}).headers["location"] == "/"
