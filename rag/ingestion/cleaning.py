"""From raw text to the text that is stored: characters, lines, boilerplate, and what the top says."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rag.ingestion.boilerplate import is_boilerplate, is_caption, is_terminated, strip_glued_source_link
from rag.ingestion.dates import read_date_line

__all__ = ["Cleaned", "clean", "normalise", "one_line", "opening_words"]

_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_ODD_SPACES = re.compile(r"[\t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Control characters, soft hyphens, zero-width spaces, overrides of the writing direction, byte order marks
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_SPACES = re.compile(r" {2,}")
_BLANK_LINES = re.compile(r"\n{3,}")

_TOP_LINES = 14  # bylines and date lines are looked for above the first prose, and no further down
_PROSE = 60
_TITLE_MAX = 160
_TORN_MIN = 40
_NEAR = 8  # paragraphs before and after a caption in which its person is looked for

_NAME = r"[A-Z][\w.'’-]*(?: (?:[A-Z][\w.'’-]*|de|del|der|van|von|bin|al|el|da|di|la|le)){0,5}"
_BYLINE = re.compile(
    rf"(?:(?i:authors?|writers?)\s*:|(?P<by>(?i:(?:written |reported |reporting )?by:?)))\s+"
    rf"(?P<names>{_NAME}(?:(?:, | and | & |, and ){_NAME}){{0,5}})(?: in {_NAME})?\s*\.?"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The stored text, and what the lines above it said; all of it found, nothing guessed."""

    text: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None


