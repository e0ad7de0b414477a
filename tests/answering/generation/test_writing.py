from __future__ import annotations

import itertools
import json
import time
from collections.abc import Generator, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.checking.support import DOUBT
from rag.answering.generation.generate import MAX_CLAIMS, Declined, generate_claims, plain_text
from rag.answering.generation.prompt import Prompt, build_prompt
from rag.english.sentences import sentences
from rag.errors import EncoderError, LanguageModelError
from rag.models.deadline import Deadline
from rag.models.local_encoder import LocalEncoder
from rag.records import UncitedClaim
from tests.fakes import hit

TEXT = "Envoys met in Muscat on Friday. Tehran asked for a cease-fire in Gaza. It would not halt enrichment."
FRIDAY = ("1.1", "Envoys met in Muscat on Friday.")
DEMAND = ("1.2", "Tehran asked for a cease-fire in Gaza.")
DONE = '{"done": true}'


class Scripted:
    """A writer that says what it is told, and remembers what it was asked and whether it was stopped."""

    model, context_window, max_output_tokens, json_mode = "scripted", 8192, 1024, False

    def __init__(self, pieces: Sequence[str | Exception]) -> None:
        self.pieces = pieces
        self.said = 0
        self.stopped = False
        self.asked: tuple[str, str] | None = None

    def stream(
        self, system: str, user: str, deadline: Deadline, *, calls: int = 2, json_mode: bool = False
    ) -> Generator[str, None, None]:
        self.asked = (system, user)
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                self.said += 1
                yield piece
        finally:
            self.stopped = True


def prompt() -> Prompt:
    return build_prompt("?", [hit(TEXT)], sentences=sentences, budget_tokens=10**5, today=date(2024, 1, 1))


def line(claim: str, *quotes: tuple[str, str], **more: Any) -> str:
    return json.dumps({"claim": claim, "quotes": [{"at": at, "text": text} for at, text in quotes], **more}) + "\n"


def generate(*pieces: str | Exception) -> Generator[UncitedClaim, None, None]:
    return generate_claims(prompt(), Scripted(pieces), Deadline.after(10))


def claims_of(*pieces: str | Exception) -> list[UncitedClaim]:
    return list(generate(*pieces))


def reason(*pieces: str | Exception) -> str:
    with pytest.raises(LanguageModelError) as failure:
        claims_of(*pieces)
    return failure.value.reason


def test_claims_carry_slices_of_the_article() -> None:
    (finding,) = claims_of(line("They met in Muscat and asked for a cease-fire.", FRIDAY, DEMAND), DONE)
    assert finding.text == "They met in Muscat and asked for a cease-fire."
    assert [(e.text, TEXT[e.start : e.end]) for e in finding.evidence] == [(FRIDAY[1],) * 2, (DEMAND[1],) * 2]


@pytest.mark.parametrize("before", ["", '{"claims": [', "[", '```json\n{\n  "claims": [\n'])
def test_a_claim_comes_as_soon_as_its_object_is_complete(before: str) -> None:
    writer = Scripted([before + line("One.", FRIDAY).strip(), ",\n" + line("Two.", DEMAND), DONE])
    claims = iter(generate_claims(prompt(), writer, Deadline.after(10)))
    assert next(claims).text == "One."
    assert writer.said == 1
    claims.close()
    assert writer.stopped
    assert writer.said == 1


def test_the_writer_is_asked_with_the_prompt_and_not_read_past_the_last_line() -> None:
    given_prompt, writer = prompt(), Scripted([line("One.", FRIDAY), DONE + "\n", line("Two.", DEMAND)])
    assert len(list(generate_claims(given_prompt, writer, Deadline.after(10)))) == 1
    assert writer.asked == (given_prompt.system, given_prompt.user)
    assert (writer.said, writer.stopped) == (2, True)


@pytest.mark.parametrize(
    "text",
    [
        "```json\n{}" + DONE + "\n```\n",
        "Here is the answer:\n\n{}\n\n" + DONE,
        "<think>First\n" + line("A draft.", FRIDAY) + "</think>\n{}" + DONE,
        "<think>in one line</think>{}" + DONE,
        "[{},\n" + DONE + "]",
        "{}" + DONE + "\r\n",
        "Claim 1: {}" + DONE,
    ],
)
def test_what_stands_around_the_json_is_passed_over(text: str) -> None:
    assert [f.text for f in claims_of(text.replace("{}", line("One.", DEMAND)))] == ["One."]


@pytest.mark.parametrize("at", ['"[1.2]"', "1.2", '"S1.2"', '"1.2-1.3"', "null", "[1, 2]", '"9.9"'])
def test_a_sentence_number_is_only_a_hint(at: str) -> None:
    text = f'{{"claim": "One.", "quotes": [{{"at": {at}, "text": "{DEMAND[1]}"}}]}}\n{DONE}'
    assert [e.text for e in claims_of(text)[0].evidence] == [DEMAND[1]]


