from __future__ import annotations

import re
import time
import unicodedata
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rag.answering.generation.fuzzy import near_matches
from rag.answering.generation.normalise import fold
from rag.answering.generation.prompt import build_prompt
from rag.answering.generation.quote_location import MIN_WORDS, Locator
from rag.english.sentences import sentences
from rag.records import Hit, Span
from tests.fakes import hit

TALKS = (
    "Envoys met in Muscat on Friday. Tehran said it would not halt enrichment. "
    "It asked for a cease-fire in Gaza. The talks lasted 3 hours. No date was set."
)


def locator(*hits: Hit) -> Locator:
    prompt = build_prompt("?", hits, sentences=sentences, budget_tokens=10**6, today=date(2024, 1, 1))
    return Locator(prompt.sentences)


def located(text: str, quote: str, at: str = "1.1") -> str | None:
    found = locator(hit(text, before="🙂 e\u0301 ahead. ", after=" And on.")).locate(quote, at)
    return found.text if found else None


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("It asked for a cease-fire.", "asked for a cease-fire", "asked for a cease-fire"),
        ("“It is over,” he said.", '"It is over," he said.', "“It is over,” he said."),
        ("She said ‘it’s over’ twice.", "She said 'it's over' twice", "She said ‘it’s over’ twice"),
        ("«C’est fini», dit-il hier.", '"C\'est fini", dit-il', "«C’est fini», dit-il"),
        ("The talks — long ones — ended.", "talks - long ones - ended", "talks — long ones — ended"),
        ("The talks—long ones—ended.", "The talks -- long ones", "The talks—long ones"),
        ("They paid\u00a0a lot\u2009of\nmoney back.", "paid a lot of money", "paid\u00a0a lot\u2009of\nmoney"),
        ("They went… and came back.", "They went... and came", "They went… and came"),
        ("They went... and came back.", "went… and came", "went... and came"),
        ("The nego\u00adtia\u00adtions went on.", "The negotiations went on", "The nego\u00adtia\u00adtions went on"),
        ("The \u200bmin\u200bister said so.", "The minister said so", "The \u200bmin\u200bister said so"),
        ("👍🏽🙂 Then they all left.", "Then they all left", "Then they all left"),
        ("Le cafe\u0301 a ferme\u0301 hier.", "café a fermé", "cafe\u0301 a ferme\u0301"),
        ("Le café a fermé hier.", "cafe\u0301 a ferme\u0301 hier", "café a fermé hier"),
        ("The ﬁnal ﬂight was late.", "The final flight was", "The ﬁnal ﬂight was"),
        ("The \uff15 ships turned.", "The 5 ships turned", "The \uff15 ships turned"),
        ("Yesterday the deal was done.", "The deal was done", "the deal was done"),
        ("The deal was done, he said.", "the deal was done.", "The deal was done"),
        ("He said the deal was done.", "“the deal was done”", "the deal was done"),
        ("协议于周五签署。双方表示欢迎。", "协议于周五签署", "协议于周五签署。"),
    ],
)
def test_a_quote_is_found_as_it_is_stored(text: str, quote: str, expected: str) -> None:
    assert located(text, quote) == expected


