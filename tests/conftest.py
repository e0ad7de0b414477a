"""Fixtures of the whole suite: an isolated environment, real libraries, a real server."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rag.models.local_encoder import LocalEncoder, default_weights
from rag.settings import Settings

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
SHARED = ROOT.parent / "shared"

_OWN = re.compile(r"^(RAG|OPENAI|SLACK)_|^(CHROMA|DATABASE)_URL$")


@dataclass(frozen=True)
class Server:
    """A running `rag serve`."""

    url: str
    home: Path
    process: subprocess.Popen[str]


Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def clean_environment(**settings: str) -> dict[str, str]:
    """The environment without this program's settings, plus those given."""
    kept = {name: value for name, value in os.environ.items() if not _OWN.search(name)}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting and no .env of the developer reaches a test."""
    for name in os.environ:
        if _OWN.search(name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder's graph, written once for the whole run."""
    folder = tmp_path_factory.mktemp("models")
    LocalEncoder(default_weights(), folder)
    return folder


@pytest.fixture(scope="session")
def encoder(model_cache: Path) -> LocalEncoder:
    return LocalEncoder(default_weights(), model_cache)


def new_home(folder: Path, model_cache: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(model_cache, target_is_directory=True)
    return folder


@pytest.fixture
def home(tmp_path: Path, model_cache: Path) -> Path:
    """An empty RAG_HOME."""
    return new_home(tmp_path / "home", model_cache)


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(rag_home=home)


def run_rag(home: Path, *arguments: str, timeout: float = 90, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "rag", *arguments],
        env=clean_environment(RAG_HOME=str(home), **environment),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=home.parent,
        check=False,
    )


@pytest.fixture
def cli(home: Path) -> Cli:
    """The command line on an empty library."""
    return lambda *arguments, **environment: run_rag(home, *arguments, **environment)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Path:
    """A RAG_HOME that holds seeds/; copy it before changing it."""
    folder = new_home(tmp_path_factory.mktemp("seeded") / "home", model_cache)
    done = run_rag(folder, "ingest", str(SEEDS))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def seeded_copy(seeded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seeded, tmp_path / "seeded", symlinks=True))


def start_server(home: Path, *arguments: str, **environment: str) -> Server:
    """Start `rag serve` on a free port and wait until it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "serve", "--port", "0", *arguments],
        env=clean_environment(RAG_HOME=str(home), **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home.parent,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"https?://\S+:\d+", line):
            break
    else:
        raise AssertionError(f"the server did not start: {''.join(said)}")
    _wait_until_ready(found.group())
    return Server(found.group(), home, process)


def _wait_until_ready(url: str) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


def stop_server(server: Server) -> None:
    server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(20)
    except subprocess.TimeoutExpired:
        server.process.kill()
    assert server.process.stdout is not None
    server.process.stdout.close()


@pytest.fixture(scope="session")
def seed_server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`rag serve` over seeds/ without a language model."""
    home = Path(shutil.copytree(seeded, tmp_path_factory.mktemp("served") / "home", symlinks=True))
    server = start_server(home)
    yield server
    stop_server(server)