def test_a_number_that_looks_like_a_fraction_keeps_its_zero() -> None:
    text = " ".join(f"It was {n} o'clock." for n in range(1, 13))
    twelve = build_prompt("?", [hit(text)], sentences=sentences, budget_tokens=10**5, today=date(2024, 1, 1))
    said = '{"claim": "Ten.", "quotes": [{"at": 1.10, "text": "o\'clock"}]}\n' + DONE
    (finding,) = generate_claims(twelve, Scripted([said]), Deadline.after(10))
    assert finding.evidence[0].text == "It was 10 o'clock."


@pytest.mark.parametrize(
    "bad",
    [
        line("Invented.", ("1.2", "Tehran asked for a new airport in Gaza.")),
        line("Turned round.", ("1.3", "It would halt enrichment.")),
        line("Without quotes."),
        line("<img src=x>", DEMAND),
        line("x" * 700, DEMAND),
        '{"claim": 5, "quotes": [{"at": "1.2", "text": "Tehran asked for a cease-fire"}]}\n',
        '{"claim": "One.", "quotes": "Tehran asked for a cease-fire"}\n',
        '{"claim": "One.", "quotes": [null, 3, {"at": "1.2"}, {"text": ["x"]}]}\n',
        '{"claim": "One.", "quotes": [{"at": "1.2", "text": "Tehran asked for\n',
        '{"a":' * 3000 + "\n",
    ],
)
def test_a_claim_without_a_located_quote_is_dropped(bad: str) -> None:
    assert [f.text for f in claims_of(bad, line("Good.", DEMAND), DONE)] == ["Good."]
    assert reason(bad, DONE) == "bad_output"


def test_a_located_quote_carries_a_claim_beside_an_invented_one() -> None:
    (finding,) = claims_of(line("One.", ("1.1", "Envoys met in Geneva on Friday."), DEMAND, DEMAND), DONE)
    assert [e.text for e in finding.evidence] == [DEMAND[1]]


def test_a_quote_put_together_from_two_places_becomes_two() -> None:
    (finding,) = claims_of(line("One.", ("1.1", "Envoys met in Muscat ... asked for a cease-fire in Gaza.")), DONE)
    assert [e.text for e in finding.evidence] == ["Envoys met in Muscat", "asked for a cease-fire in Gaza."]


def test_a_slip_in_a_quote_shows_the_article_as_it_is() -> None:
    (finding,) = claims_of(line("One.", ("1.3", "It would not halt enrichmment.")), DONE)
    assert [e.text for e in finding.evidence] == ["It would not halt enrichment"]


def test_what_the_quotes_do_not_have_is_flagged() -> None:
    claims = claims_of(
        line("They met on 12 January in Muscat.", FRIDAY), line("Iran asked Qatar for 3 ships.", DEMAND), DONE
    )
    assert [f.flags for f in claims] == [(), ("not found in the quotes: Qatar, 3",)]


def test_with_an_encoder_a_claim_that_its_quotes_may_not_say_is_flagged(encoder: LocalEncoder) -> None:
    script = line("Envoys met in Muscat on Friday.", FRIDAY) + line("Wheat harvests fell after floods.", DEMAND) + DONE
    claims = list(generate_claims(prompt(), Scripted([script]), Deadline.after(10), encoder.encode))
    assert [f.flags for f in claims] == [(), (DOUBT,)]
    assert all(f.flags == () for f in claims_of(script))


def test_an_encoder_that_fails_costs_no_claim() -> None:
    def encode(texts: list[str]) -> Any:
        raise EncoderError("the embeddings endpoint does not answer")

    claims = list(generate_claims(prompt(), Scripted([line("One.", DEMAND), DONE]), Deadline.after(10), encode))
    assert [f.flags for f in claims] == [()]


def test_repeated_claims_and_too_many_are_dropped() -> None:
    assert [f.text for f in claims_of(line("One.", DEMAND), line("ONE.", FRIDAY), DONE)] == ["One."]
    assert len(claims_of(*(line(f"Claim {n}.", DEMAND) for n in range(200)))) == MAX_CLAIMS


class JsonMode(Scripted):
    json_mode = True


@pytest.mark.parametrize(("kind", "asked_for"), [(Scripted, '{"done": true}'), (JsonMode, '"end": "done"')])
def test_the_form_that_is_asked_for_is_the_one_the_server_can_be_held_to(kind: type[Scripted], asked_for: str) -> None:
    writer = kind([line("One.", FRIDAY), DONE])
    assert len(list(generate_claims(prompt(), writer, Deadline.after(10)))) == 1
    assert writer.asked is not None
    assert asked_for in writer.asked[0]


