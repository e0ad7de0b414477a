from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from rag.records import Answer, Claim, Closest, Note, Quote, Source
from tests.fakes.slack_limits import check_blocks, check_message
from tests.ui.markup import answer, quote, source
from ui.slack.blocks import (
    SlackMessage,
    answer_message,
    empty_message,
    help_message,
    problem_message,
    searching_message,
)
from ui.slack.text import fitted, literal, plain, shortened, tidy, web_link

GOLDEN = Path(__file__).parent / "golden"
JOINER = "\u2060"
ELSEWHERE = "https://evil.example/"
PAGE = "https://dateline.example/?conversation=c-1"
LEFT = Claim("The ferry left at noon.", (quote("The ferry left at noon."),))
WELL = Claim("It left, and all were well.", (*LEFT.quotes, quote("Nobody was hurt.", 2)))
# Each of these does something in mrkdwn.
LIVE = (
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<@U012AB3CD>",
    "<#C012AB3CD|general>",
    "<!subteam^S012AB3CD>",
    "<!date^1392734382^{date}^https://evil.example/|then>",
    "<https://evil.example/|bank.example>",
    "<https://evil.example/>",
    "<mailto:a@evil.example|write>",
    "https://evil.example/a?b=c",
    "HTTP://EVIL.EXAMPLE",
    "www.evil.example",
    "evil.example",
    "a.b@evil.example",
    "@channel",
    "@here",
    "@everyone",
    "@mallory",
    "#general",
    ":smile:",
    ":+1:",
    ":100:",
    ":flag-us::skin-tone-2:",
    "*bold*",
    "_soft_",
    "~gone~",
    "`code`",
    "```fence```",
    "> a quote",
    ">>> all of it",
    "• a list",
    "1. a list",
    "- a list",
)
# And these are only awkward.
AWKWARD = (
    "&lt;!channel&gt;",
    "&amp;lt;!here&amp;gt;",
    "a & b < c > d",
    "<",
    "*",
    "line\nbreak\n> quote\n1. list",
    "\u202egnp.exe\u202c",
    "half \ud800 a pair",
    "\x00\x07 control",
    "a\u200bb\ufeffc",
    "{{template}} ${value} %s",
    '"}],"type":"button"',
    "slack://open",
    "javascript:alert(1)",
)
HOSTILE = [f"{first} {second}" for first, second in product((*LIVE, *AWKWARD), repeat=2)]


# An independent reader of messages, after what Slack documents of mrkdwn and of blocks

MRKDWN = {
    "control": re.compile(r"<[^<>]*>|<[!@#]"),
    "address": re.compile(r"[a-z][a-z0-9+.-]*://|www\.\w|mailto:\w|[\w-]\.[a-z]{2,}|\S@\w", re.IGNORECASE),
    "mention": re.compile(r"[@#]\w"),
    "emoji": re.compile(r":(?!\d\d:)[\w+'-]+:"),
    "formatting": re.compile(r"([*_~`]).*\1"),
    "opening": re.compile(r"^\s*(>|&gt;|•|-\s|\d+[.)]\s|```)", re.MULTILINE),
}
# What stands in an element that is shown as it is, and could be taken for more by an app that does not.
SHOWN = {
    "control": re.compile(r"<[!@#]"),
    "address": re.compile(r"https?://|www\.\w|mailto:\w", re.IGNORECASE),
    "mention": re.compile(r"@(channel|here|everyone)"),
    "emoji": re.compile(r":(?!\d\d:)[a-z0-9_+'-]+:"),
    "unseen": re.compile("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"),
}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from nodes(inner)


def found(words: str, kinds: dict[str, re.Pattern[str]]) -> list[str]:
    return [f"{kind}: {match[0]}" for kind, pattern in kinds.items() if (match := pattern.search(words))]


def active(message: SlackMessage, links: tuple[str, ...] = ()) -> list[str]:
    """What Slack would make of a message besides words, but for our buttons and links to these addresses."""
    live = found(message.text, MRKDWN)
    for node in nodes(message.blocks):
        kind = node.get("type")
        if kind == "mrkdwn":
            live += found(node["text"], MRKDWN)
        elif kind == "link" or (kind == "button" and "url" in node):
            live += [] if node["url"] in links else [f"link: {node['url']}"]
        elif kind in ("emoji", "user", "usergroup", "channel", "broadcast", "date", "image"):
            live.append(str(kind))
        if isinstance(node.get("text"), str):
            live += found(node["text"], SHOWN)
        live += ["emoji"] if node.get("emoji") else []
    return live


