from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rag.records import Event, Question
from ui.chat import mount_page

KEY = "sésame & 1"


class EmptyEngine:
    def count(self) -> int:
        return 0

    def answer(self, question: Question) -> Iterator[Event]:
        return iter(())


@pytest.fixture(scope="module")
def open_client() -> TestClient:
    return TestClient(mount_page(FastAPI(docs_url=None), EmptyEngine()))


@pytest.fixture
def locked_client() -> TestClient:
    return TestClient(mount_page(FastAPI(docs_url=None), EmptyEngine(), auth_key=KEY), follow_redirects=False)


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/gradio_api/proxy=http://127.0.0.1",
        "/gradio_api/upload",
        "/gradio_api/vibe-code",
        "/monitoring",
        "/runs",
    ],
)
def test_what_the_page_does_not_use_is_closed(open_client: TestClient, path: str) -> None:
    assert open_client.get(path).status_code == 404
    assert open_client.post(path).status_code == 404


def test_the_page_may_load_nothing_from_another_host(open_client: TestClient) -> None:
    response = open_client.get("/")
    assert response.status_code == 200
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert "fonts.g" not in response.text


def test_without_the_key_there_is_only_a_form(locked_client: TestClient) -> None:
    assert 'type="password"' in locked_client.get("/").text
    assert "gradio" not in locked_client.get("/").text
    for path in ("/config", "/theme.css", "/gradio_api/queue/data"):
        assert locked_client.get(path).status_code == 401
    wrong = locked_client.post("/sign-in", data={"key": "guess"})
    assert (wrong.status_code, wrong.cookies) == (403, {})
    assert locked_client.post("/sign-in", content=b"key=" + b"x" * 5000).status_code == 403


def test_the_key_opens_the_page(locked_client: TestClient) -> None:
    signed_in = locked_client.post("/sign-in", data={"key": KEY})
    assert signed_in.status_code == 303
    assert "httponly" in signed_in.headers["set-cookie"].lower()
    assert KEY not in signed_in.headers["set-cookie"]
    assert locked_client.get("/config").status_code == 200
