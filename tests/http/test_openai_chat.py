"""The OpenAI-compatible route, asked with OpenAI's own client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.conftest import Server, start_server, stop_server
from tests.fakes.openai_server import DONE, FakeOpenAI, Reply

MUSCAT = "what did Iran demand in Muscat?"


def client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def asked(server: Server, *said: str, **options: Any) -> Any:
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)]
    return client(server).chat.completions.create(model="dateline", messages=messages, **options)  # type: ignore[call-overload]


def test_models_are_listed(seed_server: Server) -> None:
    assert [model.id for model in client(seed_server).models.list()] == ["dateline"]


def test_an_answer_carries_its_citations(seed_server: Server) -> None:
    message = asked(seed_server, MUSCAT).choices[0].message
    assert "cease-fire in Gaza." in message.content
    assert "[1] Iran sought Gaza cease-fire" in message.content
    assert message.annotations
    for annotation in message.annotations:
        citation = annotation.url_citation
        cited = message.content[citation.start_index : citation.end_index]
        assert cited.endswith("[1]")
        assert citation.url.startswith(f"{seed_server.url}/v1/articles/")


def test_the_stream_says_the_same(seed_server: Server) -> None:
    whole = asked(seed_server, MUSCAT).choices[0].message
    text, annotations, ends = "", [], []
    for chunk in asked(seed_server, MUSCAT, stream=True):
        delta = chunk.choices[0].delta
        text += delta.content or ""
        annotations += getattr(delta, "annotations", None) or []
        ends.append(chunk.choices[0].finish_reason)
    assert text == whole.content
    assert annotations == [annotation.model_dump() for annotation in whole.annotations]
    assert ends[-1] == "stop" and set(ends[:-1]) == {None}


def test_earlier_messages_are_the_history(seed_server: Server) -> None:
    message = asked(seed_server, MUSCAT, "A cease-fire in Gaza. [1]", "What about the Americans?").choices[0].message
    assert "rein in its proxies" in message.content


def test_what_is_not_there_is_declined(seed_server: Server) -> None:
    message = asked(seed_server, "Who is the chief executive of Apple?").choices[0].message
    assert "do not answer" in message.content
    assert not message.annotations


@pytest.fixture
def model() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as model:
        yield model


@pytest.fixture
def written(model: FakeOpenAI, seeded: Path, tmp_path: Path) -> Iterator[Server]:
    home = Path(shutil.copytree(seeded, tmp_path / "home", symlinks=True))
    server = start_server(home, OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="m", RAG_DEADLINE_S="6")
    yield server
    stop_server(server)


def test_a_model_that_breaks_off_is_owned_up_to(model: FakeOpenAI, written: Server) -> None:
    quote = "Iran demanded that the Biden administration bring about a cease-fire in Gaza"
    claim = json.dumps({"claim": "A cease-fire was the demand.", "quotes": [{"at": "1.1", "text": quote}]})
    model.answers(claim, DONE)
    assert asked(written, MUSCAT).choices[0].message.content.startswith("A cease-fire was the demand. [1]")
    broken = Reply(claim + "\n", ending="silent")
    model.replies(broken)
    text = "".join(c.choices[0].delta.content or "" for c in asked(written, MUSCAT, stream=True))
    assert text.index("A cease-fire was the demand.") < text.index("the articles' own words") < text.index("Sources:")
    model.replies(broken)
    assert "A cease-fire was the demand." not in asked(written, MUSCAT).choices[0].message.content
