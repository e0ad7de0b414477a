"""The form of a channel's settings: what Slack is sent, and what is read out of what it sends back."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rag.records import Filters
from rag.storage.channels import ChannelSettings
from tests.fakes.slack_limits import check_options, check_view
from tests.ui.slack.helpers import filled
from tests.ui.slack.test_blocks import HOSTILE, active
from ui.slack.blocks import SlackMessage
from ui.slack.dialog import Place, Unfit, chosen_in, place_of, settings_view, suggestions

PLACE = Place("T1", "C1", "/dateline", True)
NOTHING = ChannelSettings()
GULL = Filters(date(2024, 1, 1), date(2024, 6, 30), ("The Gull", "AP"))
NARROW = ChannelSettings(GULL, True, "in_channel", False)
LONG = "The Quarterly Review of Harbours, Ferries and Lighthouses, Northern Edition, " * 3


def elements(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block["element"] for block in view["blocks"]}


def labels(options: list[dict[str, Any]]) -> list[str]:
    return [option["text"]["text"] for option in options]


def test_everything_can_be_set_in_the_dialog() -> None:
    view = settings_view(PLACE, NARROW)
    assert check_view(view) == []
    assert json.loads(view["private_metadata"]) == {
        "team": "T1",
        "channel": "C1",
        "command": "/dateline",
        "elsewhere": True,
    }
    assert [(block["block_id"], block["element"]["type"], block["optional"]) for block in view["blocks"]] == [
        ("publishers", "multi_external_select", True),
        ("since", "datepicker", True),
        ("until", "datepicker", True),
        ("unlimited", "checkboxes", True),
        ("answer", "radio_buttons", False),
        ("show", "radio_buttons", False),
        ("here", "radio_buttons", False),
        ("elsewhere", "radio_buttons", False),
    ]
    form = elements(view)
    assert form["publishers"]["min_query_length"] == 0
    assert labels(form["publishers"]["initial_options"]) == ["The Gull", "AP"]
    assert (form["since"]["initial_date"], form["until"]["initial_date"]) == ("2024-01-01", "2024-06-30")
    assert {name: form[name]["initial_option"]["value"] for name in ("answer", "show", "here", "elsewhere")} == {
        "answer": "questions",
        "show": "all",
        "here": "off",
        "elsewhere": "on",
    }


def test_a_channel_without_settings_has_an_empty_form() -> None:
    view = settings_view(replace(PLACE, elsewhere=False), NOTHING)
    assert check_view(view) == []
    form = elements(view)
    assert "unlimited" not in form
    assert "initial_options" not in form["publishers"]
    assert "initial_date" not in form["since"]
    assert {name: form[name]["initial_option"]["value"] for name in ("answer", "show", "here", "elsewhere")} == {
        "answer": "mentions",
        "show": "server",
        "here": "elsewhere",
        "elsewhere": "off",
    }


@pytest.mark.parametrize("settings", [NOTHING, NARROW, ChannelSettings(Filters(), False, "ephemeral", True)])
def test_what_is_saved_untouched_stays(settings: ChannelSettings) -> None:
    assert chosen_in(filled(settings_view(PLACE, settings)), settings, ()) == (settings, None)


def test_what_is_chosen_is_read() -> None:
    harbour = suggestions(["Harbour News"], "harb")[:1]
    chosen = {"answer": "questions", "show": "asker", "here": "on", "elsewhere": "off", "publishers": harbour}
    view = filled(settings_view(PLACE, NOTHING), since="2024-02-01", **chosen)
    wanted = ChannelSettings(Filters(date(2024, 2, 1), None, ("Harbour News",)), True, "ephemeral", True)
    assert chosen_in(view, NOTHING, ()) == (wanted, False)


def test_dates_can_be_taken_back() -> None:
    view = settings_view(PLACE, NARROW)
    assert chosen_in(filled(view, since=None), NARROW, ())[0].filters.since is None
    # In an app of Slack's that lets no date be emptied.
    without = chosen_in(filled(view, unlimited=["since", "until"]), NARROW, ())[0]
    assert without.filters == Filters(publishers=GULL.publishers)


@pytest.mark.parametrize(
    ("chosen", "block"),
    [
        ({"since": "2024-07-01"}, "until"),
        ({"since": "soon"}, "since"),
        ({"publishers": [{"value": "#0123"}]}, "publishers"),
        ({"publishers": [{"value": "=!!"}]}, "publishers"),
        ({"publishers": [{"value": "=ICA="}]}, "publishers"),  # white space
        ({"publishers": [None, {}]}, "publishers"),
    ],
)
def test_what_cannot_hold_is_told_at_its_block(chosen: dict[str, Any], block: str) -> None:
    with pytest.raises(Unfit) as caught:
        chosen_in(filled(settings_view(PLACE, NARROW), **chosen), NARROW, ("The Gull",))
    assert list(caught.value.errors) == [block]


@pytest.mark.parametrize(
    "kept", [None, "", "{", "[]", "{}", '{"team": "T1", "channel": "", "command": "", "elsewhere": 1}']
)
def test_a_dialog_of_no_channel_sets_nothing(kept: str | None) -> None:
    view = {**settings_view(PLACE, NOTHING), "private_metadata": kept}
    with pytest.raises(Unfit):
        place_of(view)


def test_names_that_are_too_long_to_see_are_kept_whole() -> None:
    alike = [f"{LONG}{edition}" for edition in ("Morning", "Evening")]
    options = suggestions(alike, "")
    assert check_options(options) == []
    assert [label[-7:] for label in labels(options)] == ["Morning", "Evening"]
    view = filled(settings_view(PLACE, NOTHING), publishers=options[1:])
    assert chosen_in(view, NOTHING, alike)[0].filters.publishers == (alike[1],)
    # Also once the library does not hold it any more, as long as the channel does.
    kept = ChannelSettings(Filters(publishers=(alike[1],)))
    assert chosen_in(filled(settings_view(PLACE, kept)), kept, ())[0] == kept


def test_more_publishers_than_a_menu_holds_are_left_to_the_words() -> None:
    many = ChannelSettings(Filters(publishers=tuple(f"Paper {number}" for number in range(101))))
    view = settings_view(PLACE, many)
    assert check_view(view) == []
    assert "publishers" not in elements(view)
    assert chosen_in(filled(view, answer="questions"), many, ())[0] == replace(many, every_question=True)


def test_three_thousand_publishers_are_found_by_what_is_typed() -> None:
    names = [f"{place} Herald {number}" for number in range(1_000) for place in ("North", "South", "New")]
    assert len(names) == 3_000
    begun = time.thread_time()
    options = suggestions(names, "")
    assert labels(options) == names[:100]
    assert labels(suggestions(names, "herald 999 sou"))[:1] == ["South Herald 999"]
    assert labels(suggestions(names, "new herald 77"))[:2] == ["New Herald 77", "New Herald 770"]
    assert labels(suggestions(names, "NEW HERALD 77"))[-1] != "NEW HERALD 77 (as you wrote it)"
    assert time.thread_time() - begun < 0.5
    assert all(check_options(suggestions(names, typed)) == [] for typed in ("", "h", "9", "new herald 77", "x"))


def test_a_publisher_that_is_not_listed_can_be_written() -> None:
    options = suggestions(["The Gull"], "gulls &amp; terns")
    assert labels(options) == ["gulls & terns (as you wrote it)"]
    view = filled(settings_view(PLACE, NOTHING), publishers=options)
    assert chosen_in(view, NOTHING, ())[0].filters.publishers == ("gulls & terns",)
    assert labels(suggestions(["The Gull"], " the  gull ")) == ["The Gull"]
    assert labels(suggestions(["The Gull"], "gull")) == ["The Gull", "gull (as you wrote it)"]
    assert suggestions([], "  ") == []
    assert suggestions([], LONG) == []


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u2060\u202e", "\ud800"])
def test_a_name_that_cannot_be_seen_can_only_be_taken_out(name: str) -> None:
    unseen = ChannelSettings(Filters(publishers=("AP", name)))
    view = settings_view(PLACE, unseen)
    assert check_view(view) == []
    assert labels(elements(view)["publishers"]["initial_options"]) == ["AP", "(no name)"]
    with pytest.raises(Unfit):
        chosen_in(filled(view), unseen, ())
    only = elements(view)["publishers"]["initial_options"][:1]
    assert chosen_in(filled(view, publishers=only), unseen, ())[0].filters.publishers == ("AP",)
    assert suggestions([], name) == []


def test_the_same_publisher_twice_is_one() -> None:
    twice = [*suggestions(["AP"], ""), *suggestions([], "ap")]
    view = filled(settings_view(PLACE, NOTHING), publishers=twice)
    assert chosen_in(view, NOTHING, ())[0].filters.publishers == ("AP",)


def test_hostile_names_stay_names() -> None:
    for at in range(0, len(HOSTILE), 90):
        names = [*dict.fromkeys(HOSTILE[at : at + 90]), "&" * 200, "😀" * 100, "a" * 76, "<" * 75]
        options = suggestions(names, "")
        view = settings_view(PLACE, ChannelSettings(Filters(publishers=tuple(names))))
        assert check_options(options) == check_view(view) == []
        assert active(SlackMessage("settings", [*options, view])) == []
        chosen = chosen_in(filled(settings_view(PLACE, NOTHING), publishers=options), NOTHING, names)[0]
        assert (
            chosen.filters.publishers
            == tuple({name.strip().casefold(): name for name in reversed(names)}.values())[::-1]
        )
        for name in names[:5]:
            written = suggestions([], name)
            assert check_options(written) == []
            assert active(SlackMessage("settings", written)) == []