@pytest.mark.parametrize(
    "quote",
    [
        "Tehran said it would halt enrichment",
        "it would halt enrichment",
        "Tehran said it would not stop enrichment",
        "It asked for a cease-fire in Lebanon",
        "The talks lasted 30 hours",
        "The talks lasted 3 days",
        "would not halt enrich",
        "alks lasted 3 hours",
        "Envoys met in Muscat. Tehran said it would",
        "TEHRAN SAID IT WOULD NOT HALT",
        "",
        "   ",
        "...",
        "“”",
    ],
)
def test_what_no_article_says_is_not_found(quote: str) -> None:
    assert located(TALKS, quote) is None


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("They were unable to comply with it.", "able to comply with it"),
        ("The fund holds 16.5 billion in all.", "6.5 billion in all"),
        ("The fund holds 11,500 tons of it.", "500 tons of it"),
        ("It met at 10:30 in the hall.", "30 in the hall"),
        ("They don’t agree on anything now.", "t agree on anything now"),
        ("The non-nuclear parts were settled first.", "nuclear parts were settled"),
        ("They paid for the ﬁne wine.", "paid for the f"),
        ("The cafe\u0301 was closed then.", "The cafe was closed"),
    ],
)
def test_a_quote_never_begins_or_ends_inside_a_word_or_a_number(text: str, quote: str) -> None:
    assert located(text, quote) is None


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("Tehran would not halt the work.", "halt the work", "not halt the work"),
        ("They won’t leave the city now.", "leave the city", "won’t leave the city"),
        ("It fell to -5 degrees that night.", "5 degrees that night", "-5 degrees that night"),
        ("It released $6 billion of them.", "6 billion of them", "$6 billion of them"),
        ("It grew by about 6 % last year.", "It grew by about 6", "It grew by about 6 %"),
        ("Iran was paid $6 billion then.", "Iran was paid $6", "Iran was paid $6 billion"),
        ("In 2019-20 ships were hit there.", "In 2019-20 ships were", "In 2019-20 ships were"),
    ],
)
def test_negations_signs_and_units_are_never_cut_off(text: str, quote: str, expected: str) -> None:
    assert located(text, quote) == expected


def test_the_named_sentence_wins_over_the_same_words_elsewhere() -> None:
    text = "The talks ended on Friday. He was glad. The talks ended on Friday. She was not."
    found = locator(hit(text)).locate("The talks ended on Friday", "1.3")
    assert found is not None
    assert found.start == text.rindex("The talks")


def test_the_named_sentence_wins_even_if_another_passage_is_closer_to_the_letter() -> None:
    found = locator(hit("He said “it is over now”.", id="a"), hit('He said "it is over now".', id="b")).locate(
        'He said "it is over now"', "1.1"
    )
    assert found is not None
    assert found.hit.article.id == "a"


@pytest.mark.parametrize("at", ["1.1", "1.2", "1.5", "2.1", "9.9", "1", ""])
def test_a_wrong_number_does_not_lose_the_quote(at: str) -> None:
    both = locator(hit(TALKS, id="a"), hit("Nothing happened that day. All was quiet.", id="b"))
    found = both.locate("It asked for a cease-fire in Gaza", at)
    assert found is not None
    assert (found.hit.article.id, found.text) == ("a", "It asked for a cease-fire in Gaza")


def test_a_quote_may_run_over_adjacent_sentences() -> None:
    quote = "would not halt enrichment. It asked for a cease-fire in Gaza. The talks lasted 3 hours."
    assert located(TALKS, quote, "1.2") == quote


def test_a_quote_never_joins_two_passages() -> None:
    both = locator(hit("He left the room.", id="a"), hit("She stayed on there.", id="b"))
    assert both.locate("He left the room. She stayed on there.", "1.1") is None


@pytest.mark.parametrize(
    ("quote", "at", "expected"),
    [
        ("cease-fire", "1.3", "It asked for a cease-fire in Gaza."),
        ("3 hours", "1.4", "The talks lasted 3 hours."),
        ("3 hours", "1.1", None),
        ("fire", "1.3", None),
        ("in Muscat", "1.4", None),
    ],
)
def test_a_very_short_quote_shows_the_named_sentence(quote: str, at: str, expected: str | None) -> None:
    assert located(TALKS, quote, at) == expected


def test_a_very_short_sentence_is_a_quote_wherever_it_stands() -> None:
    assert located("The vote was long. It failed. They left early.", "“It failed”", "1.3") == "It failed."