def words_of(message: SlackMessage) -> str:
    """All that is read in the blocks, without the invisible joiners."""
    return "\n".join(
        "".join(inner["text"] for inner in nodes(block) if isinstance(inner.get("text"), str))
        for block in message.blocks
    ).replace(JOINER, "")


def actions_of(message: SlackMessage) -> dict[str, dict[str, Any]]:
    return {node["action_id"]: node for node in nodes(message.blocks) if node.get("type") == "button"}


def everywhere(words: str) -> Answer:
    """A written answer with the words in each place that has some, its source's address among them."""
    titled = source(1, title=words, publisher=words, published=words, url=words, copies=(words,))
    claim = Claim(words, (Quote(1, "a", 0, 1, words), Quote(1, "a", 0, 1, f"{words} {words}")), (words,))
    return answer(
        *(claim, claim),
        sources=(titled, replace(titled, number=2, url=f"{ELSEWHERE}{words}")),
        notes=(Note("conflict", words, (1, 2)), Note("stale", words)),
        mode="written",
        model=words,
        question=words,
        asked_as=f"{words}?",
        as_of=words,
        text=words,
        closest=(Closest("a", words, 0, 1, words),),
    )


def sentences(words: str) -> list[SlackMessage]:
    return [problem_message(words), searching_message(words), help_message(words), empty_message(words)]


# Nothing that others wrote does anything


@pytest.mark.parametrize("words", LIVE)
def test_the_reader_of_these_tests_sees_what_is_active(words: str) -> None:
    assert found(words, MRKDWN)


def test_the_reader_of_these_tests_sees_elements_that_act() -> None:
    acts = [{"type": "user", "user_id": "U1"}, {"type": "broadcast", "range": "here"}, {"type": "link", "url": "x"}]
    assert len(active(SlackMessage("", [{"type": "rich_text", "elements": acts}]))) == 3


def test_of_two_thousand_hostile_strings_none_becomes_active() -> None:
    assert len(HOSTILE) >= 2_000
    for at, words in enumerate(HOSTILE):
        # Each fragment goes through every kind of message, since it stands in many of the strings.
        whole = everywhere(words)
        quotes, declined = replace(whole, mode="quotes", degraded="timeout"), replace(whole, verdict="no_evidence")
        shown = (whole, quotes, declined)[at % 3]
        links = (*(link for each in whole.sources if (link := web_link(each.url))), PAGE)
        messages = [answer_message(shown, open_at=PAGE, shareable=True), sentences(words)[at % 4]]
        for message in messages:
            assert active(message, links) == [], words
            assert check_message({"text": message.text, "blocks": message.blocks}) == [], words


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("<>!@#|&;:/.*_~`-+>1a w\n^{}'\"\\%\u202e"), min_size=1))
def test_no_punctuation_becomes_active(words: str) -> None:
    whole = everywhere(words)
    links = tuple(link for shown in whole.sources if (link := web_link(shown.url)))
    message = answer_message(whole)
    assert active(message, links) == []
    assert check_message({"text": message.text, "blocks": message.blocks}) == []


@pytest.mark.parametrize("words", [*LIVE, *AWKWARD])
def test_words_stay_what_they_were(words: str) -> None:
    assert literal(words).replace(JOINER, "") == tidy(words)
    shown = plain(words).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace(JOINER, "")
    assert shown.translate(str.maketrans("∗ˍ∼ˋ", "*_~`")) == tidy(words)


@pytest.mark.parametrize(
    "words", ["At 10:30:45 the ferry left.", "Rain & wind: 5 < 6.", "U.S. ferry, 3.5 knots", "a@b"]
)
def test_ordinary_words_are_left_alone(words: str) -> None:
    assert literal(words) == words


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://gull.example/ferry?a=1&b=2#top", "https://gull.example/ferry?a=1&b=2#top"),
        ("http://gull.example:8080", "http://gull.example:8080"),
        (" HTTPS://gull.example/a ", "https://gull.example/a"),
        ("https://gull.example/a|b>c<d", "https://gull.example/a%7Cb%3Ec%3Cd"),
        ('https://gull.example/a b"c`d\\e', "https://gull.example/a%20b%22c%60d%5Ce"),
        ("https://gull.example/caf\u00e9?%C3%A9", "https://gull.example/caf%C3%A9?%C3%A9"),
        ("https://m\u00f6we.example/", "https://xn--mwe-sna.example/"),
        ("https://[::1]/", "https://[::1]/"),
        *((bad, None) for bad in ("javascript:alert(1)", "//gull.example", "gull.example", "slack://open", "", None)),
        *(
            (bad, None)
            for bad in ("https://bank.example@evil.example/", "https:///x", "https://[::1", "https://a:99999")
        ),
        *((bad, None) for bad in ("file:///etc/passwd", "https://gull .example/", "https://a>b/", "data:text/html,x")),
        ("https://gull.example/" + "a" * 3_000, None),
    ],
)
def test_only_sound_web_addresses_become_links(url: str | None, link: str | None) -> None:
    assert web_link(url) == link