def test_a_claim_that_says_it_is_the_end_does_not_end_the_answer() -> None:
    said = [line("One.", FRIDAY, end="done"), line("Two.", DEMAND, end="no_evidence")]
    assert [f.text for f in claims_of(*said, DONE)] == ["One.", "Two."]
    assert reason(*said) == "bad_output"


@pytest.mark.parametrize("text", ['{"no_evidence": true}\n', '{"claims": [], "end": "no_evidence"}'])
def test_declining_is_no_error(text: str) -> None:
    with pytest.raises(Declined):
        claims_of(text)
    assert len(claims_of(line("One.", DEMAND), '{"no_evidence": true}')) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [""],
        ["I think that they met in Muscat."],
        [DONE],
        [line("One.", DEMAND)],
        [line("One.", DEMAND), '{"claim": "Tw'],
        ['{"claims": [' + line("One.", DEMAND)],
        ['{"claims": [' + line("One.", DEMAND) + "]"],
        ['{"claims": [], "end": "done"}'],
        ["[" + line("One.", DEMAND)],
        ["<think>" + line("One.", DEMAND) + DONE],
        ["x" * 30_000],
    ],
)
def test_an_answer_that_is_not_whole_is_bad_output(pieces: list[str]) -> None:
    assert reason(*pieces) == "bad_output"


def test_what_the_writer_raises_passes_through_after_the_claims_before_it() -> None:
    claims = iter(generate(line("One.", DEMAND), LanguageModelError("length")))
    assert next(claims).text == "One."
    with pytest.raises(LanguageModelError, match="length"):
        next(claims)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain words, 5 < 6 & 7 > 3.", "Plain words, 5 < 6 & 7 > 3."),
        ("A <b>bold</b> <script>alert(1)</script>claim.", "A bold alert(1)claim."),
        ("Beacon <img src=http://x.y/z> here.", "Beacon here."),
        ("Open <img src=x onerror=alert(1)", "Open"),
        ("Nested <scr<script>ipt>alert(1)</scr</script>ipt>.", "Nested alert(1)."),
        ("Entities &lt;img src=x&gt; and &amp;lt;b&amp;gt;.", "Entities and."),
        ("![alt](https://e.vil/p.png) Text.", "Text."),
        ("A [link](https://e.vil/x) here.", "A link here."),
        ("A [link][ref] and <https://e.vil>.", "A link and."),
        ("See https://e.vil/x?y=1, www.e.vil, //e.vil/x and e.vil/path now.", "See and now."),
        ("Run javascript:alert(1) or mail a@e.vil today.", "Run or mail today."),
        ("**Bold** and `code` and _leaning_ snake_case.", "Bold and code and leaning snake_case."),
        ("- # A list item.", "A list item."),
        ("It fell to -5 degrees [1], twice [2.3][4](https://e.vil)【5†source】.", "It fell to -5 degrees, twice."),
        ("Hid\u200bden \u202etext\u202c \x00\x1b[31m\ud800and\nlines.", "Hidden text [31mand lines."),
        ("U.S./Iran talks at 10:30 cost $6.5/day and/or 50%.", "U.S./Iran talks at 10:30 cost $6.5/day and/or 50%."),
    ],
)
def test_a_claim_is_plain_text(text: str, expected: str) -> None:
    assert plain_text(text) == expected


@given(st.text(alphabet="<>[]()!*_`&;lt/a:.w#\n @-1", max_size=60))
def test_plain_text_stays_as_it_is_when_made_plain_again(text: str) -> None:
    once = plain_text(text)
    assert plain_text(once) == once
    assert "\n" not in once


def test_making_a_claim_plain_is_quick_on_hostile_text() -> None:
    start = time.perf_counter()
    for unit in ("a.", "[", "![", "<a", "&lt;", "_", "a-", "x://", "[1](", "a@"):
        plain_text((unit * 600)[:600])
    assert time.perf_counter() - start < 1


@settings(max_examples=300, deadline=None)
@given(cut=st.integers(0, 400), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_a_stream_cut_anywhere_never_shows_an_unfinished_claim(cut: int, sizes: list[int]) -> None:
    whole = line("Claim one.", FRIDAY) + line("Claim two “quoted”.", DEMAND) + DONE
    text = whole[:cut]
    bounds = [*itertools.takewhile(lambda end: end < cut, itertools.accumulate(itertools.cycle(sizes))), cut]
    pieces = [text[start:end] for start, end in itertools.pairwise([0, *bounds])]
    shown: list[str] = []
    try:
        shown.extend(f.text for f in generate(*pieces))
        assert cut >= len(whole)
    except LanguageModelError as failure:
        assert failure.reason == "bad_output"
        assert cut < len(whole)
    assert shown == ["Claim one.", "Claim two “quoted”."][: len(shown)]
