from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.english.sentences import MAX_CHARS, sentences


def split(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. Adair met Gen. Ruiz and Sen. Wolfe.", "Lt. Col. Ames was absent."],
        ["U.S. officials flew to Oman.", "They left the U.S.", "The talks went on."],
        ["He lives in the U.S.", "The talks went on without him."],
        ["The U.S. Treasury and the U.K. Foreign Office agreed.", "Nobody else did."],
        ["J. K. Marlow and Dana D. Shore wrote it.", "Neither spoke."],
        ["The meeting began at 9 a.m. on Jan. 6 and ended at 5 p.m.", "Nobody noticed."],
        ["It opens at 9 a.m. Monday.", "It closes at noon."],
        ["Flight No. 12 carried 3.5 tonnes, up 0.4%.", "Prices fell to $1.20."],
        ["Orbit Inc. Chief Executive Ana Pohl resigned.", "Orbit Corp. shares fell."],
        ["She works for Orbit Inc.", "The firm said no more."],
        ['"We are done," he said.', "He left."],
        ['"Is it over?" Mr. Pohl asked.', "Nobody knew."],
        ['"Stop!" Ana Pohl shouted.', "They did not."],
        ['"Is it over?" he asked.', "Nobody knew."],
        ["He called it “a ‘fair’ deal.”", "Others did not."],
        ['He said: "It works.', 'It is fast."', "Then he left."],
        ["She told us: \"He said 'no' twice.\"", "We believed her."],
        ["(The ministry declined to comment.)", "The embassy did too."],
        ["He paused... and went on.", "Then he stopped...", "Nobody spoke."],
        ["Really?!", "Yes!", "Why not?"],
        ["The vote was 5 vs. 4 in favour, e.g. in Ghent.", "It passed."],
        ["They sailed on Dec. 3.", "Snow fell in Feb.", "The port froze."],
        ["He fell ill.", "Doctors came."],
        ["Apple sold more.", "iPhone sales rose."],
        ["It cost too much.", "$5 billion was gone."],
        ["The result was clear.[12]", "Nobody disputed it."],
        ["Costs rose, e.g. for fuel.", "“Nobody pays,” she said."],
        ["今日は晴れです。", "明日は雨でしょう。", "「本当？」", "はい。"],
        ["أين تقع مسقط؟", "تقع في عمان.", "انتهى الكلام."],
        ["یہ پہلا جملہ ہے۔", "یہ دوسرا ہے۔"],
        ["Fire broke out 🔥.", "Crews came 🚒🚒.", "All is well 👍"],
    ],
)
def test_splits_news_prose(expected: list[str]) -> None:
    joint = "" if "。" in expected[0] else " "
    assert split(joint.join(expected)) == expected


def test_a_small_letter_after_a_stop_goes_on() -> None:
    assert split("The depth of the assaults. to stop deaths.") == ["The depth of the assaults. to stop deaths."]


def test_a_lost_space_after_a_stop_is_no_obstacle() -> None:
    assert split("They ended the strikes.The ships sailed.") == ["They ended the strikes.", "The ships sailed."]
    assert split("See example.com or Node.js for more.") == ["See example.com or Node.js for more."]


def test_a_sentence_runs_on_over_a_blank_line_only_when_it_is_torn() -> None:
    torn = "The two governments are still discussing several ways to\n\nrelease the money this year. Nothing is signed."
    assert split(torn) == [torn.removesuffix(" Nothing is signed."), "Nothing is signed."]
    assert split("A short heading\n\nand a line in small letters.") == [
        "A short heading",
        "and a line in small letters.",
    ]
    assert split("What was agreed\n\nBoth sides agreed to meet.") == ["What was agreed", "Both sides agreed to meet."]


def test_list_items_and_headings_stand_alone() -> None:
    text = "He named three points:\n- Trade.\n- Borders \n- Water.\n1. Grain\n2. Oil and gas"
    assert split(text) == [
        "He named three points:",
        "- Trade.",
        "- Borders",
        "- Water.",
        "1. Grain",
        "2. Oil and gas",
    ]


def test_hard_wrapped_lines_go_on_and_short_list_items_do_not() -> None:
    wrapped = "Based on\nabout 183 million outstanding shares, the firm is\nworth more. Nobody said so."
    assert split(wrapped) == [wrapped.removesuffix(" Nobody said so."), "Nobody said so."]
    assert split("grain\noil and gas\nsteel") == ["grain", "oil and gas", "steel"]


def test_an_abbreviation_at_a_line_end_goes_on() -> None:
    assert split("They spoke to Mr.\nAdair about it. He agreed.") == [
        "They spoke to Mr.\nAdair about it.",
        "He agreed.",
    ]


def test_a_text_in_small_letters_is_split_too() -> None:
    assert split("shares fell. the bank said so. mr. pohl left.") == [
        "shares fell.",
        "the bank said so.",
        "mr. pohl left.",
    ]


def test_a_sentence_without_end_is_cut_at_white_space() -> None:
    parts = split("word " * 1000)
    assert all(len(part) <= MAX_CHARS for part in parts)
    assert {word for part in parts for word in part.split()} == {"word"}
    assert [len(part) for part in split("x" * 2500)] == [1000, 1000, 500]


NEWSLIKE = st.lists(
    st.sampled_from(
        [
            *("U.S.", "Mr.", "a.m.", "No.", "5", "3.5", "...", "…", "?!", "!", ".", "。", "؟", '"', "”", "“", "'", ")"),
            *(
                "(",
                "[1]",
                " ",
                "\n",
                "\n\n",
                "\r\n",
                "\u2028",
                "\u00a0",
                "The",
                "talks",
                "Iran",
                "é",
                "e\u0301",
                "שלום",
            ),
            *("مسقط", "\u200f", "🚢", "👩‍🚀", "会談", "-", "–", ",", "J.", "x" * 400),
        ]
    ),
    max_size=120,
).map("".join)


@given(st.one_of(NEWSLIKE, st.text(max_size=300)))
def test_every_character_is_in_exactly_one_trimmed_span(text: str) -> None:
    spans = sentences(text)
    position = 0
    for span in spans:
        assert not text[position : span.start].strip()
        assert text[span.start : span.end] == text[span.start : span.end].strip() != ""
        assert span.end - span.start <= MAX_CHARS
        position = span.end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    "unit", [".", '"', "A. ", '."', "\n", " ", "aaaa\n", "? X", ".[1", "Mr.\n", ". ", '!" A b c said ', "a", "x. _"]
)
def test_time_is_linear_on_hostile_input(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.thread_time()
    sentences(text)
    assert time.thread_time() - started < 20  # quadratic code takes hours


def test_time_is_linear_on_lines_after_one_abbreviation() -> None:
    started = time.thread_time()
    sentences("Mr. x" + "\na" * 1_000_000)
    assert time.thread_time() - started < 15  # about 3 s where this was written
