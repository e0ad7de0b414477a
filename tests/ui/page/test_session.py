from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.page.session import OwnerCookie, owner_of

ID = "A-_" + "z" * 40


def everything(request: Request) -> PlainTextResponse:
    response = PlainTextResponse("here")
    response.set_cookie("another", "kept")
    return response


def client(base_url: str = "http://testserver") -> TestClient:
    return TestClient(OwnerCookie(Starlette(routes=[Route("/{path:path}", everything)])), base_url=base_url)


def given(browser: TestClient, path: str = "/", **headers: str) -> list[str]:
    """What a visit sets as the owner's cookie."""
    response = browser.get(path, headers={name.encode(): value.encode("latin-1") for name, value in headers.items()})
    return [each for each in response.headers.get_list("set-cookie") if each.startswith("dateline_owner=")]


def test_the_first_visit_gets_an_id_that_no_script_and_no_other_site_can_use() -> None:
    (cookie,) = given(client())
    value, *attributes = cookie.lower().split("; ")
    assert {"httponly", "samesite=lax", "path=/", "max-age=31536000"} <= set(attributes)
    assert "secure" not in attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    assert len(value) == len("dateline_owner=") + 43


def test_over_https_it_never_travels_in_the_clear() -> None:
    (cookie,) = given(client("https://testserver"))
    assert "secure" in cookie.lower().split("; ")


def test_the_id_stays_on_the_next_visit_and_is_read_back() -> None:
    browser = client()
    (cookie,) = given(browser)
    # The same id again, for another year.
    assert given(browser) == [cookie]
    assert owner_of(browser.cookies) == cookie.split(";")[0].removeprefix("dateline_owner=")


def test_every_browser_gets_another() -> None:
    assert len({given(client())[0].split(";")[0] for _ in range(9)}) == 9


@pytest.mark.parametrize("path", ["/config", "/page/article", "/gradio_api/queue/join", "/index.html"])
def test_only_the_page_itself_carries_it(path: str) -> None:
    assert given(client(), path) == []


@pytest.mark.parametrize("broken", ["", "short", ID + "a", ID[:-1] + "!", ID[:-1] + "é", "../" + ID[3:]])
def test_a_broken_id_is_replaced(broken: str) -> None:
    assert owner_of({"dateline_owner": broken}) is None
    assert len(given(client(), cookie=f"dateline_owner={broken}")) == 1


def test_a_sound_id_stays_and_other_cookies_go_through() -> None:
    (cookie,) = given(client(), cookie=f"theme=dark; dateline_owner={ID}")
    assert cookie.startswith(f"dateline_owner={ID};")
    assert client().get("/").cookies["another"] == "kept"


def test_without_a_cookie_nobody_is_the_owner() -> None:
    assert owner_of({}) is None
    assert owner_of({"dateline_owner": ID}) == ID
    assert owner_of({"dateline": ID}) is None
