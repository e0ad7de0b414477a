from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.generation.output_parser import MAX_OBJECT_CHARS, records
from rag.errors import LanguageModelError

DONE = {"done": True}
Claims = list[dict[str, Any]]


def claim(text: str, quote: str = "they said") -> dict[str, Any]:
    return {"claim": text, "quotes": [{"at": "1.2", "text": quote}, {"at": "2.1", "text": quote[::-1]}]}


def lines(claims: Claims) -> str:
    return "".join(json.dumps(one) + "\n" for one in [*claims, DONE])


def one_object(claims: Claims, **style: Any) -> str:
    return json.dumps({"claims": claims, "end": "done"}, **style)


# Each turns claims into an answer, as models do.
SHAPES: dict[str, Callable[[Claims], str]] = {
    "lines": lines,
    "one line": lambda claims: " ".join(map(json.dumps, [*claims, DONE])),
    "spread": lambda claims: "\n\n".join(json.dumps(one, indent=4) for one in [*claims, DONE]),
    "CRLF": lambda claims: "\n".join(json.dumps(one, indent=1) for one in [*claims, DONE]).replace("\n", "\r\n"),
    "object": one_object,
    "object, spread": lambda claims: one_object(claims, indent=2),
    "object, end first": lambda claims: json.dumps({"end": "done", "claims": claims}),
    "object that says no end": lambda claims: json.dumps({"answer": {"claims": claims}}, indent=1),
    "array": lambda claims: json.dumps([*claims, DONE]),
    "array that says no end": lambda claims: json.dumps(claims, indent=2),
    "fenced": lambda claims: f"Here you are:\n```json\n{one_object(claims, indent=2)}\n```\nI hope {{that}} helps.",
    "fenced one by one": lambda claims: "".join(f"```json\n{json.dumps(c, indent=1)}\n```\n" for c in [*claims, DONE]),
    "thoughts": lambda claims: f'<think>{{"claim": "Draft", "quotes": []}} {{</think>[1] {one_object(claims)}',
}


def read(text: str, *sizes: int) -> Claims:
    bounds = itertools.accumulate(itertools.cycle(sizes or (7,)))
    ends = [*itertools.takewhile(lambda end: end < len(text), bounds), len(text)]
    return list(records(text[start:end] for start, end in itertools.pairwise([0, *ends])))


def claims_of(found: Claims) -> Claims:
    return [record for record in found if "claim" in record]


def ends(found: Claims) -> bool:
    return bool(found) and (found[-1].get("done") is True or found[-1].get("end") == "done")


TRICKY = [
    claim('A "quoted" {claim} with \\ and }', 'they said "{"'),
    claim("Ein }] [{ Satz", "…“\u2028”\n\t}"),
    claim("🌾 <think> 3 < 4", "</think>{"),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 40, 10**6])
def test_claims_are_read_out_of_every_shape(shape: str, size: int) -> None:
    found = read(SHAPES[shape](TRICKY), size)
    assert claims_of(found) == TRICKY
    assert ends(found)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_claim_is_read_with_its_last_brace_and_never_before(shape: str) -> None:
    text = SHAPES[shape](TRICKY)
    seen = 0
    reading = []

    def pieces() -> Any:
        for character in text:
            reading.append(character)
            yield character

    for record in records(pieces()):
        if "claim" in record:
            assert reading[-1] == "}"
            assert record == TRICKY[seen]
            seen += 1
    assert seen == len(TRICKY)
    for size in range(len(text)):
        cut = read(text[:size], 50)
        assert claims_of(cut) == TRICKY[: len(claims_of(cut))]
        if ends(cut):  # only what closes around the claims is missing, or comes after
            assert len(claims_of(cut)) == len(TRICKY)


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=4),
    shape=st.sampled_from(sorted(SHAPES)),
    cut=st.floats(0, 1),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
