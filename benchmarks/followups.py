"""Follow-up questions: what the rules for them add to retrieval, on MTRAG conversations.

    .venv/bin/python benchmarks/followups.py DATA LIBRARIES [DOMAIN...]

DATA holds `tasks-half.jsonl.gz` and `passages-DOMAIN.jsonl.gz` (MTRAG, Katsis et al., 2025). The library of
each domain is built under LIBRARIES/DOMAIN where it is missing, which takes minutes, and used again.

Prints recall@5 and nDCG@5 for turns after the first whose relevant passages are known: the last turn raw; by rules;
raw behind the question before it, as the
simplest rule there is; and the annotator's own search query as the ceiling. The tasks hold no rewrites as such; what
the annotators typed into the search box to find the passages stands with the passages found. It is what a person
searched for with the conversation before them, and at times it holds words of the answer, which no rewrite could.
Turns without such a query are left out of the comparison; "own words" are the turns whose query holds no word from
outside the conversation.

The rules were chosen on the conversations called "tuned", every other one in the order of their domain and
number; the others were looked at in sums only. p is that of a paired randomisation test of recall.
"""

from __future__ import annotations

import gzip
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering.followups.rules import standalone
from rag.english.words import stems
from rag.models.encoder import CachedEncoder
from rag.models.local_encoder import LocalEncoder, default_weights
from rag.records import Document, Message
from rag.retrieval.retriever import Retriever
from rag.settings import Settings
from rag.storage.index_sync import IndexSync
from rag.storage.library import Library
from rag.wiring import connect

DOMAINS = ("clapnq", "govt", "fiqa", "cloud")
FORMS = ("raw", "rules", "with the question before", "person")
CUT = 5
_BATCH = 128
_DEPTH = 40  # passages fetched to see CUT different documents
_FLIPS = 10_000  # of the randomisation test

Scores = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Task:
    """The last turn of a conversation; `person` is what the annotator searched for, empty if unknown."""

    domain: str
    conversation: str
    turn: int
    question: str
    history: tuple[Message, ...]
    relevant: frozenset[str]
    person: str
    tuned: bool

    @property
    def fair(self) -> bool:
        """Whether what the annotator searched for is made of words of the conversation: no word of an answer
        that was still to be found."""
        said = " ".join([self.question, *(turn.content for turn in self.history)])
        return stems(self.person) <= stems(said)

    def form(self, name: str) -> str:
        """The query that stands for the turn."""
        if name == "rules":
            return standalone(self.question, self.history)
        if name == "with the question before":
            return " ".join([*[turn.content for turn in self.history if turn.role == "user"][-1:], self.question])
        return self.person if name == "person" else self.question


def read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def tasks(data: Path) -> list[Task]:
    """Every turn of every conversation, in order."""
    conversations: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in read(data / "tasks-half.jsonl.gz"):
        conversations.setdefault((row["domain"], row["conversation_id"]), []).append(row)
    found = []
    for n, key in enumerate(sorted(conversations)):
        history: tuple[Message, ...] = ()
        for row in sorted(conversations[key], key=lambda row: row["turn_id"]):
            found.append(_task(row, history, tuned=n % 2 == 0))
            history += (Message("user", row["user"]["text"]), Message("assistant", row["agent"]["text"]))
    return found


def _task(row: dict[str, Any], history: tuple[Message, ...], *, tuned: bool) -> Task:
    contexts = row["agent"]["contexts"]
    relevant = {
        c["document_id"] for c in contexts if any(v["value"] == "yes" for v in c["feedback"]["relevant"].values())
    }
    rewritten = [a["text"] for a in row["user"].get("alternatives", ()) if a["enrichments"].get("Standalone Type")]
    searched = [text for c in contexts if (text := _model_text(c["query"])) and "|user|" not in text]
    return Task(
        domain=row["domain"],
        conversation=row["conversation_id"],
        turn=row["turn_id"],
        question=row["user"]["text"],
        history=history,
        relevant=frozenset(relevant),
        person=(rewritten + searched or [""])[0],
        tuned=tuned,
    )


def _model_text(query: Any) -> str:
    """The text that was searched, wherever it stands in the search request that was kept."""
    if not isinstance(query, dict):
        return ""
    return query.get("model_text") or next(filter(None, map(_model_text, query.values())), "")


@contextmanager
def searching(data: Path, home: Path, domain: str) -> Iterator[Callable[[Task, str], list[str]]]:
    """A search for document ids, by a form of a task, in the library of a domain, which is built if missing."""
    if not (home / "library.sqlite3").exists():
        build(data / f"passages-{domain}.jsonl.gz", home)
    encoder = CachedEncoder(LocalEncoder(default_weights(), home / "models"))
    library = Library(home / "library.sqlite3")
    projection = IndexSync(library, home / "library.sqlite3", home / "chroma", encoder.name, print)
    retriever = Retriever(library, projection, encoder.encode)

    def search(task: Task, form: str) -> list[str]:
        hits = retriever.retrieve(task.form(form), top_k=_DEPTH)
        return list(dict.fromkeys(hit.article.id for hit in hits))[:CUT]

    try:
        yield search
    finally:
        projection.close()
        library.close()


