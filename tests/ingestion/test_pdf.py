from __future__ import annotations

import io

import pytest
from pypdf import PdfReader, PdfWriter

from rag.errors import NoArticle
from tests.ingestion.test_documents import FIRST, LINES, SECOND, pdf, read

BODY = LINES[1:]


def described(data: bytes, **said: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.add_metadata({f"/{key}": value for key, value in said.items()})
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_headers_of_two_pages_are_neither_title_nor_text() -> None:
    first = ["Market Wire 23 - no. 1", "Port opens again", *BODY, "Copy for Jo, sheet 1 of 2"]
    second = ["Market Wire 23 - no. 2", "parts at dawn.", "Copy for Jo, sheet 2 of 2"]
    draft = read("port.pdf", pdf(first, second))
    assert draft.title == "Port opens again"
    assert "Market Wire" not in draft.text
    assert draft.text.endswith("began to unload grain and spare parts at dawn.")


def test_rows_of_numbers_and_sentences_are_no_headers() -> None:
    text = read("port.pdf", pdf([*BODY, "12.5 13.7"], ["11.5 19.7", "Page 3 says more."], ["Page 4 says more."])).text
    assert "12.5 13.7" in text
    assert "11.5 19.7" in text
    assert "Page 3 says more." in text


@pytest.mark.parametrize("edge", ["Market Wire - page 1", "Page 1 of 3", "1", "1/3", "Market Wire Page 1 of 3"])
def test_the_page_number_of_a_single_page_is_left_out(edge: str) -> None:
    for lines in ([edge, "Port opens again", *BODY], ["Port opens again", *BODY, edge]):
        draft = read("port.pdf", pdf(lines))
        assert draft.title == "Port opens again"
        assert edge not in draft.text.split("\n\n")


def test_numbers_inside_a_page_and_headlines_about_pages_stay() -> None:
    draft = read("port.pdf", pdf(["Tabloid drops models from page 3", *BODY, "1984", *BODY]))
    assert draft.title == "Tabloid drops models from page 3"
    assert "1984" in draft.text


def test_a_title_that_is_the_header_too_stays_the_title() -> None:
    pages = pdf(["Port opens again", FIRST], ["Port opens again", SECOND])
    draft = read("port.pdf", described(pages, Title="Port opens again"))
    assert (draft.title, draft.text) == ("Port opens again", f"{FIRST}\n\n{SECOND}")


def test_pages_of_nothing_but_headers_hold_no_article() -> None:
    with pytest.raises(NoArticle, match="no text"):
        read("port.pdf", pdf(["Market Wire - page 1"], ["Market Wire - page 2"]))


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("Jo Whitfield", ("Jo Whitfield",)),
        ("Jo Whitfield and Ana de la Cruz", ("Jo Whitfield", "Ana de la Cruz")),
        ("J. R. O'Neill; Ana-Lena Pöhl", ("J. R. O'Neill", "Ana-Lena Pöhl")),
        *((login, ()) for login in ("jwhitfield", "Reuters", "Microsoft Office User", "Desk 12", "News Desk", " ")),
    ],
)
def test_the_author_of_the_file_counts_if_it_is_a_name(author: str, expected: tuple[str, ...]) -> None:
    assert read("port.pdf", described(pdf(LINES), Author=author)).authors == expected


@pytest.mark.parametrize(
    "top",
    [
        ["By Jo Whitfield, Oct. 23, 2025"],
        ["By Jo Whitfield", "Oct. 23, 2025"],
        ["By Jo Whitfield, Thursday, October 23, 2025, 4:05 p.m. GMT"],
    ],
)
def test_byline_and_date_of_a_pdf_are_no_text(top: list[str]) -> None:
    title = "Port of Salalah opens again after a week of storms, says its authority"
    draft = read("port.pdf", pdf([title, *top, *BODY]))
    assert (draft.title, draft.authors) == (title, ("Jo Whitfield",))
    assert (draft.published, draft.published_from) == ("2025-10-23", "text")
    assert draft.text.startswith("The harbour of Salalah")
