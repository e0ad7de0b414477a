from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ingestion.cleaning import clean, normalise, opening_words, unwrap
from rag.ingestion.language import foreign_language
from rag.ingestion.markdown import resolve_left_overs

FIRST = "The harbour of Salalah opened again on Tuesday after a week of storms, the port authority said."
SECOND = "Ships that had waited off the coast since Friday began to unload grain and spare parts at dawn."


def test_characters_are_normalised() -> None:
    assert normalise("\ufeffa\u00a0b\u200b\u00adc\r\nd  e\t f \r\r\r\rg\x00\x07") == "a bc\nd e f\n\ng"
    assert normalise("cafe\u0301") == "caf\u00e9"
    assert normalise("lone \ud800 half") == "lone \ufffd half"
    assert normalise("👩\u200d🚀 مسقط") == "👩\u200d🚀 مسقط"


@given(st.text(alphabet="ab \n\r\t.\u00a0\u00ad\u2028é🚢#*[]()", max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "line",
    [
        *("Source link", "SOURCE LINK", "Advertisement", "Share", "Share this article", "Facebook | Twitter | Email"),
        *("Read more: Ports and their owners", "Related: Ports", "Sign up for our newsletter", "Tags: ports, ships"),
        *("© 2024 Gulf Daily", "Copyright 2024 Gulf Daily. All rights reserved.", "Follow us on Instagram", "* * *"),
        *("Photo: Jane Roe/Reuters", "(AP Photo/Jane Roe)", "Getty Images", "Click here to subscribe", "12 comments"),
        "Two tankers are seen off Salalah in this file photo taken March 3, 2022.",
        "Subscribe to our daily briefing and get it in your inbox.",
    ],
)
def test_furniture_goes(line: str) -> None:
    assert clean(f"{FIRST}\n\n{line}\n\n{SECOND}").text == f"{FIRST}\n\n{SECOND}"
    assert clean(f"{FIRST}\n\n{SECOND}\n\n{line}").text == f"{FIRST}\n\n{SECOND}"


@pytest.mark.parametrize(
    "line",
    [
        *("Share prices fell.", "He said no.", "Related firms closed too.", "Read more books, the minister said."),
        *("Photo shops closed.", "Print runs fell by half.", "Watch sales rose 3%.", "Comment was not available."),
        *("The AP reported it first.", "Copyright law has changed.", "Tweets were deleted.", "X was blocked."),
        "Sign up rates for the newsletter fell by a third in May.",
        "Police searched two houses. The man in this photo released on Monday was not found.",
        "Jane Roe, the port's director, resigned.",
        "Ana Pohl is the new foreign minister",
        "What happens next",
    ],
)
def test_sentences_and_headings_stay(line: str) -> None:
    assert clean(f"{FIRST}\n\n{line}\n\n{SECOND}").text == f"{FIRST}\n\n{line}\n\n{SECOND}"


def test_the_rest_of_a_broken_line_is_no_furniture() -> None:
    text = (
        "It said that its net profit had risen to 40 cents a\nshare.\nNobody at the port authority wanted to\ncomment."
    )
    assert clean(text).text.endswith("comment.")
    assert "share." in clean(text).text


def test_a_source_link_glued_to_the_end_goes() -> None:
    assert clean(f"{FIRST}\n\n{SECOND}Source link").text == f"{FIRST}\n\n{SECOND}"


def test_captions_that_name_a_person_of_the_article_go() -> None:
    body = "The new rules were drawn up by Jane Roe, who advises the prime minister on shipping and trade."
    for caption in ("Jane Roe, the prime minister's senior adviser", "UN envoy for ports Jane Roe", "Jane Roe (left)"):
        assert clean(f"{FIRST}\n\n{caption}\n\n{body}").text == f"{FIRST}\n\n{body}"
    assert "minister" in clean("The new cabinet:\n\nAna Pohl, finance minister\n\nJane Roe, prime minister").text


def test_a_paragraph_torn_by_a_caption_is_read_in_order() -> None:
    torn = "The two governments are said to be discussing how the port authority could"
    rest = "pay back the money that it borrowed. Nothing has been signed."
    for caption in ("Jane Roe, the port's director", "A grain ship waits off the coast of Salalah"):
        assert clean(f"{FIRST}\n\n{torn}\n\n{caption}\n\n{rest}").text == f"{FIRST}\n\n{torn} {rest}"
    assert clean(f"{FIRST}\n\n{torn}\n\n{rest}").text == f"{FIRST}\n\n{torn} {rest}"


def test_words_that_a_scraper_set_apart_are_put_back() -> None:
    torn = "The crew of the first ship to enter the harbour was greeted with a certain"
    assert clean(f"{FIRST}\n\n{torn}\n\njoie de vivre\n\nthat had been missing for a week. They sang.").text == (
        f"{FIRST}\n\n{torn} joie de vivre that had been missing for a week. They sang."
    )


def test_the_top_gives_title_author_and_date() -> None:
    found = clean(
        f"Port Opens Again\n\nWednesday, 05/31/2023 4 minutes\n\nAuthor: Gulf Daily Newsroom\n\n{FIRST}\n\n{SECOND}"
    )
    assert (found.title, found.published, found.authors) == ("Port Opens Again", "2023-05-31", ("Gulf Daily Newsroom",))
    assert found.text == f"{FIRST}\n\n{SECOND}"
    found = clean(f"Port Opens Again\nBy Jane Roe and Ana Pohl | 31 May 2023 | 3 min read\n\n{FIRST}")
    assert (found.published, found.authors) == ("2023-05-31", ("Jane Roe", "Ana Pohl"))
    assert found.text == FIRST


def test_a_date_in_the_prose_is_no_publication_date() -> None:
    assert clean(f"Port Opens Again\n\nThe ship arrived on October 10, 2023, with grain.\n\n{FIRST}").published is None
    assert clean(f"{FIRST}\n\nMay 31, 2023\n\n{SECOND}").published is None
    assert clean(f"Port Opens Again\n\nUpdated: May 31, 2023\n\n{FIRST}").published is None


def test_a_known_title_is_not_repeated() -> None:
    assert clean(f"PORT OPENS, again\n\n{FIRST}", title="Port opens again").text == FIRST
    assert clean(f"Another line\n\n{FIRST}", title="Port opens again").text == f"Another line\n\n{FIRST}"


def test_an_untitled_text_is_called_by_its_first_words() -> None:
    assert clean(f"{FIRST}\n\n{SECOND}").title is None
    assert opening_words(FIRST) == "The harbour of Salalah opened again on Tuesday after a week of storms, the port…"
    assert opening_words("Short text.") == "Short text."
    assert len(opening_words("x" * 500)) == 80


def test_hard_wrapped_lines_are_joined_and_others_are_not() -> None:
    wrapped = (
        "The harbour of Salalah opened again on\nTuesday after a week of storms, the port\n"
        "authority said in a statement on its\npage.\n\nNobody was hurt."
    )
    assert unwrap(wrapped).split("\n\n")[0] == FIRST.replace("said.", "said in a statement on its page.")
    listed = "Grain\nOil and natural gas from the east\nCars\nSteel"
    assert unwrap(listed) == listed


def test_markdown_left_overs_become_plain_text() -> None:
    paid = "The port, **closed for a week**, paid \\$7 million to [its owner](https://a.example/b)."
    text = f"[Ports](#) [Ships](#)\n\n{paid} {FIRST}"
    assert clean(resolve_left_overs(text)).text == f"The port, closed for a week, paid $7 million to its owner. {FIRST}"
    plain = "He paid 5 * 3 dollars_and [sic] left * for # good."
    assert resolve_left_overs(plain) == plain


def test_other_languages_are_noticed() -> None:
    assert foreign_language(FIRST + SECOND) is None
    assert foreign_language("قال وزير الخارجية إن المحادثات ستستمر في مسقط الأسبوع المقبل") == "Arabic script"
    german = (
        "Der Hafen ist wieder offen, und die Schiffe, die seit Freitag vor der Küste auf das Ende des Sturms warten,"
    )
    german += " werden nun mit dem Getreide entladen."
    assert foreign_language(german) == "German"
    assert foreign_language("Salalah 4 Muscat 2") is None


@pytest.mark.parametrize(
    "unit", ["[", "*", "**", "[](", "_", "\\", ".", "a\n", "A ", "\n\nA b, c", "By A, ", "share ", "> "]
)
def test_time_is_linear_on_hostile_input(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    started = time.perf_counter()
    clean(resolve_left_overs(text))
    assert time.perf_counter() - started < 10


def test_time_is_linear_on_torn_paragraphs() -> None:
    line = "this paragraph is torn right here and has. no end at all but goes on and"
    started = time.perf_counter()
    cleaned = clean(f"{line}\n\n" * (4_000_000 // len(line)))
    assert time.perf_counter() - started < 8  # about 0.7 s where this was written
    assert cleaned.text == " ".join([line] * (4_000_000 // len(line)))


def test_a_torn_sentence_of_several_short_pieces_is_joined() -> None:
    blocks = [
        "The minister of trade and shipping",
        "spoke of grain that",
        "the ports of the whole coast had lost in May.",
    ]
    assert clean("\n\n".join([FIRST, *blocks])).text == f"{FIRST}\n\n" + "\n\n".join(blocks)
    blocks[0] = "The minister of trade and of all shipping in the gulf"
    assert clean("\n\n".join([FIRST, *blocks])).text == f"{FIRST}\n\n" + " ".join(blocks)