def test_a_shape_cut_anywhere_holds_whole_claims_in_order_and_is_not_taken_for_whole(
    texts: list[tuple[str, str]], shape: str, cut: float, sizes: list[int]
) -> None:
    said = [claim(text, quote) for text, quote in texts]
    whole = SHAPES[shape](said)
    assert claims_of(read(whole, *sizes)) == said
    data = whole.encode()
    text = data[: int(cut * len(data))].decode(errors="ignore")
    found = claims_of(read(text, *sizes))
    assert found == said[: len(found)]
    assert len(found) == len(said) or not ends(read(text, *sizes))


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet='{}[]"\\,: \nabc<>/think', max_size=200))
def test_nothing_that_is_sent_breaks_the_reading(text: str) -> None:
    assert read(text, 1) == read(text, 13)
    good = claim("One.")
    assert claims_of(read(f"{text}\n\n{json.dumps(good)}\n", 3))[-1:] in ([good], []), text


@pytest.mark.parametrize(
    "broken",
    [
        '{"claim": "Half\n',
        '{"claim": "Half", "quotes": [{"at": "1.1", "text": "cut\n',
        '{"claim": "No end", "quotes": []\n',
        '{"claim": "Two" "strings", "quotes": []}\n',
        "{'claim': 'Python', 'quotes': []}\n",
        "a set {1, 2, and another {\n",
        'They wrote {so "much: ',
        "{{{{{{{{\n",
        "}}]]\n",
        '{"a":' * 3000 + "\n",
        '{"a": 1' + "}" * 50 + "\n",
        "```json\n",
    ],
)
def test_what_is_broken_costs_itself_alone(broken: str) -> None:
    good = claim("One.")
    assert claims_of(read(broken + lines([good]))) == [good]
    assert ends(read(broken + lines([good])))


def test_a_broken_claim_costs_the_others_in_its_object_nothing() -> None:
    text = one_object([claim("One."), claim("Two."), claim("Three.")]).replace('"Two."', '"Two." "slip"')
    found = read(text)
    assert [record["claim"] for record in claims_of(found)] == ["One.", "Three."]
    assert ends(found)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(claim("One.")),
        "[" + json.dumps(claim("One.")),
        '{"claims": [' + json.dumps(claim("One.")) + "]",
        json.dumps([claim("One.")]) + '{"claim": "Tw',
        json.dumps({"claims": [claim("One.")]}) + ' {"claims": [',
        json.dumps({"claims": [claim("One.")]}) + ' {"claim": "Tw\n',
        json.dumps({"claims": [claim("One.")]}) + ' {"at": "1.1"}',
        "As the paper says [1]: " + json.dumps(claim("One.")) + "]",
    ],
)
def test_an_end_is_what_closes_around_all_the_claims(text: str) -> None:
    found = read(text)
    assert [record["claim"] for record in claims_of(found)] == ["One."]
    assert not ends(found)


def test_braces_in_what_is_said_afterwards_change_nothing() -> None:
    assert ends(read(json.dumps({"claims": [claim("One.")]}) + "\nI hope {this} helps."))


def test_an_object_around_claims_may_be_longer_than_one_that_is_a_claim() -> None:
    said = [claim(f"Claim {number}.", "x" * 2000) for number in range(20)]
    assert len(one_object(said)) > MAX_OBJECT_CHARS
    found = read(one_object(said))
    assert claims_of(found) == said
    assert ends(found)


def test_an_object_without_an_end_is_not_waited_for() -> None:
    def endless() -> Any:
        yield '{"claim": "'
        while True:
            yield "x" * 100

    with pytest.raises(LanguageModelError) as failure:
        list(records(endless()))
    assert failure.value.reason == "bad_output"


def test_prose_without_an_end_takes_no_memory() -> None:
    before = sys.getallocatedblocks()
    assert list(records(itertools.repeat("so { they } say [", 20_000))) == []
    assert sys.getallocatedblocks() - before < 1000


@pytest.mark.parametrize(
    "unit", ['{"a":', "{", '{"quotes": []}', '{"claims": [{}]}', '"', "<think", "[{", '{"a": {}} ', "\\", "}"]
)
def test_reading_takes_time_in_proportion_to_the_stream(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * size)[: size - size % len(unit)]
        start = time.process_time()
        for _ in records([text]):
            pass
        return time.process_time() - start

    seconds(1000)
    assert seconds(200_000) < 40 * max(seconds(20_000), 0.01)


def test_an_object_may_be_as_long_as_it_may_be() -> None:
    (found,) = read(json.dumps({"quotes": "x" * (MAX_OBJECT_CHARS - 15)}), 999)
    assert len(json.dumps(found)) <= MAX_OBJECT_CHARS
