from __future__ import annotations

import io
import logging
import time
import zlib

import pytest
from pypdf import PdfReader, PdfWriter

from rag.errors import NoArticle, SourceUnreadable
from rag.ingestion.documents import draft_from_bytes, draft_from_record
from rag.records import Document

FIRST = "The harbour of Salalah opened again on Tuesday after a week of storms, the port authority said."
SECOND = "Ships that had waited off the coast since Friday began to unload grain and spare parts at dawn."
THIRD = "Insurance rates rose by 4% during the closure, brokers said, and are not expected to fall soon."


def read(name: str, data: str | bytes, url: str | None = None) -> Document:
    return draft_from_bytes(name, data.encode() if isinstance(data, str) else data, source=None, url=url)


# Plain text


def test_text_with_a_heading() -> None:
    draft = read("port.txt", f"Port Opens Again\r\n\r\nBy Jane Roe\r\n\r\n{FIRST}\r\n\r\n{SECOND}\r\nSource link")
    assert draft.title == "Port Opens Again"
    assert draft.authors == ("Jane Roe",)
    assert draft.text == f"{FIRST}\n\n{SECOND}"
    assert draft.published is draft.published_from is draft.url is draft.publisher is None


@pytest.mark.parametrize("data", ["", " \n\n ", "\ufeff", "* * *\n\n\u200b", "Source link\n\nAdvertisement"])
def test_a_file_without_text_holds_no_article(data: str) -> None:
    with pytest.raises(NoArticle):
        read("port.txt", data)


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"PK\x03\x04" + b"abc" * 100, b"\x1f\x8b\x08" + b"a" * 50])
def test_binary_named_txt_is_unreadable(data: bytes) -> None:
    with pytest.raises(SourceUnreadable, match="not text"):
        read("port.txt", data)


def test_a_page_saved_as_txt_is_read_as_a_page() -> None:
    draft = read("port.txt", f"<!DOCTYPE html><html><body><article><p>{FIRST}</p></article></body></html>")
    assert draft.text == FIRST


def test_a_text_in_another_language_comes_with_a_warning() -> None:
    (warning,) = read("port.txt", "Министр иностранных дел заявил, что переговоры продолжатся.").warnings
    assert "knows English" in warning
    assert "Cyrillic" in warning


@pytest.mark.parametrize("name", ["Jo Whitfield", "Jane Roe", "Ana de la Cruz"])
def test_a_byline_with_a_date_gives_both(name: str) -> None:
    draft = read("port.txt", f"Port Opens Again\n\nBy {name}, Oct. 23, 2025\n\n{FIRST}")
    assert (draft.authors, draft.published, draft.text) == ((name,), "2025-10-23", FIRST)
    prose = f"{FIRST}\n\nBy {name}, who was there, Oct. 23, 2025 was no day like others."
    assert read("port.txt", prose).text == prose


@pytest.mark.parametrize("text", ["外務大臣は交渉", "外交部长表示谈判将在下周继续进行"])
def test_the_script_of_east_asia_is_named_in_plain_words(text: str) -> None:
    (warning,) = read("port.txt", text).warnings
    assert warning.endswith("this looks like Chinese, Japanese or Korean")


@pytest.mark.parametrize("data", ['[{"text": "a"}]', '\ufeff\n{"text": "a"}', "["])
def test_json_is_no_article(data: str) -> None:
    with pytest.raises(SourceUnreadable, match=r"it is JSON.*one JSON object a line into a \.jsonl"):
        read("port.json", data)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("label", ["Title", "HEADLINE", "title "])
