from __future__ import annotations

import pytest

from rag.ingestion.dates import parse_date, read_date_line


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2023-05-31", "2023-05-31"),
        ("2023-05-31T10:00:00Z", "2023-05-31T10:00:00+00:00"),
        ("2023-05-31 10:00:00 +0200", "2023-05-31T10:00:00+02:00"),
        ("Wed, 31 May 2023 10:00:00 GMT", "2023-05-31T10:00:00+00:00"),
        ("May 31, 2023", "2023-05-31"),
        ("31st of May 2023, 10:05 GMT", "2023-05-31"),
        ("26-FEB-1987 15:01:01.79", "1987-02-26"),
        ("Wednesday, 05/31/2023", "2023-05-31"),
        ("Mon 05/06/2023", "2023-06-05"),
        ("31/05/2023", "2023-05-31"),
    ],
)
def test_reads_what_allows_one_reading(written: str, expected: str) -> None:
    assert parse_date(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "2023",
        "2023-05",
        "May 2023",
        "05/06/2023",
        "2023-13-45",
        "31/02/2023",
        "on May 31, 2023 he left",
        "1970-01-01T00:00:00Z",
        "0001-01-01",
        "2023-05-31T25:00",
        "x" * 100_000,
    ],
)
def test_leaves_the_rest_unknown(written: str) -> None:
    assert parse_date(written) is None


def test_tells_date_lines_from_prose() -> None:
    line = read_date_line("Published: 31 May 2023, 10:05 GMT")
    assert line and line.published == "2023-05-31"
    line = read_date_line("Last updated May 31, 2023")
    assert line and line.published is None
    line = read_date_line("4 min read")
    assert line and line.published is None
    assert read_date_line("The port opened on May 31, 2023") is None
    assert read_date_line("Monday") is None
