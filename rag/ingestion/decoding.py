"""Bytes to text: byte order marks, UTF-8, then the likeliest single- or multi-byte encoding."""

from __future__ import annotations

import codecs
import re

from rag.errors import SourceUnreadable

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = (
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
)
_REMEDY = "give a text, Markdown, HTML, PDF or .jsonl file"
_TOO_SHORT = 16  # bytes from which no encoding can be told, where most of them are foreign
_SAMPLE = 20_000
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_LATIN = ("cp1252", "cp1250", "iso8859_2", "cp1254")
_TOUCHING_SYMBOL = re.compile(r"(?<=[^\W\d_])[¡-©«-´¶-¹»-¿×÷�]|[¡-©«-´¶-¹¼-¿×÷�](?=[^\W\d_])")
_TRUSTED = re.compile(r"windows-?\d|cp\d|iso-?8859|latin|us-ascii|koi8|gb|big5|shift|sjis|euc|mac|tis", re.IGNORECASE)
_LATIN_1 = re.compile(r"iso-?8859-?1|latin-?1|us-ascii", re.IGNORECASE)
_CANDIDATES = [
    *("cp1252", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
]


def decode(data: bytes, *, declared: str | None = None) -> str:
    """The text of a file or a response; `declared` is the encoding its sender names.

    Raises SourceUnreadable if the bytes are no text.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            raise SourceUnreadable(f"it is not text ({kind})", _REMEDY)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    if bare := _utf16_without_mark(data):
        return data.decode(bare, errors="replace")
    if len(_BINARY.findall(data, 0, _SAMPLE)) > len(data[:_SAMPLE]) / 100:
        raise SourceUnreadable("it is not text", _REMEDY)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_legacy(data, error, declared)


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every other byte."""
    sample = data[:2000]
    half = len(sample) // 2
    if half < 8:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > half * 0.7 and even < half * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.7 and odd < half * 0.05 else None


def _decode_legacy(data: bytes, error: UnicodeDecodeError, declared: str | None) -> str:
    mended = data.decode("utf-8", errors="surrogateescape")
    stray = sum("\udc80" <= char <= "\udcff" for char in mended)
    foreign = sum(char > "\x7f" for char in mended) - stray
    if foreign and error.reason == "unexpected end of data":
        return data[: error.start].decode("utf-8")
    if foreign > stray * 2:  # UTF-8 with a few bytes pasted in from elsewhere
        return "".join(_from_windows(char) if "\udc80" <= char <= "\udcff" else char for char in mended)
    if declared and _TRUSTED.match(declared):
        # Browsers read Latin-1 as its superset, and pages are written for browsers.
        encoding = "cp1252" if _LATIN_1.fullmatch(declared) else declared
        try:
            return data.decode(encoding, errors="replace")
        except LookupError:
            pass
    if len(data) < _TOO_SHORT and sum(byte > 127 for byte in data) > len(data) / 2:
        raise SourceUnreadable("it is not text", _REMEDY)
    return data.decode(_guess(data), errors="replace")


def _from_windows(escaped: str) -> str:
    return bytes([ord(escaped) - 0xDC00]).decode("cp1252", errors="replace")


def _guess(data: bytes) -> str:
    """The likeliest encoding of bytes that are not UTF-8."""
    from charset_normalizer import from_bytes  # 30 ms that UTF-8 input never needs

    sample = _around_first_foreign(data)
    best = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    likeliest = best.encoding if best else "cp1252"
    if likeliest not in _LATIN:
        return likeliest
    guess = min((likeliest, *_LATIN), key=lambda encoding: _misplaced_symbols(sample, encoding))
    return guess if _is_marked_by(sample, guess) else "cp1252"


def _misplaced_symbols(sample: bytes, encoding: str) -> int:
    """How many symbols touch a letter ("powiedzia³"): a sign of the wrong encoding."""
    return len(_TOUCHING_SYMBOL.findall(sample.decode(encoding, errors="replace")))


def _is_marked_by(sample: bytes, encoding: str) -> bool:
    """Whether the letters that tell the encoding from cp1252 are frequent, as in a text of its languages.

    A single accent reads as a letter in any of them; then English with a foreign word is likelier.
    """
    ours, theirs = sample.decode("cp1252", errors="replace"), sample.decode(encoding, errors="replace")
    return sum(a != b for a, b in zip(ours, theirs, strict=True)) >= max(2, len(sample) * 0.02)


def _around_first_foreign(data: bytes) -> bytes:
    """A sample in which there is something to tell encodings apart by, in whole lines where possible."""
    first = next((at for at, byte in enumerate(data) if byte > 127), 0)
    start = max(0, data.rfind(b"\n", 0, first) + 1, first - _SAMPLE)
    return data[start : start + _SAMPLE]