def test_the_header_of_a_text_is_read(label: str, end: str) -> None:
    header = [
        *(f"\ufeff{label}: Port opens: again", "Date: March 15, 2024", "By Jane Roe", "publisher: Gulf Daily"),
        "URL: https://gulf.example/port",
    ]
    draft = read("port.txt", end.join([*header, "", FIRST, "", SECOND]))
    assert (draft.title, draft.publisher, draft.url) == (
        "Port opens: again",
        "Gulf Daily",
        "https://gulf.example/port",
    )
    assert (draft.published, draft.authors) == ("2024-03-15", ("Jane Roe",))
    assert (draft.text, draft.warnings) == (f"{FIRST}\n\n{SECOND}", ())


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Date: 2024-03-15\nTitle: Port opens", ("Port opens", "2024-03-15", None, (), None)),
        ("Title: Port opens\n\nDate: 2024-03-15\nBy Jane Roe", ("Port opens", "2024-03-15", None, ("Jane Roe",), None)),
        ("Title: Port opens\nSource: Gulf Daily", ("Port opens", None, "Gulf Daily", (), None)),
        ("Title: Port opens\nSource: https://a.example/b", ("Port opens", None, None, (), "https://a.example/b")),
        ("Title: Port opens\nAuthors: J. Roe and A. Pohl", ("Port opens", None, None, ("J. Roe", "A. Pohl"), None)),
        ("Title: Port opens\nPublished: 2024-03-15 10:00", ("Port opens", "2024-03-15", None, (), None)),
    ],
)
def test_what_a_header_says(header: str, said: tuple[object, ...]) -> None:
    draft = read("port.txt", f"{header}\n\n{FIRST}")
    day = draft.published[:10] if draft.published else None
    assert (draft.title, day, draft.publisher, draft.authors, draft.url) == said
    assert (draft.text, draft.warnings) == (FIRST, ())


def test_a_date_of_a_header_that_cannot_be_read_is_warned_of() -> None:
    draft = read("port.txt", f"Title: Port opens\nDate: some day soon\n\n{FIRST}")
    assert (draft.title, draft.published, draft.text) == ("Port opens", None, FIRST)
    assert "some day soon" in draft.warnings[0]


@pytest.mark.parametrize(
    "body",
    [
        f"Source: the port authority, which spoke on Tuesday.\n{FIRST}",  # no title stands above it
        f"{FIRST}\n\nTitle: The Port\n\n{SECOND}",  # not at the top
        f"Title: a word that the port authority uses for what others call a deed or a lease of land.\n\n{FIRST}",
        "Title: The Port",  # nothing stands below it
        f"Title:\n\n{FIRST}",
    ],
)
def test_a_line_of_the_body_is_no_header(body: str) -> None:
    draft = read("port.txt", body)
    assert draft.text.split() == body.split()
    assert draft.publisher is None


# Markdown

FRONT = """---
title: "Port opens: again"
publisher: Gulf Daily
authors: [Jane Roe, Ana Pohl]
published: 2024-02-03
url: https://gulf.example/port
mood: {sunny: yes}
---
"""


def test_front_matter_is_read() -> None:
    draft = read("port.md", f"{FRONT}\n# Port opens: again\n\n{FIRST}\n\n{SECOND}\n")
    assert (draft.title, draft.publisher, draft.authors) == (
        "Port opens: again",
        "Gulf Daily",
        ("Jane Roe", "Ana Pohl"),
    )
    assert (draft.published, draft.published_from) == ("2024-02-03", "front matter")
    assert draft.url == "https://gulf.example/port"
    assert draft.text == f"{FIRST}\n\n{SECOND}"
    assert draft.warnings == ()


def test_the_first_heading_is_the_title_when_none_is_given() -> None:
    draft = read(
        "port.md", f"---\nauthor: Jane Roe; Ana Pohl\n---\n# The *Port* opens\n\n{FIRST}\n\n## Then\n\n{SECOND}"
    )
    assert (draft.title, draft.authors) == ("The Port opens", ("Jane Roe", "Ana Pohl"))
    assert draft.text == f"{FIRST}\n\nThen\n\n{SECOND}"


def test_markdown_syntax_is_resolved() -> None:
    source = (
        'The **port** of [Salalah](https://a.example "x") ![ship](a.png) paid `\\$7` million\\* for <b>it</b>,\n'
        "_they_ said.\n\n- One ~~thing~~\n- Another\n\n```\ncode()\n```\n\n| a | b |\n|---|---|\n| c | d |\n\n"
        "<script>alert(1)</script>\n\n> Quoted &amp; done."
    )
    text = read("port.md", source).text
    assert text.startswith("The port of Salalah paid \\$7 million* for it, they said.\n\nOne thing\nAnother\n\ncode()")
    assert text.endswith("code()\n\na | b\nc | d\n\nQuoted & done.")
    assert "alert" not in text


