from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag.errors import LibraryError, UnknownArticle
from rag.records import Article, StoredExchange
from rag.storage.conversations import Conversations
from rag.storage.database import Database
from tests.ui.markup import HOSTILE, TEXT, Markup, answer
from ui.page.routes import page_routes
from ui.page.session import OwnerCookie, owner_of

FERRY = Article("ferry", 1, "Ferry on time", TEXT, "The Gull", published="2024-05-02")
LATER = replace(FERRY, version=2, text="The ferry is late. " + TEXT)


class Archive:
    """One article in two versions, and conversations in a real database."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "library.sqlite3")
        self.conversations = Conversations(self.database)
        self.versions = [FERRY, LATER]
        self.broken = False

    def article(self, article_id: str, version: int | None = None) -> Article:
        if self.broken:
            raise LibraryError("a path of this server", "")
        found = [each for each in self.versions if each.id == article_id and version in (None, each.version)]
        if not found:
            raise UnknownArticle(article_id)
        return found[-1]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def other(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"other {request.url.path}")


def reader(archive: Archive) -> TestClient:
    """A browser of its own that has seen the page."""
    page = page_routes(archive, [Route("/page/more", other)], PlainTextResponse("the page"))
    client = TestClient(OwnerCookie(page))
    assert client.get("/").text == "the page"
    return client


def owner(client: TestClient) -> str:
    return owner_of(client.cookies) or ""


# Articles


def test_an_article_comes_with_its_marks(archive: Archive) -> None:
    response = reader(archive).get("/page/article", params={"id": "ferry", "marks": "19-42 43-59"})
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Markup(response.text)
    assert page.marks == ["The ferry left at noon.", "Nobody was hurt."]
    assert page.words.endswith(LATER.text)
    assert page.inert()


def test_the_version_that_was_quoted_is_shown_and_says_that_there_is_a_newer_one(archive: Archive) -> None:
    def shown(**query: str) -> str:
        return Markup(reader(archive).get("/page/article", params={"id": "ferry", **query}).text).words

    assert "has been updated since" in shown(version="1")
    assert "is late" not in shown(version="1")
    assert "has been updated since" not in shown(version="2")
    assert "is late" in shown()
    assert "is late" in shown(version="one")


@pytest.mark.parametrize("query", [{"id": "nobody"}, {"id": "ferry", "version": "7"}, {}])
def test_what_is_no_longer_there_says_so(archive: Archive, query: dict[str, str]) -> None:
    response = reader(archive).get("/page/article", params={**query, "title": "Ferry on time"})
    assert response.status_code == 404
    assert Markup(response.text).words == "Ferry on timeThis article has been removed from the library."


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_an_address_and_of_an_article_are_inert(archive: Archive, words: str) -> None:
    archive.versions = [replace(FERRY, id=words, title=words, text=words, publisher=words, url=words)]
    there = reader(archive).get("/page/article", params={"id": words, "title": words, "marks": words})
    gone = reader(archive).get("/page/article", params={"id": "gone", "title": words, "version": words})
    assert (there.status_code, gone.status_code) == (200, 404)
    for page in (Markup(there.text), Markup(gone.text)):
        assert page.inert(), page.tags
        assert words in page.words


@pytest.mark.parametrize(
    ("marks", "marked"),
    [
        ("0-3 9999-10000 5-5 8-2", ["The"]),
        ("0-999999999", [TEXT]),
        ("-3 3- a-b 0-1-2 0x1-0x2 1.5-2 0–3 --", []),
        ("12345678901234567890-12345678901234567891", []),
        (" ".join(["0-3"] * 10 + ["4-9"] * 10), ["The", "ferry"]),
        ("", []),
    ],
)
def test_marks_of_no_use_are_passed_over(archive: Archive, marks: str, marked: list[str]) -> None:
    archive.versions = [FERRY]
    response = reader(archive).get("/page/article", params={"id": "ferry", "marks": marks})
    assert response.status_code == 200
    assert Markup(response.text).marks == marked


def test_of_thousands_of_marks_the_first_are_drawn(archive: Archive) -> None:
    archive.versions = [replace(FERRY, text="ab" * 10_000)]
    marks = " ".join(f"{start}-{start + 1}" for start in range(0, 10_000, 2))
    page = Markup(reader(archive).get("/page/article", params={"id": "ferry", "marks": marks}).text)
    assert page.marks == ["a"] * 200
    assert page.words.endswith("ab" * 10_000)


# Conversations


def test_a_conversation_is_exported_to_its_owner_under_its_title(archive: Archive) -> None:
    client = reader(archive)
    kept = archive.conversations.begin(owner(client), "When did it leave?")
    archive.conversations.keep(kept.id, owner(client), StoredExchange("k", "When did it leave?", answer()))
    text = client.get(f"/page/conversations/{kept.id}.md")
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert text.headers["content-disposition"] == 'attachment; filename="when-did-it-leave.md"'
    assert text.text.startswith("# When did it leave?\n")
    record = client.get(f"/page/conversations/{kept.id}.json")
    assert record.headers["content-type"] == "application/json"
    assert record.headers["content-disposition"] == 'attachment; filename="when-did-it-leave.json"'
    assert json.loads(record.text)["exchanges"][0]["answer"]["id"] == "a"


@pytest.mark.parametrize("kind", ["md", "json"])
def test_somebody_elses_is_exported_only_while_it_is_shared(archive: Archive, kind: str) -> None:
    mine, theirs = reader(archive), reader(archive)
    kept = archive.conversations.begin(owner(mine), "A secret")
    address = f"/page/conversations/{kept.id}.{kind}"
    nameless = TestClient(mine.app)
    for client in (theirs, nameless):
        refused = client.get(address)
        assert (refused.status_code, refused.text) == (404, "There is no such conversation.")
        assert "content-disposition" not in refused.headers
    archive.conversations.share(kept.id, owner(mine), True)
    assert theirs.get(address).status_code == nameless.get(address).status_code == 200
    archive.conversations.share(kept.id, owner(mine), False)
    assert theirs.get(address).status_code == 404
    archive.conversations.delete(kept.id, owner(mine))
    assert mine.get(address).status_code == 404


def test_only_two_kinds_of_export_exist(archive: Archive) -> None:
    client = reader(archive)
    kept = archive.conversations.begin(owner(client), "Ferry")
    for kind in ("html", "exe", "md.exe", "sqlite3"):
        assert client.get(f"/page/conversations/{kept.id}.{kind}").status_code == 404


def test_a_library_that_cannot_be_read_is_one_sentence_without_internals(archive: Archive) -> None:
    client = reader(archive)
    kept = archive.conversations.begin(owner(client), "Ferry")
    archive.broken = True
    archive.database.close()
    Path(archive.database.path).unlink()
    Path(archive.database.path).mkdir()
    for path in ("/page/article?id=ferry", f"/page/conversations/{kept.id}.md"):
        response = client.get(path)
        assert (response.status_code, response.text) == (503, "The library cannot be read just now.")
        assert response.headers["content-type"].startswith("text/plain")


def test_other_parts_have_their_routes_and_the_page_all_the_rest(archive: Archive) -> None:
    client = reader(archive)
    assert client.get("/page/more").text == "other /page/more"
    assert client.get("/config").text == "the page"