PLAIN = st.sampled_from(["peace", "talks—held", "“over,”", "it’s", "5", "$6.5", "U.S.", "🙂", "«oui»", "won't", "no"])
ODD = st.sampled_from(["cafe\u0301", "ﬁnal", "не", "عربي", "مـا", "co\u00adoperate", "a…b", "½", "Ⅳ", "x\u0323\u0307"])
WORDS = PLAIN | ODD | st.just("\u200fשלום\u200e")
SPACES = st.sampled_from([" ", "\u00a0", "\n", "  ", " — ", "\u2009", ", ", " \u200b"])


@st.composite
def texts_and_slices(draw: st.DrawFn) -> tuple[str, str]:
    words = draw(st.lists(WORDS, min_size=4, max_size=30))
    gaps = draw(st.lists(SPACES, min_size=len(words), max_size=len(words)))
    first = draw(st.integers(0, len(words) - 4))
    last = draw(st.integers(first + 4, len(words)))
    parts = [part for pair in zip(words, gaps, strict=True) for part in pair]
    return "".join(parts), "".join(parts[2 * first : 2 * last - 1])


@st.composite
def variants(draw: st.DrawFn, quote: str) -> str:
    changes = [
        lambda s: s,
        lambda s: unicodedata.normalize("NFKC", s),
        lambda s: unicodedata.normalize("NFD", s),
        lambda s: s.translate(str.maketrans("“”«»’", '""""\'')),
        lambda s: s.replace("—", "--").replace("\u00a0", " "),
        lambda s: re.sub(r"\s+", " ", s).replace("\u00ad", "").replace("\u200b", ""),
        lambda s: f" “{s}” ",
    ]
    for change in draw(st.lists(st.sampled_from(changes), max_size=3)):
        quote = change(quote)
    return quote


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_every_slice_is_found_however_its_characters_are_written(data: st.DataObject) -> None:
    text, piece = data.draw(texts_and_slices())
    quote = data.draw(variants(piece))
    assume(len(re.findall(r"\w+", quote)) >= MIN_WORDS)
    found = locator(hit(text, before="🙂 ")).locate(quote, "1.1")
    assert found is not None, (text, quote)
    assert found.text == found.hit.article.text[found.start : found.end]
    assert fold(quote).text.strip(" '.,;:").casefold() in fold(found.text).text.casefold()


def words(text: str) -> list[str]:
    """Words without articles, as they must stand in a quote and its slice alike."""
    return [w for w in re.findall(r"\w+", fold(text).text.casefold()) if w not in ("a", "an", "the")]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=40), st.text(max_size=5))
def test_whatever_is_found_says_the_words_of_the_quote(text: str, quote: str, at: str) -> None:
    if not sentences(text):
        return
    found = locator(hit(text)).locate(quote, at)
    if found is not None:
        assert " ".join(words(quote)) in " ".join(words(found.text))


@given(st.text(max_size=60))
def test_folding_keeps_track_of_where_characters_come_from(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert list(folded.starts) == sorted(folded.starts)
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))


def test_locating_ten_claims_takes_little_time() -> None:
    passage = " ".join(f"On day {n} the “envoys” met again — and said nothing of it." for n in range(15))
    finder = locator(*(hit(passage.replace("day", f"day {n}"), id=str(n)) for n in range(10)))
    start = time.process_time()
    for n in range(10):
        assert finder.locate(f'day {n} {n} the "envoys" met again - and said', "1.1") is not None
        assert finder.locate("an invented sentence of some length, to be sure", "3.2") is None
    assert time.process_time() - start < 0.5  # about 0.03 s where this was written


