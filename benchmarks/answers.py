"""Time of an answer in quotes mode from a running server, and its memory.

    .venv/bin/rag serve &
    .venv/bin/python benchmarks/answers.py http://127.0.0.1:8000 QUESTIONS.jsonl [PID]

Asks every question of a file (`{"question": ...}` a line) once on the warm server, then all of them
again, and prints median and 95th percentile in milliseconds. PID is the server's, for its memory.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import httpx


def ask_all(client: httpx.Client, questions: list[str]) -> list[float]:
    taken = []
    for question in questions:
        started = time.perf_counter()
        client.post("/v1/answer", json={"question": question, "mode": "quotes"}).raise_for_status()
        taken.append(1000 * (time.perf_counter() - started))
    return taken


def summary(name: str, taken: list[float]) -> str:
    return f"{name}: median {statistics.median(taken):.0f} ms, 95% under {statistics.quantiles(taken, n=20)[-1]:.0f} ms"


def main(address: str, file: str, pid: str | None = None) -> None:
    questions = [json.loads(line)["question"] for line in Path(file).read_text(encoding="utf-8").splitlines()]
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        ask_all(client, questions[:1])
        print(summary(f"{len(questions)} questions, each new", ask_all(client, questions)))
        print(summary("the same again", ask_all(client, questions)))
    if pid:
        status = Path(f"/proc/{pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        print(f"memory of the server: {int(resident.split()[1]) / 1024:.0f} MB resident")


if __name__ == "__main__":
    main(*sys.argv[1:])