# What an answer shows


def test_a_claim_has_its_numbers_and_each_number_its_source_with_the_quote() -> None:
    linked = source(1, url="https://gull.example/ferry")
    message = answer_message(answer(WELL, sources=(linked, source(2, publisher=None, published=None)), mode="written"))
    said, _, first, second = message.blocks[:4]
    (section,) = said["elements"]
    assert [element["text"] for element in section["elements"]] == ["It left, and all were well.", " [1] [2]"]
    line, quoted = first["elements"]
    assert line["elements"] == [
        {"type": "text", "text": "[1] "},
        {"type": "link", "url": "https://gull.example/ferry", "text": "Ferry on time"},
        {"type": "text", "text": " · The Gull · 2 May 2024"},
    ]
    assert quoted == {"type": "rich_text_quote", "elements": [{"type": "text", "text": "The ferry left at noon."}]}
    assert words_of(SlackMessage("", [second])) == "[2] Ferry on time · date unknownNobody was hurt."
    assert not [node for node in nodes(second) if node.get("type") == "link"]


def test_a_quote_that_is_a_claim_is_shown_once() -> None:
    message = answer_message(answer(LEFT))
    assert words_of(message).count("The ferry left at noon.") == 1
    assert message.blocks[1]["elements"][0]["type"] == "rich_text_quote"
    assert "[1] Ferry on time" in words_of(message)


def test_a_number_without_its_source_is_not_shown() -> None:
    claim = Claim("It left.", (*LEFT.quotes, quote("Nobody was hurt.", 7)))
    assert "[7]" not in words_of(answer_message(answer(claim, sources=(source(1),))))


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({}, "Quotes only: these are the articles’ own words; no answer was written."),
        (
            {"degraded": "timeout"},
            "Quotes only: the language model took too long, so these are the articles’ own words.",
        ),
        ({"confidence": 0.01}, "Perhaps none of these answers the question"),
    ],
)
def test_quotes_say_that_they_are_quotes_and_why(changes: dict[str, Any], label: str) -> None:
    message = answer_message(answer(LEFT, **changes))
    assert label in words_of(SlackMessage("", message.blocks[:1]))
    assert label in message.text
    assert "Quotes only" not in words_of(answer_message(answer(LEFT, mode="written", **changes)))


def test_flags_notes_copies_the_searched_question_and_the_newest_date_are_shown() -> None:
    flagged = Claim("It left at one.", LEFT.quotes, ("not found in the quotes: one",))
    shown = answer(
        flagged,
        sources=(source(1, copies=("https://tide.example/a", "Ferry late")),),
        notes=(Note("conflict", "The hours differ.", (1, 2)), Note("undated", "A date is missing.")),
        asked_as="When did the ferry leave?",
        as_of="2024-05-02",
        mode="written",
        model="m-1",
    )
    words = words_of(answer_message(shown))
    for said in (
        "Not found in the quotes: one",
        "Sources disagree [1][2]. The hours differ.",
        "Date unknown. A date is missing.",
        "Searched as: When did the ferry leave?",
        "Written by m-1 from the articles.",
        "Newest source quoted: 2 May 2024",
        "the same words in 2 more places",
    ):
        assert said in words
    assert "Searched as" not in words_of(answer_message(answer(LEFT, asked_as=" when? ")))


def test_a_declined_answer_shows_at_most_three_passages_as_no_answer() -> None:
    near = tuple(Closest("a", f"Ferry {at}", 0, 1, "Nobody was hurt. " * at) for at in range(1, 5))
    message = answer_message(
        answer(verdict="no_evidence", text="Nothing is said of it.", closest=near, degraded="quota")
    )
    words = words_of(message)
    assert words.startswith("The language model’s quota".replace("’", "'")) and "searched without it" in words
    assert words.index("Nothing is said of it.") < words.index("Closest, but not an answer") < words.index("Ferry 1")
    assert "Ferry 3" in words and "Ferry 4" not in words
    assert message.text == "Nothing is said of it."