NEWS = (
    "Iran's foreign minister said on Friday that the government would not halt enrichment of uranium in 2024. "
    "About $6 billion of frozen funds were released in Doha, and most sanctions may be lifted by 12 March. "
    "Only some of the envoys, who travelled from Washington, signed the 25-page cease-fire accord. "
    "No ships were hit within 30 km of the Crimson Sea port; a few crews left it nevertheless. "
    "“We can't accept this,” the ambassador of Oman reportedly told an audience of several hundred listeners."
)


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("said on Friday that government would not halt enrichment", "said on Friday that the government would not"),
        ("Iran's foreign minister said on the Friday that the government", "Iran's foreign minister said on Friday"),
        ("the goverment would not halt enrichment of uranium", "the government would not halt enrichment of"),
        ("the governemnt would not halt enrichment of uranium", "the government would not halt enrichment of"),
        ("would not halt enrichmment of uranium", "would not halt enrichment of uranium"),
        ("envoys, who traveled from Washington, signed", "envoys, who travelled from Washington, signed"),
        ("signed the 25-page ceasefire accord", "signed the 25-page cease-fire accord"),
        ("signed the 25-page cease fire accord", "signed the 25-page cease-fire accord"),
        (
            "some of the envoys who travelled from Washington signed",
            "some of the envoys, who travelled from Washington",
        ),
        ("“We cannot accept this”, the ambassador of Oman", "We can't accept this,” the ambassador of Oman"),
        ("We can not accept this, the ambassador of Oman", "We can't accept this,” the ambassador of Oman"),
        ("Ambassador of Oman reportedly told audience of several hundred", "ambassador of Oman reportedly told an"),
    ],
)
def test_a_slip_of_the_pen_is_forgiven(quote: str, expected: str) -> None:
    found = located(NEWS, quote)
    assert found is not None
    assert expected in found


@pytest.mark.parametrize(
    "quote",
    [
        "said on Friday that the government would halt enrichment of uranium in 2024",
        "said on Friday that the government would never halt enrichment of uranium in 2024",
        "said on Friday that the government may not halt enrichment of uranium in 2024",
        "said on Friday that the government will not halt enrichment of uranium in 2024",
        "said on Monday that the government would not halt enrichment of uranium in 2024",
        "said on Friday that the government would not halt enrichment of uranium in 2025",
        "said on Friday that the government would not halt enrichment of plutonium in 2024",
        "Iraq's foreign minister said on Friday that the government would not halt enrichment",
        "Iran's foreign ministry said on Friday that the government would not halt enrichment",
        "Iran's prime minister said on Friday that the government would not halt enrichment",
        "minister said on Friday that the governments would not halt enrichment of uranium",
        "About $7 billion of frozen funds were released in Doha, and most sanctions may be lifted by 12 March",
        "About $6 million of frozen funds were released in Doha, and most sanctions may be lifted by 12 March",
        "About €6 billion of frozen funds were released in Doha, and most sanctions may be lifted by 12 March",
        "About 6 billion of frozen funds were released in Doha, and most sanctions may be lifted by 12 March",
        "About $6 billion of frozen funds were released in Doha, and all sanctions may be lifted by 12 March",
        "About $6 billion of frozen funds were released in Doha, and sanctions may be lifted by 12 March",
        "About $6 billion of frozen funds were released in Doha, and most sanctions will be lifted by 12 March",
        "About $6 billion of frozen funds were released in Doha, and most sanctions may not be lifted by 12 March",
        "About $6 billion of frozen funds were released in Doha, and most sanctions may be lifted by 13 March",
        "About $6 billion of frozen funds were released in Doha, and most sanctions may be lifted by 12 May",
        "$6 billion of frozen funds were released in Dohar, and most sanctions may be lifted",
        "Some of the envoys, who travelled from Washington, signed the 25-page accord",
        "All of the envoys, who travelled from Washington, signed the 25-page cease-fire accord",
        "Only some of the envoys, who travelled from Washington, signed the 26-page cease-fire accord",
        "Ships were hit within 30 km of the Crimson Sea port; a few crews left it nevertheless",
        "No ships were hit within 30 miles of the Crimson Sea port; a few crews left it nevertheless",
        "No, ships were hit within 30 km of the Crimson Sea port; a few crews left it nevertheless",
        "No ships were hit within 30 km of the crimson sea port; a few crews left it nevertheless",
        "No ships were hit within 30 km of the Crimson Sea port; few crews left it nevertheless",
        "We can accept this, the ambassador of Oman reportedly told an audience of several hundred listeners",
        "the ambassador of Oman repeatedly told an audience of several hundred listeners",
        "the ambassador of Oman told an audience of several hundred listeners",
        "the ambassador of Oman reportedly told an audience of several thousand listeners",
    ],
)
def test_a_word_that_bears_the_meaning_is_never_forgiven(quote: str) -> None:
    finder = locator(hit(NEWS))
    assert finder.locate(quote, "1.1") is None
    assert finder.locate_all(quote, "1.1") == ()


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("The Usdaw trade union said that shops stay shut.", "The trade union said that shops stay shut"),
        ("The union said that two ships were hit at night.", "The union said that the ships were hit at night"),
        ("They said that they wouldn't leave the old city.", "They said that they would"),
        ("The statement in-appropriate was withdrawn at once.", "The statement in appropriately was withdrawn"),
        ("The player resigned with the club yesterday.", "The player re-signed with the club"),
        ("It fell by 3-4 degrees in the valley overnight.", "It fell by 34 degrees in the valley overnight"),
        ("It rose to 5 degrees in the valley overnight.", "It rose to -5 degrees in the valley overnight"),
        ("The officers were converted to the new faith.", "The officers were converged to the new faith"),
        ("The board saw the employees of the plant.", "The board saw the employers of the plant"),
    ],
)
def test_other_words_that_look_alike_are_other_words(text: str, quote: str) -> None:
    finder = locator(hit(text))
    assert finder.locate(quote, "1.1") is None
    assert finder.locate_all(quote, "1.1") == ()


