"""Whole runs on real libraries: a small set written for it, and questions about the seeds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import gate, squad
from rag.engine import Engine
from rag.errors import InvalidRequest
from rag.evaluation.answers import AnswersRun, Case, evaluate_answers, read_cases
from rag.evaluation.beir import read_collection
from rag.evaluation.outcomes import compare, scores_of
from rag.evaluation.retrieval import METHODS, RetrievalRun, evaluate_retrieval
from rag.records import Answer, Claim, Done, Event, Question, Quote
from rag.settings import Settings
from rag.wiring import connect
from tests.conftest import ROOT, new_home

NO_LISTS = ('""', "false", "0", "{}")
HARBOUR = Path(__file__).parent / "harbour"
SEED_QUESTIONS = ROOT / "tests" / "journeys" / "questions_seeds.jsonl"


def quiet(doing: str, done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> RetrievalRun:
    settings = Settings(rag_home=new_home(tmp_path_factory.mktemp("harbour") / "home", model_cache))
    return evaluate_retrieval(read_collection(HARBOUR), settings, quiet)


@pytest.fixture(scope="module")
def seeds(seeded: Path) -> Iterator[Engine]:
    engine = connect(Settings(rag_home=seeded))
    yield engine
    engine.close()


# Retrieval


def test_the_small_gate_of_retrieval(harbour: RetrievalRun) -> None:
    """Fails when a change loses what is easy; `make eval` measures the rest."""
    assert harbour.means("lexical")["nDCG@10"] >= 0.85
    assert harbour.means("dense")["nDCG@10"] >= 0.95
    assert harbour.means("hybrid")["nDCG@10"] >= 0.95


def test_figures_have_the_shape_of_the_contract(harbour: RetrievalRun) -> None:
    figures = harbour.to_json()
    assert list(figures) == ["lexical", "dense", "hybrid", "queries", "documents", "passages", "seconds"]
    for method in METHODS:
        assert list(figures[method]) == ["nDCG@10", "recall@10", "MRR@10", "hit@4", "hit@10"]
    assert (figures["queries"], figures["documents"]) == (12, 16)


def test_copies_and_documents_without_text_are_scored_as_judged(harbour: RetrievalRun) -> None:
    assert (harbour.copies, harbour.without_text) == (1, 1)
    (bridge,) = [o for o in harbour.outcomes if "Tallow Bridge" in o.question]
    # The copy has no article of its own, yet is a document of the set: it comes right behind.
    assert bridge.found["hybrid"][:2] == ["h3", "h15"]
    assert bridge.scores["hybrid"]["recall@10"] == 1


def test_a_refused_document_is_not_one_without_text(model_cache: Path, tmp_path: Path) -> None:
    collection = read_collection(HARBOUR)
    large = replace(collection.documents[1], text="The harbour froze. " * 1000)
    blank = replace(collection.documents[2], title="", text=" ")
    home = new_home(tmp_path / "h", model_cache)
    run = evaluate_retrieval(
        replace(collection, documents=(collection.documents[0], large, blank), queries=collection.queries[:1]),
        Settings(rag_home=home, rag_max_article_mb=0.01),
        quiet,
    )
    assert (run.without_text, run.copies) == (1, 0)
    (why,) = run.refused
    assert why.startswith(f"the document {large.id!r} is longer")
    assert "RAG_MAX_ARTICLE_MB" in why


def test_a_judged_document_that_is_not_there_counts_as_missed(model_cache: Path, tmp_path: Path) -> None:
    collection = read_collection(HARBOUR)
    query = replace(collection.queries[0], grades={"h1": 1, "h16": 1, "never-heard-of": 1})
    settings = Settings(rag_home=new_home(tmp_path / "h", model_cache))
    run = evaluate_retrieval(replace(collection, queries=(query,)), settings, quiet)
    assert run.means("hybrid")["recall@10"] == pytest.approx(1 / 3)


def test_two_methods_are_compared_in_pairs(harbour: RetrievalRun) -> None:
    same = compare(scores_of(harbour.outcomes, "hybrid"), scores_of(harbour.outcomes, "hybrid"))
    assert [one.p for one in same] == [1] * 5
    assert all(one.noise and one.questions == 12 for one in same)


# Answers


def test_the_small_gate_of_answers(seeds: Engine) -> None:
    run = evaluate_answers(read_cases(SEED_QUESTIONS), seeds, "quotes", quiet)
    figures = run.to_json()
    names = "questions answerable first_quote first_three_quotes any_quote declined_unanswerable declined_answerable"
    assert list(figures) == [*names.split(), "exact_quotes", "seconds"]
    assert (figures["questions"], figures["answerable"]) == (55, 40)
    assert figures["exact_quotes"] == 1
    assert figures["first_quote"] >= 0.6
    assert figures["first_three_quotes"] >= 0.8
    assert figures["first_quote"] <= figures["first_three_quotes"] <= figures["any_quote"]
    assert figures["declined_unanswerable"] >= 0.6
    assert figures["declined_answerable"] <= 0.15


def test_only_quotes_of_the_named_articles_count(seeds: Engine) -> None:
    (muscat,) = [a.id for a in seeds.articles() if a.title.startswith("Iran sought Gaza")]
    (malley,) = [a.id for a in seeds.articles() if a.title.startswith("Envoy calls")]

    def first_quote(*articles: str) -> AnswersRun:
        asked = Case("1", "what did Iran demand in Muscat?", ("cease-fire in Gaza",), articles=frozenset(articles))
        return evaluate_answers([asked], seeds, "quotes", quiet)

    assert first_quote().to_json()["first_quote"] == 1
    assert first_quote(muscat, malley).to_json()["first_quote"] == 1
    assert first_quote(malley).to_json()["any_quote"] == 0
    assert first_quote("not-an-id").strangers == 1


class Says:
    """An engine that gives one answer, whatever it is asked, over the articles of another."""

    def __init__(self, engine: Engine, answer: Answer) -> None:
        self._engine, self._answer = engine, answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def answer(self, question: Question) -> Iterator[Event]:
        yield Done(self._answer)


def test_a_written_claim_counts_by_its_quotes_alone(seeds: Engine) -> None:
    article = seeds.article(seeds.articles()[0].id)
    true = Quote(1, article.id, 0, 20, article.text[:20])
    made_up = Quote(1, article.id, 20, 60, "forty-two ships sank")
    claims = (Claim("Forty-two ships sank.", (true,)), Claim("So it was said.", (true, made_up)))
    answer = Answer("1", "q", "q", "answered", "written", None, "", claims=claims)
    engine: Engine = Says(seeds, answer)  # type: ignore[assignment]
    figures = evaluate_answers([Case("1", "how many?", ("42 ships",))], engine, "auto", quiet).to_json()
    assert (figures["first_quote"], figures["first_three_quotes"]) == (0, 1)
    assert figures["exact_quotes"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["declined_unanswerable"] is None  # a share of no question


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "q.jsonl:2 is no JSON"),
        ('{"answers": null}', "q.jsonl:2 has no question"),
        ('{"question": " ", "answers": null}', "q.jsonl:2 cannot be asked"),
        ('{"question": "x"}', "q.jsonl:2 has no answers"),
        ('{"question": "x", "answers": []}', "q.jsonl:2 has no answers"),
        ('{"question": "x", "answers": "y"}', 'its "answers" is no list of texts'),
        *((f'{{"question": "x", "answers": {bad}}}', 'its "answers" is no list of texts') for bad in NO_LISTS),
        *((f'{{"question": "x", "answers": null, "articles": {bad}}}', 'its "articles" is') for bad in NO_LISTS),
        *((f'{{"question": "x", "answers": null, "history": {bad}}}', 'its "history" cannot') for bad in NO_LISTS),
        ('{"question": "x", "answers": [7]}', 'its "answers" is no list of texts'),
        ('{"question": "x", "answers": null, "articles": "a"}', 'its "articles" is no list'),
        ('{"question": "x", "answers": null, "history": ["hello"]}', 'its "history" cannot be read'),
        ('{"question": "x", "answers": null, "history": [{"role": "system", "content": "y"}]}', '"history"'),
        ('{"question": "x", "answers": null, "id": 1}', "second question with the id '1'"),
    ],
)
def test_a_bad_question_is_named(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(f'{{"question": "first?", "answers": null, "id": "1"}}\n{line}\n')
    with pytest.raises(InvalidRequest) as raised:
        read_cases(file)
    assert says in str(raised.value)


def test_null_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    empty = '{"question": "x", "answers": null, "id": null, "articles": null, "history": null}\n'
    file.write_text(empty * 2)
    assert read_cases(file) == [Case("1", "x"), Case("2", "x")]


def test_history_goes_along(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    turns = [{"role": "user", "content": "What happened in Muscat?"}, {"role": "assistant", "content": "Talks."}]
    file.write_text(json.dumps({"question": "Who led them?", "answers": ["x"], "history": turns}))
    (case,) = read_cases(file)
    assert [(turn.role, turn.content) for turn in case.history] == [(t["role"], t["content"]) for t in turns]


# The gate


def test_the_gate_names_a_drop_and_lets_noise_pass() -> None:
    good = gate.Measured("set", "abc", {"first quote": [1.0] * 30 + [0.0] * 10, "recall": [0.51] * 40})
    last = json.loads(json.dumps(gate.as_figures(good)))
    assert last["outcomes"]["first quote"] == "1" * 30 + "0" * 10
    assert gate.verdicts(good, last)[1] == []
    wobbly = replace(good, outcomes={**good.outcomes, "first quote": [0.0] * 2 + [1.0] * 29 + [0.0] * 9})
    assert gate.verdicts(wobbly, last)[1] == []
    worse = replace(good, outcomes={**good.outcomes, "first quote": [1.0] * 20 + [0.0] * 20})
    assert gate.unpacked(gate.packed([0.25, 1.0, 0.3333])) == [0.25, 1.0, 0.3333]
    (failure,) = gate.verdicts(worse, last)[1]
    assert "set: first quote dropped from 0.750 to 0.500" in failure


def test_the_gate_does_not_pass_what_it_cannot_compare() -> None:
    measured = gate.Measured("set", "abc", {"first quote": [1.0, 0.0]})
    assert gate.verdicts(measured, None)[1] == []
    (other,) = gate.verdicts(replace(measured, questions="xyz"), gate.as_figures(measured))[1]
    assert "other questions" in other
    (gone,) = gate.verdicts(replace(measured, outcomes={"new": [1.0]}), gate.as_figures(measured))[1]
    assert "first quote is measured no longer" in gone


def test_the_gate_says_what_it_skips(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gate, "DATA", tmp_path)
    monkeypatch.setattr(squad, "FOLDER", tmp_path / "squad")
    assert gate.main([], figures=tmp_path / "figures.json") == 0
    said = capsys.readouterr().out
    assert "SKIPPED SciFact" in said
    assert "SKIPPED SQuAD" in said