def test_buttons_carry_the_answer_and_stand_only_where_they_do_something() -> None:
    bare = actions_of(answer_message(answer(LEFT, mode="written")))
    assert list(bare) == ["opinion_good", "opinion_bad"]
    assert {button["value"] for button in bare.values()} == {"a"}
    full = actions_of(answer_message(answer(LEFT), open_at=PAGE, shareable=True))
    assert list(full) == ["opinion_good", "opinion_bad", "share", "open"]
    assert full["open"]["url"] == PAGE
    assert "open" not in actions_of(answer_message(answer(LEFT), open_at="javascript:alert(1)"))
    assert list(actions_of(answer_message(answer(verdict="no_evidence", text="No.")))) == [
        "opinion_good",
        "opinion_bad",
    ]


def test_long_quotes_of_a_written_answer_open_on_request() -> None:
    long = "The harbour master said so. " * 30
    claim = Claim("It stays closed.", (Quote(1, "a", 0, len(long), long),))
    first = answer_message(answer(claim, mode="written"))
    opened = answer_message(answer(claim, mode="written"), quotes_open=True)
    assert actions_of(first)["show_quotes"]["value"] == "a"
    assert tidy(long) not in words_of(first) and "The harbour master said so. The harbour" in words_of(first)
    assert "show_quotes" not in actions_of(opened)
    assert tidy(long) in words_of(opened)
    assert "show_quotes" not in actions_of(answer_message(answer(claim)))


# Limits


def sized(claims: int, sources: int, length: int, **changes: Any) -> Answer:
    """An answer whose claims share its sources out among them, one quote of this length each."""
    texts = [f"Quote {number}: {'word ' * length}"[:length] for number in range(1, sources + 1)]
    quotes = [Quote(number, "a", 0, length, text) for number, text in enumerate(texts, 1)]
    listed = tuple(
        source(number, title=f"Title {number} of a long report", url=f"https://gull.example/{number}/{'p' * 80}")
        for number in range(1, sources + 1)
    )
    said = [Claim(f"Claim {at} goes on.", tuple(quotes[at::claims])) for at in range(claims)]
    return answer(*said, sources=listed, **changes)


@pytest.mark.parametrize("mode", ["written", "quotes"])
@pytest.mark.parametrize(
    ("claims", "sources", "length"), [(10, 10, 3_000), (10, 40, 500), (10, 100, 300), (150, 150, 90)]
)
def test_no_claim_and_no_source_is_left_out_of_a_long_answer(mode: str, claims: int, sources: int, length: int) -> None:
    message = answer_message(sized(claims, sources, length, mode=mode), open_at=PAGE, shareable=True, quotes_open=True)
    assert check_message({"text": message.text, "blocks": message.blocks}) == []
    words = words_of(message)
    for at in range(claims):
        assert f"Claim {at} go" in words
    for number in range(1, sources + 1):
        assert re.search(rf"\[{number}\] Title {number}\b", words)
        if sources <= 100:
            assert f"Quote {number}: word word" in words


def test_ten_sources_keep_their_links_and_most_of_their_quotes() -> None:
    message = answer_message(sized(10, 10, 3_000, mode="written"), quotes_open=True)
    quotes = [part["elements"][0]["text"] for part in nodes(message.blocks) if part.get("type") == "rich_text_quote"]
    assert len(quotes) == 10
    assert all(len(words) > 500 and words.endswith("…") for words in quotes)
    assert len([node for node in nodes(message.blocks) if node.get("type") == "link"]) == 10


def test_the_longest_quotes_are_shortened_first_and_before_anything_else() -> None:
    note = "The two papers give different hours for it. " * 15
    texts = ["The ferry left at noon.", *["A long account of the crossing. " * 90] * 6]
    quotes = tuple(Quote(number, "a", 0, 1, text) for number, text in enumerate(texts, 1))
    message = answer_message(
        answer(Claim("It left.", quotes), mode="written", notes=(Note("conflict", note, (1,)),)), quotes_open=True
    )
    words = words_of(message)
    assert texts[0] in words and tidy(note) in words
    assert words.count("…") == 6
    assert check_blocks(message.blocks) == []


