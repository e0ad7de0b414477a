"""Files of outcomes, and what two of them say about each other."""

import json
from pathlib import Path

import pytest

from rag.errors import InvalidRequest
from rag.evaluation.outcomes import Outcome, check_writable, compare, read_scores, write_outcomes


def outcome(number: int, lexical: float, hybrid: float) -> Outcome:
    return Outcome(f"q{number}", "A question?", {"lexical": {"nDCG@10": lexical}, "hybrid": {"nDCG@10": hybrid}}, {})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "run:1.jsonl"
    write_outcomes(file, [outcome(1, 0.25, 0.5), outcome(2, 0, 1)])
    assert read_scores(str(file)) == {"q1": {"nDCG@10": 0.5}, "q2": {"nDCG@10": 1}}
    assert read_scores(f"{file}:lexical") == {"q1": {"nDCG@10": 0.25}, "q2": {"nDCG@10": 0}}


def test_a_gain_on_every_question_is_no_noise_and_on_half_of_them_is() -> None:
    before = {f"q{n}": {"nDCG@10": n / 40} for n in range(20)}
    better = {id_: {"nDCG@10": scores["nDCG@10"] + 0.2} for id_, scores in before.items()}
    (gain,) = compare(before, better)
    assert not gain.noise
    assert gain.after - gain.before == pytest.approx(0.2)
    mixed = {f"q{n}": {"nDCG@10": n / 40 + (0.2 if n % 2 else -0.19)} for n in range(20)}
    assert compare(before, mixed)[0].noise


def test_only_shared_questions_and_measures_are_compared() -> None:
    (one,) = compare({"a": {"x": 1.0, "y": 0.0}, "b": {"x": 1.0}}, {"a": {"x": 0.5}, "c": {"x": 0.1, "y": 1.0}})
    assert (one.measure, one.questions) == ("x", 1)
    with pytest.raises(InvalidRequest, match="share no question"):
        compare({"a": {"x": 1.0}}, {"b": {"x": 1.0}})


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("", "f.jsonl", "no scores of 'hybrid'"),
        (
            json.dumps({"id": "q", "scores": {"quotes": {"x": 1}}}),
            "f.jsonl:dense",
            "no scores of 'dense': it has quotes",
        ),
        (json.dumps({"id": "q", "scores": {"quotes": {"x": "1"}}}), "f.jsonl", "f.jsonl:1 holds no scores"),
        (json.dumps({"id": "q"}), "f.jsonl", "f.jsonl:1 holds no scores"),
        ("nothing", "f.jsonl", "f.jsonl:1 is no JSON"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: str, name: str, says: str) -> None:
    (tmp_path / "f.jsonl").write_text(content)
    with pytest.raises(InvalidRequest) as raised:
        read_scores(str(tmp_path / name))
    assert says in str(raised.value)


def test_a_place_that_cannot_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    check_writable("--per-query", tmp_path / "new.jsonl")
    assert not list(tmp_path.iterdir())
    (tmp_path / "old.jsonl").write_text("kept")
    check_writable("--per-query", tmp_path / "old.jsonl")
    assert (tmp_path / "old.jsonl").read_text() == "kept"
    for place in ("nowhere/new.jsonl", "old.jsonl/new.jsonl", "x" * 300, "/proc/new.jsonl"):
        with pytest.raises(InvalidRequest, match=r"^--per-query: .*cannot be written") as raised:
            check_writable("--per-query", tmp_path / place)
        assert "disk" not in str(raised.value)


def test_half_a_character_is_kept(tmp_path: Path) -> None:
    outcome = Outcome("\ud800", "Who \udcff?", {"quotes": {"any": 1.0}}, {"quotes": ["\ud800"]})
    write_outcomes(tmp_path / "f.jsonl", [outcome])
    assert read_scores(str(tmp_path / "f.jsonl")) == {"\ud800": {"any": 1.0}}