STITCHABLE = (
    "Envoys met in Muscat on Friday. Tehran said it would not, under any pressure, halt enrichment at its plants. "
    "It asked for a cease-fire in Gaza, which the other side had refused before. The talks lasted 3 hours. "
    "The two sides agreed, officials said, to meet again in spring."
)


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("Envoys met in Muscat on Friday.", ["Envoys met in Muscat on Friday."]),
        (
            "Envoys met in Muscat on Friday ... asked for a cease-fire in Gaza",
            ["Envoys met in Muscat on Friday", "asked for a cease-fire in Gaza"],
        ),
        (
            "Envoys met in Muscat […] It asked for a cease-fire […] The talks lasted 3 hours",
            ["Envoys met in Muscat", "It asked for a cease-fire", "The talks lasted 3 hours"],
        ),
        ("… asked for a cease-fire in Gaza…", ["asked for a cease-fire in Gaza"]),
        (
            "The talks lasted 3 hours (...) Envoys met in Muscat",
            ["The talks lasted 3 hours", "Envoys met in Muscat"],
        ),
        (
            "The two sides agreed . . . to meet again in spring",
            ["The two sides agreed", "to meet again in spring"],
        ),
        (
            "Envoys met in Muscat on Friday. The talks lasted 3 hours.",
            ["Envoys met in Muscat on Friday.", "The talks lasted 3 hours."],
        ),
        (
            "Envoys met in Muscat on Friday and asked for a cease-fire in Gaza",
            ["Envoys met in Muscat on Friday", "asked for a cease-fire in Gaza"],
        ),
        ("The two sides agreed, to meet again in spring", ["The two sides agreed", "to meet again in spring"]),
        (
            "Tehran said it would ... halt enrichment at its plants",
            ["Tehran said it would not, under any pressure, halt enrichment at its plants"],
        ),
        ("Tehran said it would, halt enrichment at its plants", []),
        ("Envoys met in Muscat on Friday ... asked for an airport in Gaza", []),
        ("Envoys met in Muscat on Friday. They asked for an airport in Gaza.", []),
        ("...", []),
    ],
)
def test_a_quote_from_several_places_becomes_several_quotes(quote: str, expected: list[str]) -> None:
    found = locator(hit(STITCHABLE)).locate_all(quote, "1.1")
    assert [part.text for part in found] == expected


