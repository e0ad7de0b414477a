"""Whatever goes wrong with the language model, the reader gets a labelled answer in time."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from rag.engine import Engine
from rag.models.llm import OpenAIModel
from rag.records import Answer, ClaimShown, Done, Question, Reset, SourcesShown
from rag.serialization import to_json
from rag.settings import Settings
from rag.wiring import connect
from tests.conftest import Server, run_rag, start_server, stop_server
from tests.fakes.openai_server import DONE, FakeOpenAI, Reply, error_event, event

KEY = "sk-secret-of-the-journey"
MUSCAT = "what did Iran demand in Muscat?"
DEADLINE_S = 2.0

CLAIM = {
    "claim": "Iran demanded a cease-fire in Gaza.",
    "quotes": [{"at": "1.1", "text": "Iran demanded that the Biden administration bring about a cease-fire in Gaza"}],
}
GOOD = json.dumps(CLAIM) + "\n"
WHOLE = GOOD + DONE + "\n"
INVENTED = json.dumps({"claim": "Iran demanded the moon.", "quotes": [{"at": "1.1", "text": "Iran wants the moon"}]})
ELSEWHERE = json.dumps({**CLAIM, "quotes": [{"at": "99.99", "text": CLAIM["quotes"][0]["text"]}]})  # type: ignore[index]


@dataclass(frozen=True)
class Fault:
    """What the model's server does, and how the answer may end: reasons of a quotes answer, None for a written one."""

    replies: tuple[Reply, ...]
    ends: frozenset[str | None]


def fault(*replies: Reply, ends: str | tuple[str | None, ...] | None) -> Fault:
    return Fault(replies, frozenset(ends if isinstance(ends, tuple) else (ends,)))


def refusal(status: int, code: str | None = None, **headers: str) -> Reply:
    secret = f"no: {KEY} may not ask {MUSCAT}"
    return Reply(status=status, error={"message": secret, "code": code}, headers=headers)


FAULTS = {
    "401": fault(refusal(401, "invalid_api_key"), ends="unauthorized"),
    "403": fault(refusal(403), ends="unauthorized"),
    "404 model": fault(refusal(404, "model_not_found"), ends="model_not_found"),
    "429": fault(refusal(429), ends="rate_limited"),
    "429 for long": fault(refusal(429, **{"Retry-After": "60"}), ends="rate_limited"),
    "429 for a moment": fault(refusal(429, **{"Retry-After": "0"}), Reply(WHOLE), ends=None),
    "429 twice": fault(*[refusal(429, **{"Retry-After": "0"})] * 2, ends="rate_limited"),
    "quota": fault(refusal(429, "insufficient_quota", **{"Retry-After": "0"}), ends="quota"),
    "500": fault(refusal(500), ends="server_error"),
    "503": fault(refusal(503), Reply(WHOLE), ends=None),
    "503 twice": fault(*[refusal(503)] * 2, ends="server_error"),
    "hang before headers": fault(Reply(ending="hang_first"), ends="timeout"),
    "hang mid-stream": fault(Reply(GOOD, ending="hang"), ends="timeout"),
    "one byte a second": fault(Reply(WHOLE, byte_pause=1.0), ends="timeout"),
    "slow bytes after a claim": fault(Reply(GOOD + "x" * 500, pause=0.05), ends="timeout"),
    "reset before the first byte": fault(Reply(ending="reset_first"), Reply(WHOLE), ends=None),
    "reset twice": fault(*[Reply(ending="reset_first")] * 2, ends="server_error"),
    "reset mid-chunk": fault(Reply(GOOD, ending="reset"), ends="server_error"),
    "cut mid-chunk": fault(Reply(GOOD, ending="drop"), ends="server_error"),
    "a stream without an end": fault(Reply(GOOD, ending="silent"), ends="bad_output"),
    "an endless stream": fault(Reply("\n" * 10**6, piece=1), ends=("timeout", "bad_output")),
    "truncated JSON": fault(Reply(GOOD + GOOD[:40]), ends="bad_output"),
    "a truncated event": fault(
        Reply(raw=event({"content": GOOD}) + b'data: {"choices": [{"del\n\n'), ends="bad_output"
    ),
    "prose": fault(Reply("Iran demanded a cease-fire in Gaza, I believe."), ends="bad_output"),
    "HTML": fault(Reply(raw=b"<html><body>Sign in to the network</body></html>"), ends="bad_output"),
    "Markdown fences": fault(Reply(f"```json\n{WHOLE}```\n"), ends=None),
    "pretty-printed": fault(Reply(json.dumps(CLAIM, indent=2) + "\n" + DONE), ends=None),
    "one object": fault(Reply(json.dumps({"claims": [CLAIM], "end": "done"})), ends=None),
    "one array in a fence": fault(Reply("```json\n" + json.dumps([CLAIM], indent=2) + "\n```"), ends=None),
    "half an object": fault(Reply(json.dumps({"claims": [CLAIM, CLAIM]}, indent=2)[:-20]), ends="bad_output"),
    "reasoning first": fault(Reply(f"<think>\nPerhaps {INVENTED}?\n</think>\n{WHOLE}"), ends=None),
    "ids that don't exist": fault(Reply(f"{ELSEWHERE}\n{DONE}"), ends=(None, "bad_output")),
    "invented quotes": fault(Reply(f"{INVENTED}\n{DONE}"), ends="bad_output"),
    "an empty answer": fault(Reply(""), ends="bad_output"),
    "only done": fault(Reply(DONE), ends="bad_output"),
    "length": fault(Reply(GOOD + GOOD[:40], finish_reason="length"), ends="length"),
    "content filter": fault(Reply(GOOD, finish_reason="content_filter"), ends="content_filter"),
    "context overflow": fault(refusal(400, "context_length_exceeded"), ends="context_overflow"),
    "an error in the stream": fault(
        Reply(raw=event({"content": GOOD}) + error_event({"code": 502, "message": f"{KEY} {MUSCAT}"})),
        ends="server_error",
    ),
    "200 claims": fault(Reply("".join(GOOD.replace("Gaza.", f"Gaza {n}.") for n in range(200)) + DONE), ends=None),
}
SHOWN_FIRST = {
    *("hang mid-stream", "reset mid-chunk", "a stream without an end", "truncated JSON", "length", "half an object"),
}


