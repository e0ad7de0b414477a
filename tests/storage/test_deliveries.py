from pathlib import Path

import pytest

from rag.storage.database import Database
from rag.storage.deliveries import Deliveries, Delivery

ASKED = Delivery("Ev1", "C1", "100.1", "100.1")


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(Database(tmp_path / "library.sqlite3"))


def test_a_delivery_is_claimed_once_also_after_a_restart(tmp_path: Path) -> None:
    first = Deliveries(Database(tmp_path / "library.sqlite3"))
    assert [first.claim(ASKED) for _ in range(2)] == [True, False]
    again = Deliveries(Database(tmp_path / "library.sqlite3"))
    assert not again.claim(ASKED)


def test_two_events_about_one_message_are_one_question(deliveries: Deliveries) -> None:
    assert deliveries.claim(ASKED)
    assert not deliveries.claim(Delivery("Ev2", "C1", "100.1", "100.1"))
    assert deliveries.claim(Delivery("Ev3", "C2", "100.1", "100.1"))


def test_slash_commands_have_no_message(deliveries: Deliveries) -> None:
    assert deliveries.claim(Delivery("t1", response_url="https://hooks.slack.com/1"))
    assert deliveries.claim(Delivery("t2", response_url="https://hooks.slack.com/2"))
    assert not deliveries.claim(Delivery("t2", response_url="https://hooks.slack.com/2"))


def test_what_was_broken_off_is_known(deliveries: Deliveries) -> None:
    deliveries.claim(ASKED)
    deliveries.claim(Delivery("Ev2", "C1", "100.2", "100.1"))
    deliveries.show("Ev2", "100.3")
    deliveries.claim(Delivery("t1", response_url="https://hooks.slack.com/1"))
    deliveries.finish("Ev1")
    assert deliveries.unfinished() == [
        Delivery("Ev2", "C1", "100.2", "100.1", "100.3"),
        Delivery("t1", response_url="https://hooks.slack.com/1"),
    ]
    deliveries.finish("t1")
    assert [each.event for each in deliveries.unfinished()] == ["Ev2"]


def test_an_answer_is_found_by_its_question(deliveries: Deliveries) -> None:
    deliveries.claim(ASKED)
    deliveries.show("Ev1", "100.9")
    deliveries.finish("Ev1")
    found = deliveries.of_message("C1", "100.1")
    assert found is not None
    assert found.shown == "100.9"
    assert deliveries.of_message("C1", "100.2") is None


def test_old_deliveries_are_forgotten(deliveries: Deliveries, tmp_path: Path) -> None:
    deliveries.claim(ASKED)
    with Database(tmp_path / "library.sqlite3").writing() as connection:
        connection.execute("UPDATE deliveries SET claimed = '2020-01-01T00:00:00'")
    assert deliveries.claim(Delivery("Ev9", "C1", "900.1"))
    assert deliveries.of_message("C1", "100.1") is None
