"""A fake Slack, and the face that serves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.slack_server import FakeSlack
from tests.ui.slack.helpers import Served, served


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """Every message that reaches it is held against Slack's limits."""
    with FakeSlack() as server:
        yield server
        assert server.problems == []


@pytest.fixture
def face(slack: FakeSlack, tmp_path: Path) -> Iterator[Served]:
    with served(slack, tmp_path) as here:
        yield here