@pytest.mark.parametrize("block", ["title: [unclosed", "a: b: c", "[" * 5000, "&a [*a]", "\t- x"])
def test_broken_front_matter_is_left_out_with_a_warning(block: str) -> None:
    draft = read("port.md", f"---\n{block}\n---\n{FIRST}")
    assert draft.text == FIRST
    assert "front matter" in draft.warnings[0] or block == "&a [*a]"


@pytest.mark.parametrize("rest", ["", "\n\n---\n\nAnd more was said later on."])
def test_front_matter_that_is_never_closed_is_left_out_with_a_warning(rest: str) -> None:
    front = "---\ntitle: never ends\npublished: 2024-01-02\ntags:\n  - a\n- b"
    draft = read("port.md", f"{front}\n\n# Port opens again\n\n{FIRST}{rest}")
    assert (draft.title, draft.published) == ("Port opens again", None)
    assert draft.text.startswith(FIRST)
    assert ("And more" in draft.text) == bool(rest)
    assert "never closed" in draft.warnings[0]
    assert read("port.md", f"{front}\n{FIRST}").title.startswith("The harbour of Salalah")


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    draft = read("port.md", f"---\n\n{FIRST}")
    assert (draft.text, draft.warnings) == (FIRST, ())


@pytest.mark.parametrize("published", ["2024-13-45", "soon", "05/06/2024", "{a: b}"])
def test_an_unreadable_date_leaves_the_article_undated(published: str) -> None:
    draft = read("port.md", f"---\npublished: {published}\n---\n{FIRST}")
    assert draft.published is None
    assert draft.warnings or published.startswith("{")


def test_an_address_that_is_none_is_left_out() -> None:
    draft = read("port.md", f"---\nurl: 'javascript:alert(1)'\n---\n{FIRST}")
    assert draft.url is None
    assert "javascript" in draft.warnings[0]