def test_a_quote_is_not_shortened_below_eighty_characters_while_anything_else_can_be() -> None:
    notes = tuple(Note("stale", "Much has happened since then. " * 20) for _ in range(15))
    message = answer_message(replace(sized(8, 8, 400, mode="written"), notes=notes))
    quotes = [part["elements"][0]["text"] for part in nodes(message.blocks) if part.get("type") == "rich_text_quote"]
    assert len(quotes) == 8
    assert all(len(words) >= 64 for words in quotes)


def test_long_addresses_go_before_quotes_are_taken_from_under_their_sources() -> None:
    whole = sized(10, 10, 300, mode="written")
    long = tuple(replace(each, url=f"https://gull.example/{'p' * 900}") for each in whole.sources)
    message = answer_message(replace(whole, sources=long))
    assert check_blocks(message.blocks) == []
    assert [node for node in nodes(message.blocks) if node.get("type") == "link"] == []
    assert len([part for part in nodes(message.blocks) if part.get("type") == "rich_text_quote"]) == 10


def test_written_claims_are_shortened_last_and_still_can_be_read() -> None:
    whole = sized(12, 12, 300, mode="written")
    claims = tuple(replace(claim, text=f"{claim.text} {'And so on. ' * 100}") for claim in whole.claims)
    message = answer_message(replace(whole, claims=claims))
    assert check_blocks(message.blocks) == []
    words = words_of(message)
    for number, claim in enumerate(claims, 1):
        assert claim.text[:220] in words
        assert f"Quote {number}: word word word word word word word word word word word wo" in words


def test_words_are_shortened_between_words() -> None:
    assert shortened("The ferry left at noon.", 23) == "The ferry left at noon."
    assert shortened("The ferry left at noon.", 18) == "The ferry left at…"
    assert shortened("The ferry left at noon.", 17) == "The ferry left…"
    assert shortened("Überseehafenverwaltung", 10) == "Überseeha…"
    assert shortened("The ferry", 0) == ""


@pytest.mark.parametrize("words", [*LIVE, "&" * 100, "@a" * 50, "plain words"])
@pytest.mark.parametrize("most", [0, 1, 7, 30, 100])
def test_fitted_words_fit_and_no_entity_is_cut(words: str, most: int) -> None:
    safe = fitted(words * 3, most)
    assert len(safe) <= most
    assert re.search(r"&(?!(amp|lt|gt);)", safe) is None


PROSE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=400).filter(lambda words: bool(tidy(words)))
SOURCES = st.integers(1, 10)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    count = draw(SOURCES)
    listed: list[Source] = [
        source(number, title=draw(PROSE), publisher=draw(PROSE), url=f"https://gull.example/{draw(PROSE)}")
        for number in range(1, count + 1)
    ]
    quotes = [Quote(number, "a", 0, 1, draw(PROSE) * draw(st.integers(1, 5))) for number in range(1, count + 1)]
    claims = draw(st.integers(1, 10))
    # Every source is behind some claim, and every claim has a quote.
    behind = [quotes[at::claims] or [quotes[at % count]] for at in range(claims)]
    said = [Claim(draw(PROSE), tuple(each)) for each in behind]
    notes = tuple(Note("stale", draw(PROSE)) for _ in range(draw(st.integers(0, 3))))
    return answer(*said, sources=tuple(listed), notes=notes, mode=draw(st.sampled_from(["written", "quotes"])))


@settings(max_examples=60, deadline=None)
@given(answers(), st.booleans())
def test_every_claim_number_and_quote_of_up_to_ten_claims_is_there(shown: Answer, opened: bool) -> None:
    message = answer_message(shown, open_at=PAGE, shareable=True, quotes_open=opened)
    assert check_message({"text": message.text, "blocks": message.blocks}) == []
    for block in Block.parse_all(message.blocks):
        assert block is not None
        block.validate_json()
    words = words_of(message)
    for claim in shown.claims:
        assert tidy(claim.text)[:60] in words
        numbers = "".join(f" [{number}]" for number in dict.fromkeys(each.source for each in claim.quotes))
        assert numbers in words
        for each in claim.quotes:
            assert tidy(each.text)[:60].rstrip() in words
    for listed in shown.sources:
        assert f"[{listed.number}] {tidy(listed.title)[:50].rstrip()}" in words