def test_a_quote_from_two_articles_becomes_two_quotes() -> None:
    both = locator(hit("He left the old room. It rained.", id="a"), hit("She stayed on there all day.", id="b"))
    found = both.locate_all("He left the old room. She stayed on there all day.", "1.1")
    assert [(part.hit.article.id, part.text) for part in found] == [
        ("a", "He left the old room."),
        ("b", "She stayed on there all day."),
    ]


BEARING = re.compile(
    r"\b(?:not|only|some|most|may|would|no|few|several|reportedly|billion|hundred|km|can't|which|before)\b"
    r"|\d+|\$|\b[A-Z]\w+"
)
OTHERS = [
    "not",
    "never",
    "all",
    "some",
    "only",
    "will",
    "may",
    "no",
    "7",
    "12",
    "€",
    "million",
    "miles",
    "Iraq",
    "Cairo",
    "",
]


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_change_to_a_word_that_bears_the_meaning_is_never_found(data: st.DataObject) -> None:
    spans = sentences(NEWS)
    span = data.draw(st.sampled_from(spans))
    sentence = NEWS[span.start : span.end]
    bearing = data.draw(st.sampled_from(list(BEARING.finditer(sentence, 5))))
    other = data.draw(st.sampled_from(OTHERS))
    assume(other.casefold() != bearing.group().casefold() and bearing.end() < len(sentence) - 1)
    quote = " ".join(f"{sentence[: bearing.start()]}{other}{sentence[bearing.end() :]}".split())
    assert locator(hit(NEWS)).locate(quote, "1.1") is None, quote


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_word_put_in_or_left_out_is_never_found(data: st.DataObject) -> None:
    span = data.draw(st.sampled_from(sentences(NEWS)))
    said = NEWS[span.start : span.end].split()
    place = data.draw(st.integers(1, len(said) - 1))
    if data.draw(st.booleans()):
        said.insert(place, data.draw(st.sampled_from(["not", "never", "only", "all", "may", "no", "3", "officials"])))
    else:
        assume(said[place] not in ("a", "an", "the") and place < len(said) - 1)
        del said[place]
    assert locator(hit(NEWS)).locate(" ".join(said), "1.1") is None, said


def test_invented_quotes_cost_little_time() -> None:
    passage = " ".join(f"On day {n} the envoys met again, and the minister said nothing of it." for n in range(15))
    finder = locator(*(hit(passage.replace("day", f"day {n}"), id=str(n)) for n in range(10)))
    invented = [f"the minister said on day {n}, and the envoys met again, that nothing came of it" for n in range(20)]
    start = time.thread_time()
    assert [finder.locate_all(quote, f"{n % 10 + 1}.3") for n, quote in enumerate(invented)] == [()] * 20
    assert time.thread_time() - start < 0.5  # about 0.05 s where this was written


REPEATED = "a " * 2000


@pytest.mark.parametrize(
    "quote", [REPEATED, "a " * 700 + "zebra", ", and ".join(["a " * 80 + "zebra"] * 8), "the a " * 240]
)
def test_words_that_repeat_cost_little_time(quote: str) -> None:
    start = time.thread_time()
    assert list(near_matches(quote, REPEATED)) == []
    assert time.thread_time() - start < 0.3
    start = time.thread_time()
    finder = locator(*(hit("a " * 400 + f"{n}", id=str(n)) for n in range(10)))
    assert finder.locate_all(quote, "1.1") == ()
    assert time.thread_time() - start < 0.6  # about 0.1 s where this was written


def test_a_slip_late_in_a_long_quote_is_forgiven() -> None:
    text = " ".join(f"On day {n} the minister of the port said the talks of the day went on." for n in range(18))
    quote = text[text.index("On day 7") :].replace("17 the minister", "17 the ministter")
    assert list(near_matches(quote, text)) == [Span(text.index("On day 7"), len(text) - 1)]