def build(passages: Path, home: Path) -> None:
    """One article for each passage of the set; a title that opens the text is not kept twice."""
    engine = connect(Settings(rag_home=home))
    drafts = []
    for row in read(passages):
        title, text = row["title"].strip(), row["text"].strip()
        body = text.removeprefix(title).strip() or text
        title = title or " ".join(text.split()[:8])
        drafts.append(Document(text=body, title=title, source=f"id:{row['_id']}", id=row["_id"]))
    for at in range(0, len(drafts), _BATCH):
        engine.store(drafts[at : at + _BATCH])
    engine.close()


def score(found: Sequence[str], relevant: frozenset[str]) -> Scores:
    """(recall, nDCG) of a ranked list, with binary relevance."""
    gain = sum(1 / math.log2(rank + 2) for rank, id_ in enumerate(found) if id_ in relevant)
    ideal = sum(1 / math.log2(rank + 2) for rank in range(min(len(relevant), CUT)))
    return len(relevant.intersection(found)) / len(relevant), gain / ideal


def mean(scores: Sequence[Scores]) -> Scores:
    return sum(r for r, _ in scores) / len(scores), sum(n for _, n in scores) / len(scores)


def table(title: str, rows: Sequence[dict[str, Scores]]) -> None:
    if not rows:
        return
    means = {form: mean([row[form] for row in rows]) for form in FORMS}
    cells = "  ".join(f"{form} {recall:.3f} / {ndcg:.3f}" for form, (recall, ndcg) in means.items())
    gap = means["person"][0] - means["raw"][0]
    print(f"{title:18} {len(rows):4}  {cells}")
    closed = (means["rules"][0] - means["raw"][0]) / gap if gap > 0 else math.nan
    p = chance([row["rules"][0] - row["raw"][0] for row in rows])
    print(f"{'':18}       by rules: recall gap closed {closed:.0%}, p {p:.3f}")


def chance(differences: Sequence[float]) -> float:
    """How often differences of these sizes and random signs have a mean as far from 0 (two-sided)."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(_FLIPS, len(differences)))
    sums = np.abs(signs @ np.array(differences))
    return float((sums >= abs(sum(differences)) - 1e-9).mean())


def left_alone(every: Sequence[Task]) -> None:
    """How many first turns, and how many turns that the annotators searched as typed, stay byte for byte."""
    first = [t for t in every if not t.history]
    kept = sum(t.form("rules") == t.question for t in first)
    print(f"first turns unchanged: {kept} of {len(first)}")
    for name, chosen in (("tuned", True), ("not tuned", False)):
        later = [t for t in every if t.history and t.tuned is chosen]
        whole = [t for t in later if t.person.strip(" ?.").casefold() == t.question.strip(" ?.").casefold()]
        kept = sum(t.form("rules") == t.question for t in whole)
        changed = sum(t.form("rules") != t.question for t in later)
        print(
            f"{name}: searched as typed, unchanged: {kept} of {len(whole)}; changed of all: {changed} of {len(later)}"
        )
    foreign = [(t, other) for t in first for other in every if _opens_another(t, other)]
    kept = sum(standalone(t.question, other.history) == t.question for t, other in foreign)
    print(f"first turns asked after another conversation (a change of subject), unchanged: {kept / len(foreign):.3f}")


def _opens_another(first: Task, other: Task) -> bool:
    return first.conversation != other.conversation and other.turn == 4


def main(data: Path, libraries: Path, domains: Sequence[str]) -> None:
    every = tasks(data)
    left_alone(every)
    taken = []
    for task in every:
        started = time.perf_counter()
        standalone(task.question, task.history)
        taken.append(1000 * (time.perf_counter() - started))
    print(f"rules: median {statistics.median(taken):.1f} ms, 95% under {statistics.quantiles(taken, n=20)[-1]:.1f} ms")
    print(f"recall@{CUT} / nDCG@{CUT}")
    rows: list[tuple[Task, dict[str, Scores]]] = []
    for domain in domains:
        asked = [t for t in every if t.domain == domain and t.history and t.relevant and t.person]
        with searching(data, libraries / domain, domain) as search:
            rows += [(t, {form: score(search(t, form), t.relevant) for form in FORMS}) for t in asked]
        for name, chosen in (("", (True, False)), (" tuned", (True,)), (" not tuned", (False,))):
            table(domain + name, [row for t, row in rows if t.domain == domain and t.tuned in chosen])
    table("all", [row for _, row in rows])
    table("changed by rules", [row for t, row in rows if t.form("rules") != t.question])
    table("own words", [row for t, row in rows if t.fair])
    table("tuned", [row for t, row in rows if t.tuned])
    table("not tuned", [row for t, row in rows if not t.tuned])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or DOMAINS)