def normalise(text: str) -> str:
    """One form for line ends, spaces and composed letters; nothing invisible, no spare white space."""
    text = _LINE_ENDS.sub("\n", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _SURROGATES.sub("\ufffd", text))
    text = _SPACES.sub(" ", _INVISIBLE.sub("", _ODD_SPACES.sub(" ", text)))
    lines = "\n".join([line.strip(" ") for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", lines).strip()


def one_line(value: str | None) -> str | None:
    """A title or a name on one line of at most 400 characters; None if nothing is left."""
    return " ".join(normalise(value).split())[:400] or None if value else None


def clean(text: str, *, title: str | None = None) -> Cleaned:
    """The text without boilerplate, torn and hard-wrapped paragraphs joined.

    `title` is the title that is known already; without one, a heading at the top is taken as the title.
    In either case the title is not repeated in the text.
    """
    lines = unwrap(strip_glued_source_link(normalise(text))).split("\n")
    top = _read_top(_without_furniture(lines), title)
    blocks = [block for block in re.split(r"\n{2,}", "\n".join(top.rest).strip()) if block]
    blocks = _join_torn(_without_trailing_label(_without_captions(blocks)))
    return Cleaned("\n\n".join(blocks), top.title, top.authors, top.published)


def opening_words(text: str, limit: int = 80) -> str:
    """The first words of a text: the title of an article that has none."""
    first = " ".join(text[: limit * 4].split())
    if len(first) <= limit:
        return first
    cut = first.rfind(" ", 1, limit)
    return first[: cut if cut > 0 else limit - 1].rstrip(" ,;:-–—") + "…"


def unwrap(text: str) -> str:
    """Lines that an editor broke at a column, joined; other lines stay.

    A line was broken if the first word of the next one would not have fitted; only where most lines are
    so is the text taken as hard wrapped.
    """
    lines = text.split("\n")
    width = max((len(line) for line in lines if " " in line), default=0)
    pairs = [number for number in range(len(lines) - 1) if lines[number] and lines[number + 1]]
    broken = {at for at in pairs if len(lines[at]) + 1 + len(lines[at + 1].split(" ", 1)[0]) > width}
    if width > 120 or len(pairs) < 3 or len(broken) < len(pairs) * 0.6:
        return text
    return "".join(line + (" " if number in broken else "\n") for number, line in enumerate(lines)).rstrip("\n")


def _without_furniture(lines: list[str]) -> list[str]:
    """The lines without boilerplate. A line that goes on with the one before it is no boilerplate."""
    kept: list[str] = []
    before = ""
    for line in lines:
        open_end = bool(line and before) and not is_terminated(before)
        runs_on = open_end and (line[0].islower() or (kept[-1] == before and is_terminated(line)))
        if not line or runs_on or not is_boilerplate(line):
            kept.append(line)
            before = line or before
    return kept


@dataclass(frozen=True, slots=True)
class _Top:
    rest: list[str]
    title: str | None
    authors: tuple[str, ...] = ()
    published: str | None = None


def _read_top(lines: list[str], title: str | None) -> _Top:
    """Take title, byline and date lines off the top; `rest` is everything else."""
    authors: tuple[str, ...] = ()
    published: str | None = None
    kept: list[str] = []
    taken = 0
    alone = True  # nothing stands right above the line that it could go on with
    for taken, line in enumerate(lines[:_TOP_LINES]):
        if _is_prose(line):
            break
        if alone and (meta := _read_meta(line)):
            authors = authors or meta.authors
            published = published or meta.published
        elif line and not any(kept) and (_same(line, title) if title else _is_title(lines, taken)):
            title = title or line
            alone = True
        else:
            kept.append(line)
            alone = not line
    else:
        taken = _TOP_LINES
    return _Top(kept + lines[taken:], title, authors, published)


def _is_prose(line: str) -> bool:
    return len(line) > 200 or (len(line) >= _PROSE and is_terminated(line))


def _same(line: str, title: str) -> bool:
    return re.sub(r"\W+", "", line).casefold() == re.sub(r"\W+", "", title).casefold()


def _is_title(lines: list[str], at: int) -> bool:
    """Whether a line reads as the heading of what follows: short, no full stop, prose below."""
    line = lines[at]
    if len(line) > _TITLE_MAX or " " not in line or is_terminated(line) or line.endswith((",", ";", ":")):
        return False
    below = [other for other in lines[at + 1 : at + 12] if other]
    return bool(below) and not below[0][0].islower() and any(is_terminated(other) for other in below)


def _read_meta(line: str) -> _Top | None:
    """What a line of nothing but byline, date and reading time says; None for any other line."""
    if not line or len(line) > _TITLE_MAX or line.endswith("."):
        return None
    authors: tuple[str, ...] = ()
    published = None
    for part in re.split(r"\s+[|·•]\s+", line):
        byline = _BYLINE.fullmatch(part)
        names = tuple(re.split(r", and |, | and | & ", byline["names"])) if byline else ()
        if byline and (not byline["by"] or any(" " in name for name in names)):
            authors = authors or names
        elif dated := read_date_line(part):
            published = published or dated.published
        else:
            return None
    return _Top([], None, authors, published)


def _without_captions(blocks: list[str]) -> list[str]:
    kept: list[str] = []
    for number, block in enumerate(blocks):
        after = blocks[number + 1] if number + 1 < len(blocks) else ""
        before = kept[-1] if kept else ""
        around = [*kept[-_NEAR:], *blocks[number + 1 : number + 1 + _NEAR]]
        between_prose = _is_prose(before) and _is_prose(after) and is_caption(block) and _is_named(block, around)
        tears = _is_torn(before, after) and _is_tearing_caption(block)
        if "\n" in block or not (between_prose or tears):
            kept.append(block)
    return kept


def _is_tearing_caption(block: str) -> bool:
    """Whether the line between the halves of a torn sentence is a caption, and no fragment of the sentence.

    Scrapers put links and words in italics on lines of their own too: those are short, or a bare name.
    """
    if is_caption(block):
        return True
    words = block.split()
    plain = sum(word[0].islower() for word in words)
    return (
        len(block) <= _TITLE_MAX and not is_terminated(block) and words[0][0].isupper() and len(words) > 3 and plain > 0
    )


def _is_named(caption: str, around: list[str]) -> bool:
    """Whether the paragraphs around speak of the person of the caption: by one word of the name at least."""
    names = re.findall(r"(?<=\s)[A-Z][\w'’-]{2,}", caption)
    return any(name in block for name in names for block in around)


def _is_torn(before: str, after: str) -> bool:
    """Whether a sentence breaks off at the end of one block and goes on in the other."""
    return _breaks_off(before) and len(after) >= _TORN_MIN and after[0].islower() and "." in after


def _breaks_off(block: str) -> bool:
    last = block.rsplit("\n", 1)[-1]
    return len(last) >= _TORN_MIN and (last[-1].isalpha() or last[-1] == ",")


def _join_torn(blocks: list[str]) -> list[str]:
    joined: list[list[str]] = []
    end = ""  # what tells whether the last one breaks off: the whole of it may be long, and grows
    for number, block in enumerate(blocks):
        after = blocks[number + 1] if number + 1 < len(blocks) else ""
        if joined and (_is_torn(end, block) or _is_fragment(end, block, after)):
            joined[-1].append(block)
            end = f"{end} {block}"
        else:
            joined.append([block])
            end = block
        end = end.rsplit("\n", 1)[-1][-_TORN_MIN:]
    return [" ".join(pieces) for pieces in joined]


def _is_fragment(before: str, block: str, after: str) -> bool:
    """Whether a few words in small letters stand between the halves of their sentence."""
    return _is_torn(before, after) and block[0].islower() and len(block) < _TORN_MIN and "\n" not in block


def _without_trailing_label(blocks: list[str]) -> list[str]:
    """The blocks without a last line such as "World News": the link to a section, left by a scraper."""
    if len(blocks) < 3 or not is_terminated(blocks[-2]):
        return blocks
    words = blocks[-1].split()
    is_label = len(words) <= 4 and all(word[0].isupper() and word.isalpha() for word in words)
    return blocks[:-1] if is_label else blocks