def check(answer: dict[str, Any], case: Fault) -> None:
    """A labelled quotes answer or a valid written one; `answer` as every face sends it."""
    assert answer["verdict"] == "answered"
    assert answer["degraded"] in case.ends
    assert answer["mode"] == ("quotes" if answer["degraded"] else "written")
    assert bool(answer["model"]) == (answer["mode"] == "written")
    assert 1 <= len(answer["claims"]) <= 12
    assert "moon" not in json.dumps(answer)
    assert [source["number"] for source in answer["sources"]] == list(range(1, len(answer["sources"]) + 1))
    for claim in answer["claims"]:
        assert claim["quotes"]
        assert {quote["source"] for quote in claim["quotes"]} <= {source["number"] for source in answer["sources"]}


def check_log(log: str) -> None:
    assert "Traceback" not in log
    for secret in (KEY, MUSCAT, "You answer questions from news articles", "Biden administration"):
        assert secret not in log


@pytest.fixture(scope="module")
def model() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def engine(model: FakeOpenAI, seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    OpenAIModel(api_base="http://x/v1", context_window=1, max_output_tokens=1).prepare()  # not what is measured
    home = Path(shutil.copytree(seeded, tmp_path_factory.mktemp("faults") / "home", symlinks=True))
    engine = connect(settings(home, model.base_url))
    engine.search("warm up", Question("").filters, 1)
    yield engine
    engine.close()


def settings(home: Path, base_url: str) -> Settings:
    return Settings(
        _env_file=None,
        rag_home=home,
        openai_base_url=base_url,
        openai_api_key=SecretStr(KEY),
        openai_model="m",
        rag_deadline_s=DEADLINE_S,
    )


def script(model: FakeOpenAI, case: Fault) -> int:
    """What the next requests meet; returns how many there were before."""
    model.replies(*case.replies)
    return len(model.received)


def used(model: FakeOpenAI, before: int, case: Fault) -> None:
    assert len(model.received) - before == len(case.replies) <= 2


# The engine


@pytest.mark.parametrize("name", FAULTS)
def test_the_engine_survives(engine: Engine, model: FakeOpenAI, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    case = FAULTS[name]
    before, start = script(model, case), time.monotonic()
    events = list(engine.answer(Question(MUSCAT)))
    assert time.monotonic() - start < DEADLINE_S + 1
    used(model, before, case)
    last = events[-1]
    assert isinstance(last, Done)
    check(to_json(last.answer), case)
    stands(engine, last.answer)
    resets = [place for place, found in enumerate(events) if isinstance(found, Reset)]
    assert bool(resets) or name not in SHOWN_FIRST
    kept = events[resets[-1] + 1 :] if resets else events
    assert tuple(found.claim for found in kept if isinstance(found, ClaimShown)) == last.answer.claims
    assert [found.sources for found in kept if isinstance(found, SourcesShown)][-1] == last.answer.sources
    check_log(caplog.text)
    recovers(engine, model)


def stands(engine: Engine, answer: Answer) -> None:
    for quote in (quote for claim in answer.claims for quote in claim.quotes):
        assert engine.article(quote.article_id).text[quote.start : quote.end] == quote.text


def recovers(engine: Engine, model: FakeOpenAI) -> None:
    """The next answer is written again."""
    model.replies(Reply(WHOLE))
    *_, last = engine.answer(Question(MUSCAT))
    assert isinstance(last, Done)
    assert last.answer.mode == "written"


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("kind", ["refused", "DNS", "TLS"])
def test_the_engine_survives_a_server_that_is_not_there(
    model: FakeOpenAI, seeded_copy: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    addresses = {
        "refused": f"http://127.0.0.1:{unused_port()}/v1",
        "DNS": "http://no-such-host.invalid/v1",
        "TLS": model.base_url.replace("http:", "https:"),
    }
    engine = connect(settings(seeded_copy, addresses[kind]))
    start = time.monotonic()
    *_, last = engine.answer(Question(MUSCAT))
    assert time.monotonic() - start < DEADLINE_S + 3  # the vector index is opened first
    assert isinstance(last, Done)
    check(to_json(last.answer), fault(ends="unreachable"))
    check_log(caplog.text)
    engine.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody but itself has signed."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed: it makes the certificate")
    made = tmp_path_factory.mktemp("tls") / "self-signed.pem"
    about = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(made), "-out", f"{made}.crt"]
    subprocess.run([*command, *about], check=True, capture_output=True)
    made.write_text(made.read_text() + Path(f"{made}.crt").read_text())
    return made


@pytest.fixture(scope="module")
def untrusted(certificate: Path) -> Iterator[FakeOpenAI]:
    with FakeOpenAI(certificate=certificate) as server:
        yield server


def test_the_engine_survives_a_certificate_that_nobody_signed(
    untrusted: FakeOpenAI,
    certificate: Path,
    seeded_copy: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    OpenAIModel(api_base="http://x/v1", context_window=1, max_output_tokens=1).prepare()  # not what is measured
    engine = connect(settings(seeded_copy, untrusted.base_url))
    engine.search("warm up", Question("").filters, 1)
    start = time.monotonic()
    *_, last = engine.answer(Question(MUSCAT))
    assert time.monotonic() - start < DEADLINE_S + 1
    assert isinstance(last, Done)
    check(to_json(last.answer), fault(ends="unreachable"))
    assert untrusted.received == []  # neither the key nor the passages left this machine
    check_log(caplog.text)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # it was nothing but the certificate
    recovers(engine, untrusted)
    engine.close()


# The command line


def test_the_command_line_survives_a_certificate_that_nobody_signed(untrusted: FakeOpenAI, seeded_copy: Path) -> None:
    before = len(untrusted.received)
    done = run_rag(
        seeded_copy,
        *("--verbose", "ask", MUSCAT),
        OPENAI_BASE_URL=untrusted.base_url,
        OPENAI_API_KEY=KEY,
        OPENAI_MODEL="m",
        RAG_DEADLINE_S="60",  # the import of the SDKs
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "no answer was written (the language model could not be reached)" in said
    assert "cease-fire in Gaza" in said
    assert len(untrusted.received) == before
    check_log(done.stderr)


@pytest.mark.parametrize("name", ["401", "hang mid-stream", "reset mid-chunk", "Markdown fences"])
def test_the_command_line_survives(model: FakeOpenAI, seeded_copy: Path, name: str) -> None:
    case = FAULTS[name]
    before = script(model, case)
    done = run_rag(
        seeded_copy,
        *("--verbose", "ask", "--json", MUSCAT),
        OPENAI_BASE_URL=model.base_url,
        OPENAI_API_KEY=KEY,
        OPENAI_MODEL="m",
        RAG_DEADLINE_S="12",  # the import of the SDKs takes a good part of it
    )
    assert done.returncode == 0, done.stderr
    used(model, before, case)
    check(json.loads(done.stdout), case)
    check_log(done.stderr)


# Over HTTP


class Served:
    """A running `rag serve`, with everything it logs."""

    def __init__(self, home: Path, base_url: str) -> None:
        environment = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": KEY, "OPENAI_MODEL": "m"}
        self.server: Server = start_server(home, "--verbose", **environment, RAG_DEADLINE_S=str(DEADLINE_S))
        self.http = httpx.Client(base_url=self.server.url, timeout=30, trust_env=False)
        self._log: list[str] = []
        assert self.server.process.stdout is not None
        self._reader = threading.Thread(target=self._log.extend, args=[self.server.process.stdout], daemon=True)
        self._reader.start()

    def ask(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.post("/v1/answer", json={"question": MUSCAT}).json()
        return answer

    def stream(self) -> list[tuple[str, Any]]:
        text = self.http.post("/v1/answer", json={"question": MUSCAT, "stream": True}).text
        blocks = [block.split("\n") for block in text.strip().split("\n\n")]
        return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]

    def stop(self) -> str:
        self.http.close()
        self.server.process.terminate()
        self._reader.join(60)
        stop_server(self.server)
        return "".join(self._log)


@pytest.fixture(scope="module")
def served(model: FakeOpenAI, seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = Path(shutil.copytree(seeded, tmp_path_factory.mktemp("served") / "home", symlinks=True))
    served = Served(home, model.base_url)
    give_up = time.monotonic() + 90
    model.quotes_sentences_with("cease-fire")
    while served.ask()["degraded"]:  # it still imports what a writer needs
        assert time.monotonic() < give_up
        time.sleep(1)
    yield served
    check_log(served.stop())


@pytest.mark.parametrize("name", FAULTS)
def test_the_server_survives(served: Served, model: FakeOpenAI, name: str) -> None:
    case = FAULTS[name]
    before, start = script(model, case), time.monotonic()
    check(served.ask(), case)
    assert time.monotonic() - start < DEADLINE_S + 1
    used(model, before, case)
    before, start = script(model, case), time.monotonic()
    events = served.stream()
    assert time.monotonic() - start < DEADLINE_S + 1
    used(model, before, case)
    assert events[-1][0] == "done"
    answer = events[-1][1]
    check(answer, case)
    resets = [place for place, (kind, _) in enumerate(events) if kind == "reset"]
    assert [events[place][1] for place in resets] == ([{"degraded": answer["degraded"]}] if resets else [])
    assert bool(resets) or name not in SHOWN_FIRST
    kept = events[resets[-1] + 1 :] if resets else events
    assert [data for kind, data in kept if kind == "claim"] == answer["claims"]
    assert [data["sources"] for kind, data in kept if kind == "sources"][-1] == answer["sources"]
    model.replies(Reply(WHOLE))
    assert served.ask()["mode"] == "written"


@pytest.mark.parametrize("said", ["", GOOD], ids=["before the first word", "after a claim"])
def test_a_client_that_leaves_stops_the_model_at_once(served: Served, model: FakeOpenAI, said: str) -> None:
    model.replies(Reply(said, ending="hang" if said else "hang_first"))
    before = len(model.received)
    with served.http.stream("POST", "/v1/answer", json={"question": MUSCAT, "stream": True}) as response:
        if said:
            assert "cease-fire" in next(part for part in response.iter_text() if "event: claim" in part)
        while len(model.received) == before:
            time.sleep(0.01)
        start = time.monotonic()
    assert model.received[-1].disconnected.wait(DEADLINE_S)
    assert time.monotonic() - start < DEADLINE_S / 2
    model.replies(Reply(WHOLE))
    assert served.ask()["mode"] == "written"


@pytest.mark.parametrize("said", ["", GOOD], ids=["before the first word", "after a claim"])
def test_a_client_that_leaves_a_plain_request_stops_the_model_too(served: Served, model: FakeOpenAI, said: str) -> None:
    model.replies(Reply(said, ending="hang" if said else "hang_first"))
    before = len(model.received)
    address = urlsplit(served.server.url)
    client = HTTPConnection(address.hostname or "", address.port)
    client.request("POST", "/v1/answer", json.dumps({"question": MUSCAT}), {"Content-Type": "application/json"})
    while len(model.received) == before:
        time.sleep(0.01)
    start = time.monotonic()
    client.close()
    assert model.received[-1].disconnected.wait(DEADLINE_S)
    assert time.monotonic() - start < DEADLINE_S / 2
    model.replies(Reply(WHOLE))
    assert served.ask()["mode"] == "written"


def test_a_dead_server_is_left_alone(seeded_copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        served = Served(seeded_copy, f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        try:
            for _ in range(5):
                assert served.ask()["degraded"] == "timeout"
            start = time.monotonic()
            for _ in range(5):
                check(served.ask(), fault(ends="timeout"))
            assert time.monotonic() - start < DEADLINE_S
        finally:
            check_log(served.stop())
