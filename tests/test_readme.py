"""What the README shows for other callers, cut out of it and run against a real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, Server, clean_environment

SHOWN_ADDRESS = "http://127.0.0.1:8000"
SHOWN_WEBHOOK = "https://chat.example.org/hooks/KEY"
ASKED = "what did Iran demand in Muscat?"
QUOTE = "Iran demanded that the Biden administration bring about a cease-fire in Gaza."
TITLE = "Iran sought Gaza cease-fire in secret Muscat talks with Washington"


@dataclass
class Webhook:
    """A chat's incoming webhook: keeps what is posted to it."""

    url: str = ""
    status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def listening(status: int = 200) -> Iterator[Webhook]:
    hook = Webhook(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}/hooks/1"
        # It looks for the shutdown this often: its default of half a second would be waited for at each end.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()


def shown(section: str, server: Server) -> list[str]:
    """The blocks of code of a section of the README, with the server's address for the one written there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    body = readme.split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(r"^```\w*\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
    return [block.replace(SHOWN_ADDRESS, server.url) for block in blocks]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    everything = clean_environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", PYTHONIOENCODING="utf-8", **environment)
    return subprocess.run(
        command,
        env=everything,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def post_to(hook: Webhook, server: Server, question: str = ASKED) -> subprocess.CompletedProcess[str]:
    """Run the webhook's script, saved in the current folder, by the line that the README gives for it."""
    _, script, line = shown("From anywhere else", server)
    Path("morning.py").write_text(script, encoding="utf-8")
    for said, meant in ((".venv/bin/python", sys.executable), (SHOWN_WEBHOOK, hook.url), (ASKED, question)):
        assert said in line
        line = line.replace(said, meant)
    return run("bash", "-c", line)


def test_the_curl_line_gets_the_quote(seed_server: Server) -> None:
    line, *_ = shown("Over HTTP", seed_server)
    assert line.startswith("curl ") and seed_server.url in line
    done = run("bash", "-c", line)
    assert done.returncode == 0, done.stderr
    assert QUOTE in json.loads(done.stdout)["claims"][0]["quotes"][0]["text"]


def test_the_python_lines_print_each_claim_with_its_quote_and_source(seed_server: Server) -> None:
    script, *_ = shown("From anywhere else", seed_server)
    done = run(sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    claim, quote, *_ = done.stdout.splitlines()
    assert QUOTE in claim
    assert re.fullmatch(rf"  “.*{re.escape(QUOTE)}” \[1\] {re.escape(TITLE)}, 2024-03-15", quote)


def test_the_python_lines_say_when_the_articles_do_not_answer(seed_server: Server) -> None:
    script, *_ = shown("From anywhere else", seed_server)
    done = run(sys.executable, "-c", script.replace(ASKED, "What did Iran demand in Geneva?"))
    assert (done.returncode, done.stdout) == (0, "The articles in this library do not answer this question.\n")


def test_the_webhook_gets_the_answer_with_its_quote_and_source(seed_server: Server) -> None:
    with listening() as hook:
        done = post_to(hook, seed_server)
    assert done.returncode == 0, done.stderr
    (body,) = hook.bodies
    assert list(body) == ["text"]
    assert body["text"].startswith(f"{ASKED}\n\n")
    answered, sources = body["text"].split("\nSources:\n")
    assert QUOTE in answered and "[1]" in answered
    assert sources.startswith(f"[1] {TITLE}, Dateline seeds, 2024-03-15\n")
    assert f"{QUOTE}”" in sources


def test_no_words_of_an_article_call_everybody_in_the_chat(seed_server: Server) -> None:
    said = (
        "The harbour of Quillonia was closed on Monday, wrote @all and <!channel> of <https://evil.example|the port>."
    )
    article = {"id": "quillonia", "title": "Harbour closed <!here> @here", "text": f"{said} Its mayor was surprised."}
    with httpx.Client(base_url=seed_server.url, trust_env=False) as http, listening() as hook:
        assert http.post("/v1/articles", json=article).status_code == 201
        try:
            done = post_to(hook, seed_server, "why was the harbour of Quillonia closed?")
        finally:
            http.delete("/v1/articles/quillonia")
    assert done.returncode == 0, done.stderr
    (body,) = hook.bodies
    assert body["text"].count("&lt;!channel") == 2 and "Harbour closed &lt;!here" in body["text"]
    assert "<" not in body["text"] and not re.search(r"@\w", body["text"])


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_that_refuses_is_not_taken_for_a_success(seed_server: Server, status: int) -> None:
    with listening(status) as hook:
        done = post_to(hook, seed_server)
    assert done.returncode != 0 and str(status) in done.stderr
