from __future__ import annotations

import pytest

from rag.errors import SourceUnreadable
from rag.ingestion.decoding import decode

ENGLISH = "The café’s owner said “no” on Tuesday. Résumés were not read, and the naïve plan failed in the end."
POLISH = "Zażółć gęślą jaźń. Premier powiedział, że rząd będzie dążyć do porozumienia, gdyż święta są później."
RUSSIAN = "Министр иностранных дел заявил, что переговоры продолжатся на следующей неделе."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((ENGLISH, name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")),
        ("Der Außenminister sprach in München über die Verhandlungen.", "latin-1"),
        *((POLISH, name) for name in ("cp1250", "iso8859_2", "utf-8")),
        *((RUSSIAN, name) for name in ("cp1251", "koi8_r", "utf-16")),
        ("قال وزير الخارجية إن المحادثات ستستمر في مسقط الأسبوع المقبل", "cp1256"),
        ("外務大臣は交渉が続くと述べた。マスカットで来週開催される。", "shift_jis"),
    ],
)
def test_finds_the_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_stray_byte_does_not_spoil_utf_8() -> None:
    assert decode("“Naïve”, said the café’s ".encode() + b"g\xe9rant.") == "“Naïve”, said the café’s gérant."
    assert decode("naïve café".encode()[:-1]) == "naïve caf"
    assert decode(b"the caf\xe9") == "the café"


def test_a_declared_encoding_is_respected() -> None:
    assert decode(RUSSIAN.encode("cp866"), declared="cp866") == RUSSIAN
    assert decode("it’s".encode("cp1252"), declared="iso-8859-1") == "it’s"
    assert decode("it’s naïve".encode("cp1252"), declared="punycode") == "it’s naïve"


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n" + bytes(range(0, 255, 3)) * 30])
def test_binary_is_no_text(data: bytes) -> None:
    with pytest.raises(SourceUnreadable, match="not text"):
        decode(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"\x89PNG", "a PNG image"),
        (b"GIF89a", "a GIF image"),
        (b"PK\x03\x04", "a ZIP archive or an Office document"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"{\\rtf1\\ansi Hello}", "an RTF document"),
        (b"\x7fELF", "a program"),
        (b"\xd0\xcf\x11\xe0", "an old Office document"),
    ],
)
def test_what_is_no_text_is_called_by_its_name(data: bytes, kind: str) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        decode(data)
    assert caught.value.message == f"it is not text ({kind})"


def test_a_few_foreign_bytes_are_no_text() -> None:
    with pytest.raises(SourceUnreadable, match="not text"):
        decode(b"\xe3\xd1\xcd")
    assert decode("Мир".encode()) == "Мир"
    assert decode("Мир".encode("cp1251"), declared="cp1251") == "Мир"