@pytest.mark.parametrize("unit", ["![[", "[", "![", "[a][", "[](", "[aaaaa\n"])
def test_markdown_made_of_brackets_takes_little_time(unit: str) -> None:
    started = time.perf_counter()
    draft = read("port.md", f"{FIRST}\n\n" + unit * (300_000 // len(unit)))
    assert time.perf_counter() - started < 3
    assert draft.text.startswith(FIRST)


def test_a_long_list_of_links_is_still_markdown() -> None:
    links = "\n".join(f"- [Day {n}](https://a.example/{n}) of the storm." for n in range(3000))
    text = read("port.md", f"# Port\n\n{FIRST}\n\n{links}").text
    assert text.endswith("Day 2998 of the storm.\nDay 2999 of the storm.")


@pytest.mark.parametrize(
    "block", ["<div><![<![ x</div>", "<div>\n<![if !IE]>\n</div>", "<!-- a", "<div><a b='", "<? x", "<plaintext>"]
)
def test_broken_html_in_markdown_is_left_out(block: str) -> None:
    assert read("port.md", f"{FIRST}\n\n{block}").text == FIRST


# HTML

ARTICLE = f"<article><h1>Port opens again</h1><p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p></article>"


def page(body: str = ARTICLE, head: str = "") -> str:
    return (
        f"<!doctype html><html><head><title>Port opens again | Gulf Daily</title>{head}</head><body>"
        f"<nav><a href='/'>Home</a><a href='/w'>World</a></nav>{body}<footer>© 2024 Gulf Daily</footer></body></html>"
    )


def test_the_article_of_a_page() -> None:
    head = (
        "<meta property='og:site_name' content='Gulf Daily'><meta name='author' content='Jane Roe'>"
        "<meta property='article:published_time' content='2024-02-03T08:00:00+04:00'>"
        "<link rel='canonical' href='https://gulf.example/port'>"
    )
    draft = read("port.html", page(head=head))
    assert draft.text == f"{FIRST}\n\n{SECOND}\n\n{THIRD}"
    assert (draft.title, draft.publisher, draft.authors) == ("Port opens again", "Gulf Daily", ("Jane Roe",))
    assert (draft.published, draft.published_from) == ("2024-02-03T08:00:00+04:00", "meta")
    assert draft.url == "https://gulf.example/port"


@pytest.mark.parametrize(
    ("head", "body", "url", "expected"),
    [
        (
            '<script type="application/ld+json">{"@graph": [{"datePublished": "2024-02-03"}]}</script>',
            "",
            None,
            "json-ld",
        ),
        ("", "<time datetime='2024-02-03'>Saturday</time>", None, "time element"),
        ("", "", "https://gulf.example/2024/02/03/port", "address"),
    ],
)
def test_where_the_date_was_found_is_kept(head: str, body: str, url: str | None, expected: str) -> None:
    draft = read("port.html", page(body + ARTICLE, head), url=url)
    assert (draft.published, draft.published_from) == ("2024-02-03", expected)


def test_a_date_is_not_read_out_of_the_prose() -> None:
    body = ARTICLE.replace("on Tuesday", "on February 3, 2024")
    teasers = "<time datetime='2020-01-01'>a</time><time datetime='2020-01-02'>b</time>"
    assert read("port.html", page(body + teasers)).published is None
    broken = '<script type="application/ld+json">{"datePublished": </script><meta name="date" content="soon">'
    assert read("port.html", page(head=broken)).published is None


def test_a_fetched_page_stands_at_the_address_it_was_fetched_from() -> None:
    head = "<link rel='canonical' href='https://elsewhere.example/'>"
    assert read("port.html", page(head=head), url="https://gulf.example/port").url == "https://gulf.example/port"


def test_very_short_pages_are_read() -> None:
    short = read("a.html", "<html><body><article><h1>Bridge</h1><p>The bridge is open.</p></article></body></html>")
    assert (short.title, short.text) == ("Bridge", "The bridge is open.")
    plain = read("a.html", "<html><body><h1>Bridge</h1><p>The bridge is open again after two years.</p></body></html>")
    assert plain.text == "The bridge is open again after two years."


def test_line_breaks_of_a_page_keep_words_apart() -> None:
    body = (
        "<article><h1>Ferry sinks off Dorn</h1><p>By Ann Lee<br>DORN - A ferry sank off Dorn on Sunday, the coast"
        " guard said.<br><br>All 40 people on board were saved by fishermen, the guard added.</p></article>"
    )
    draft = read("a.html", f"<html><body>{body}</body></html>")
    assert draft.authors == ("Ann Lee",)
    assert draft.text == (
        "DORN - A ferry sank off Dorn on Sunday, the coast guard said.\n\n"
        "All 40 people on board were saved by fishermen, the guard added."
    )


def test_an_old_page_has_line_breaks_for_paragraphs() -> None:
    draft = read(
        "a.html",
        "<html><head><title>Mill burns</title></head><body><font size=5><b>Mill burns in Trent</b></font><br><br>"
        "Fire destroyed the old cotton mill in Trent on Friday night, the fire chief said.<br><br>"
        "Chief Al Moreno put the damage at $3 million. Nobody was hurt.<br><br>"
        "The mill closed in 1984. The owner had planned to turn it into flats.<br></body></html>",
    )
    assert "said.\n\nChief Al Moreno put the damage at $3 million. Nobody was hurt.\n\nThe mill" in draft.text


def test_an_article_inside_an_article_is_read_once() -> None:
    inner = "<article><div><article><p>Cars pass.</p></article></div></article>"
    outer = f"<article><p>The bridge is open.</p>{inner}</article>"
    draft = read("a.html", f"<html><body>{outer}<article><p>It is blue.</p></article></body></html>")
    assert draft.text == "The bridge is open.\n\nCars pass.\n\nIt is blue."


@pytest.mark.parametrize(
    "body",
    [
        *("", "<p>Menu</p>", "<nav><p>Read all that we wrote about the port of Salalah here.</p></nav>"),
        "<script>var text = 'The bridge is open again after two years of repairs.'</script>",
        "<ul><li><a href=1>Port opens</a></li><li><a href=2>Bridge closes</a></li></ul>",
    ],
)
def test_a_page_without_an_article(body: str) -> None:
    with pytest.raises(NoArticle):
        read("a.html", f"<html><body>{body}</body></html>")


def test_the_declared_encoding_of_a_page_is_respected() -> None:
    text = "Министр иностранных дел заявил, что переговоры продолжатся."
    data = f"<html><head><meta charset=cp866></head><body><article><p>{text}</p></article></body></html>"
    assert read("a.html", data.encode("cp866")).text == text


# PDF


def pdf(*pages: list[str]) -> bytes:
    """A PDF of text lines, written by hand."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        shown = " ".join(f"({line}) Tj T*" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        contents = len(objects)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {contents} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body, offsets = "%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{item}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


LINES = [
    "Port opens again",
    "The harbour of Salalah opened again on Tuesday after a week of storms, the port autho-",
    "rity said. A cease-fire between its owners had been signed, but the cease-",
    "fire was short.",
    "Ships that had waited off the coast since Friday began to unload grain and spare",
]


def test_the_lines_of_a_pdf_become_paragraphs() -> None:
    draft = read("port.pdf", pdf([*LINES, "1"], ["parts at dawn.", "2"]))
    assert draft.title == "Port opens again"
    assert draft.text == (
        "The harbour of Salalah opened again on Tuesday after a week of storms, the port authority said. "
        "A cease-fire between its owners had been signed, but the cease-fire was short.\n\n"
        "Ships that had waited off the coast since Friday began to unload grain and spare parts at dawn."
    )


def test_headers_that_repeat_are_left_out() -> None:
    pages = [
        ["Gulf Daily", f"Page {number} says something of its own.", f"Page {number} of 4"] for number in range(1, 5)
    ]
    text = read("port.pdf", pdf(*pages)).text
    assert "Gulf Daily" not in text
    assert "of 4" not in text
    assert text.count("says something of its own.") == 4


def test_a_scan_holds_no_text() -> None:
    with pytest.raises(NoArticle, match="only images"):
        read("scan.pdf", pdf([]))


def locked(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(LINES))))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_an_encrypted_pdf() -> None:
    with pytest.raises(SourceUnreadable, match="encrypted"):
        read("port.pdf", locked("secret"))
    assert read("port.pdf", locked("")).title == "Port opens again"


def test_a_truncated_pdf_is_one_clear_line(caplog: pytest.LogCaptureFixture) -> None:
    whole = pdf(LINES)
    with caplog.at_level(logging.WARNING):
        for cut in range(5, len(whole), 97):
            try:
                draft = read("port.pdf", whole[:cut])
            except (SourceUnreadable, NoArticle) as error:
                assert "\n" not in str(error)
            else:
                assert "Salalah" in draft.text
        with pytest.raises(SourceUnreadable):
            read("port.pdf", whole[:300])
        with pytest.raises(SourceUnreadable):
            read("port.pdf", b"no pdf at all")
    assert not [record for record in caplog.records if record.name.startswith("pypdf")]


def test_a_pdf_that_unfolds_into_a_flood_is_refused_or_read() -> None:
    bomb = zlib.compress(b" " * 300_000_000)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(bomb) + bomb + b"\nendstream"
    whole = pdf(["x"])
    start = whole.index(b"<< /Length")
    end = whole.index(b"endstream") + len(b"endstream")
    with pytest.raises((SourceUnreadable, NoArticle)):
        read("bomb.pdf", whole[:start] + stream + whole[end:])


# Records


def test_a_record_keeps_what_it_says() -> None:
    record = {
        **{
            "text": f"{FIRST}\n\n{SECOND}",
            "title": " Port\nopens ",
            "url": "https://gulf.example/port",
            "id": "port-1",
        },
        **{"publisher": "Gulf Daily", "authors": "Jane Roe, Ana Pohl", "published": "2024-02-03T08:00:00Z", "extra": 1},
    }
    draft = draft_from_record(record, where="dump.jsonl:1")
    assert (draft.id, draft.source, draft.url) == ("port-1", "id:port-1", "https://gulf.example/port")
    assert (draft.title, draft.publisher, draft.authors) == ("Port opens", "Gulf Daily", ("Jane Roe", "Ana Pohl"))
    assert (draft.published, draft.published_from) == ("2024-02-03T08:00:00+00:00", "record")
    assert draft.text == f"{FIRST}\n\n{SECOND}"


def test_the_source_of_a_record() -> None:
    assert draft_from_record({"text": FIRST, "_id": 7}, where="x").source == "id:7"
    assert draft_from_record({"text": FIRST, "url": "https://a.example/b"}, where="x").source == "https://a.example/b"
    assert draft_from_record({"text": FIRST, "url": "nowhere"}, where="x").source is None
    assert draft_from_record({"text": FIRST, "id": None, "authors": None, "title": ""}, where="x").source is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": 5},
        {"text": ["a"]},
        {"title": 5},
        {"id": [1]},
        {"id": True},
        {"authors": {}},
        {"date": 2024},
    ],
)
def test_a_record_of_wrong_types_is_one_clear_line(wrong: dict[str, object]) -> None:
    with pytest.raises(SourceUnreadable, match=r"dump\.jsonl:7") as caught:
        draft_from_record({"text": FIRST, **wrong}, where="dump.jsonl:7")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("empty", [{}, {"text": ""}, {"text": None}, {"text": " \n"}])
def test_a_record_without_text_holds_no_article(empty: dict[str, object]) -> None:
    with pytest.raises(NoArticle):
        draft_from_record(empty, where="dump.jsonl:7")


def test_a_record_with_an_unreadable_date_is_taken_undated() -> None:
    draft = draft_from_record({"text": f"May 31, 2023\n\n{FIRST}", "published": "soonish"}, where="x")
    assert draft.published is None
    assert "soonish" in draft.warnings[0]


@pytest.mark.parametrize(
    "odd",
    [
        *("\ud800", "a\udfffb", ".", "..", " .. ", "a\x1b[31m", "a\nb", "a\x00", "\x9b1", "a\u2028b", "\u202eb"),
        *("x" * 201, 10**250),
    ],
)
@pytest.mark.parametrize("key", ["id", "_id"])
def test_an_id_that_cannot_be_kept_or_addressed_is_refused(odd: str | int, key: str) -> None:
    with pytest.raises(SourceUnreadable, match=r"^dump\.jsonl:7: '_?id' ") as caught:
        draft_from_record({"text": FIRST, key: odd}, where="dump.jsonl:7")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("usual", ["a/b?c#d", "...", "x" * 200, "порт 7", "e\u0301", "👩\u200d🚀", "-1"])
def test_any_other_id_is_kept_as_it_is(usual: str) -> None:
    assert draft_from_record({"text": FIRST, "id": usual}, where="x").id == usual


@pytest.mark.parametrize("odd", ["\ud800", "\x1b[31m", "\x00", "\x9b", "\u2028", "\u202e"])
def test_whatever_a_record_says_can_be_stored_and_shown(odd: str) -> None:
    said = dict.fromkeys(("title", "publisher", "published"), f"a {odd} b")
    record = {"text": f"{FIRST}{odd}", **said, "authors": [f"Jane{odd}Roe"], "url": f"https://a.example/{odd}b"}
    draft = draft_from_record(record, where="x")
    assert draft.url is None
    shown = (draft.text, draft.title, draft.publisher, *draft.authors, *draft.warnings)
    assert all(text and text.isprintable() and text.encode() for text in shown), shown


@pytest.mark.parametrize(
    ("authors", "expected"),
    [([1, 2], "'authors' holds a number, not only names"), (["a", None], "'authors' holds null, not only names")],
)
def test_what_is_wrong_with_the_authors_is_said(authors: list[object], expected: str) -> None:
    with pytest.raises(SourceUnreadable, match=f"^x: {expected}"):
        draft_from_record({"text": FIRST, "authors": authors}, where="x")