# The limits that the messages are held against


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}, **changes}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def mrkdwn(length: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": "x" * length}


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([{"type": "divider"}] * 51, "51 of at most 50"),
        ([{"type": "section"}], "neither text nor fields"),
        ([{"type": "section", "text": mrkdwn(3_001)}], "3001 characters of at most 3000"),
        ([{"type": "section", "text": mrkdwn(0)}], "must be more than 0 characters"),
        ([{"type": "context", "elements": [mrkdwn(1)] * 11}], "11 of at most 10"),
        ([{"type": "context", "elements": []}], ".elements: none"),
        ([{"type": "header", "text": mrkdwn(5)}], "text object of the type 'mrkdwn'"),
        ([{"type": "actions", "elements": [button(), button()]}], "an action_id twice"),
        ([{"type": "actions", "elements": [button(value="x" * 2_001)]}], "2001 characters"),
        ([{"type": "actions", "elements": [button(url="javascript:x")]}], "no web address"),
        ([{"type": "actions", "elements": [button(title="x")]}], "invalid additional property title"),
        ([rich()], "no elements"),
        ([rich({"type": "text", "text": ""})], "must be more than 0 characters"),
        ([rich({"type": "link", "text": "x"})], ".url: missing"),
        ([rich({"type": "text", "text": "\ud800"})], "half a character"),
        ([rich({"type": "mrkdwn", "text": "x"})], "no element of rich text"),
        ([rich({"type": "text", "text": "x" * 13_300})], "msg_blocks_too_long"),
        ([{"type": "wish"}], "no block is of the type 'wish'"),
        ([{"type": "divider", "block_id": "b"}] * 2, "a block_id twice"),
        ("[]", "not a list"),
    ],
)
def test_what_slack_refuses_is_found(blocks: Any, problem: str) -> None:
    assert problem in "; ".join(check_blocks(blocks))


def test_a_message_needs_words_for_its_notification() -> None:
    divider = {"type": "divider"}
    assert check_message({"text": "x", "blocks": json.dumps([divider])}) == []
    assert check_message({"blocks": [divider]}) == ["text: missing, so a notification would be empty"]
    assert check_message({}) == ["no_text: neither text nor blocks"]
    assert check_message({"text": "x", "blocks": "["}) == ["blocks: not JSON"]


# Whole messages


def hostile() -> Answer:
    return everywhere(" ".join((*LIVE, *AWKWARD)))


MESSAGES = {
    "written": lambda: answer_message(
        answer(
            Claim("The ferry left at noon and nobody was hurt.", WELL.quotes, ("not found in the quotes: at one",)),
            Claim("The harbour is closed.", (quote("The harbour stays closed until Monday.", 2),)),
            sources=(source(1, url="https://gull.example/ferry", copies=("Ferry late",)), source(2, publisher=None)),
            notes=(Note("conflict", "The papers give different hours.", (1, 2)),),
            mode="written",
            model="m-1",
            asked_as="When did the ferry leave?",
            as_of="2024-05-02",
        ),
        open_at=PAGE,
        shareable=True,
    ),
    "quotes": lambda: answer_message(
        answer(
            LEFT,
            Claim("Nobody was hurt.", (quote("Nobody was hurt.", 2),)),
            sources=(source(1, url="https://gull.example/ferry"), source(2, published=None)),
            notes=(Note("undated", "One source has no date.", (2,)),),
            degraded="unreachable",
            confidence=0.02,
            as_of="2024-05-02",
        )
    ),
    "declined": lambda: answer_message(
        answer(
            verdict="no_evidence",
            text="The articles do not say.",
            notes=(Note("filtered", "Only The Gull was searched."),),
            closest=(Closest("a", "Ferry on time", 24, 40, "Nobody was hurt."),),
        ),
        open_at=PAGE,
    ),
    "empty": lambda: answer_message(everywhere("")),
    "empty_library": lambda: empty_message(PAGE),
    "hostile": lambda: answer_message(hostile(), open_at="javascript:alert(1)", shareable=True),
    "long": lambda: answer_message(sized(10, 10, 3_000, mode="written"), open_at=PAGE, quotes_open=True),
    "very_long": lambda: answer_message(sized(10, 60, 400, mode="quotes")),
    "help": lambda: help_message("/dateline"),
    "problem": lambda: problem_message("The search failed: ask again."),
    "searching": lambda: searching_message("When did the <!channel> ferry leave?"),
}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_messages_are_as_they_were_agreed(name: str) -> None:
    message = MESSAGES[name]()
    agreed = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert {"text": message.text, "blocks": message.blocks} == agreed
    assert check_message(agreed) == []


def test_every_agreed_message_is_tested() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == MESSAGES.keys()
