"""How soon a slash command from Slack is acknowledged, also while the server answers.

    .venv/bin/python -m benchmarks.acknowledging LIBRARY QUESTIONS.jsonl

Copies a library folder (the original is not touched) and serves the copy. Fifty signed commands come at once, in ten
rounds: with nothing else to do, and while sixty readers ask the questions of a file (`{"question": ...}` a line) in
quotes mode over HTTP, one after the other. Prints the slowest acknowledgement of each round; Slack gives up after
three seconds. Beside it the time of a request that waits for nothing (`/healthz`), of an answer, and answers a second.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle
from pathlib import Path
from urllib.parse import urlencode

import httpx

from tests.conftest import Server, start_server, stop_server
from tests.fakes.slack_server import SECRET, FakeSlack
from tests.ui.slack.helpers import FORM, acknowledged_in

ROUNDS = 10
AT_ONCE = 50
READERS = 60


def commands(numbers: count[int]) -> list[tuple[str, str]]:
    """Bodies and their kind; help is answered in the acknowledgement, so that they leave no work behind."""
    fields = {"command": "/dateline", "text": "help", "team_id": "T1", "channel_id": "C1", "user_id": "U1"}
    return [(urlencode({**fields, "trigger_id": f"t{next(numbers)}"}), FORM) for _ in range(AT_ONCE)]


def acknowledge(server: Server, name: str) -> None:
    numbers, slowest, healthy = count(), [], []
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        for _ in range(ROUNDS):
            slowest.append(1000 * max(acknowledged_in(server.url, "/slack/command", commands(numbers))))
            begun = time.perf_counter()
            client.get("/healthz").raise_for_status()
            healthy.append(1000 * (time.perf_counter() - begun))
            time.sleep(0.3)
    print(
        f"{name}: slowest of {AT_ONCE} at once, median of {ROUNDS} rounds {statistics.median(slowest):.0f} ms, "
        f"worst {max(slowest):.0f} ms; /healthz median {statistics.median(healthy):.0f} ms, worst {max(healthy):.0f} ms"
    )


def answering(server: Server, questions: list[str], done: threading.Event) -> list[float]:
    """Seconds that each answer took, until it is done."""
    asked, taken = cycle(questions), list[float]()
    lock = threading.Lock()

    def reader() -> None:
        with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
            while not done.is_set():
                with lock:
                    question = next(asked)
                begun = time.perf_counter()
                client.post("/v1/answer", json={"question": question, "mode": "quotes"}).raise_for_status()
                taken.append(time.perf_counter() - begun)

    with ThreadPoolExecutor(READERS) as pool:
        for each in [pool.submit(reader) for _ in range(READERS)]:
            each.result()
    return taken


def main(library: str, file: str) -> None:
    questions = [json.loads(line)["question"] for line in Path(file).read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder, FakeSlack() as slack:
        home = Path(
            shutil.copytree(library, Path(folder) / "home", ignore=shutil.ignore_patterns("lock", "holder.json"))
        )
        server = start_server(home, SLACK_SIGNING_SECRET=SECRET, SLACK_API_URL=slack.api_url)
        try:
            acknowledge(server, "with nothing else to do")
            done, taken = threading.Event(), list[float]()
            readers = threading.Thread(target=lambda: taken.extend(answering(server, questions, done)))
            begun = time.perf_counter()
            readers.start()
            time.sleep(3)
            acknowledge(server, f"while {READERS} ask")
            done.set()
            readers.join()
            seconds = time.perf_counter() - begun
            print(
                f"{len(taken) / seconds:.1f} answers/s; an answer took {statistics.median(taken):.1f} s in the middle"
            )
        finally:
            stop_server(server)


if __name__ == "__main__":
    main(*sys.argv[1:])
