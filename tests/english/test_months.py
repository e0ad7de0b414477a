from __future__ import annotations

import pytest

from rag.english.months import MONTHS, month_number


def test_a_month_is_known_by_its_name_and_however_it_is_shortened() -> None:
    assert [month_number(name) for name in MONTHS] == list(range(1, 13))
    assert (month_number("Sept."), month_number("JUL")) == (9, 7)


def test_what_is_no_month_is_refused() -> None:
    with pytest.raises(KeyError):
        month_number("monday")
