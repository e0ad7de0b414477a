from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from rag.answering.checking.claims import check, missing
from rag.answering.checking.days import Day, days, days_meant
from rag.answering.checking.numbers import quantities
from rag.english.sentences import sentences
from rag.records import Evidence, UncitedClaim
from tests.conftest import SEEDS
from tests.fakes import hit


def finding(
    claim: str, *quotes: str, title: str = "A title", published: str | None = "2024-01-14", rest: str = ""
) -> UncitedClaim:
    """A claim with quotes, each from an article of its own that was published on a Sunday."""
    evidence = []
    for n, quote in enumerate(quotes):
        source = hit(quote, after=rest, id=f"a{n}", title=title, published=published)
        evidence.append(Evidence(source, 0, len(quote)))
    return UncitedClaim(claim, tuple(evidence))


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("The United States paid six billion dollars.", "The US paid $6 billion."),
        ("The US paid $6bn.", "The United States paid 6 billion U.S. dollars."),
        ("Some 6,000 million dollars were paid.", "They paid $6 billion."),
        ("The UN said 6 percent left.", "The United Nations said 6% left."),
        ("Prices rose by 6%.", "Prices rose six per cent."),
        ("Between 50 and 70 percent left.", "It was 50% to 70%, he said."),
        ("Twenty-five ships left.", "The 25 ships left."),
        ("The three-day talks ended.", "The talks lasted three days."),
        ("About 100 people left.", "The ministry counted 98 people."),
        ("More than 100 attacks were counted.", "The Pentagon counted 104 attacks."),
        ("Two sides met.", "Both sides met."),
        ("The first attack was in December.", "An attack came on 28 December."),
        ("The second round ended.", "The 2nd round is over."),
        ("It happened on January 12th.", "It happened on 12 January."),
        ("It happened on 12 January 2024.", "It happened on Friday."),
        ("It happened on Friday, 12 January.", "It happened on 2024-01-12."),
        ("It happened on 13 January.", "It happened yesterday."),
        ("In 2024 they met.", "They met on Friday."),
        ("The 2023 talks failed.", "The talks failed last year."),
        ("They met in December 2023.", "They met last month."),
        ("They met on 28 December 2023.", "They met on Dec. 28."),
        ("A report of 14 January 2024 says nothing of it.", "Nothing was said of it."),
        ("It may rain.", "It might rain."),
        ("American officials met Iranians.", "U.S. officials met Iran's envoys."),
        ("Tehran demanded a cease-fire.", "Iran demanded a cease-fire."),
        ("Iran demanded a cease-fire.", "Tehran demanded a cease-fire."),
        ("Qatar hosted the talks.", "The talks were held in Doha."),
        ("Gazan officials agreed.", "Officials in Gaza agreed."),
        ("Houthi attacks rose.", "The Houthis attacked more."),
        ("European states agreed.", "The states of Europe agreed."),
        ("The IAEA left.", "The International Atomic Energy Agency left."),
        ("The International Atomic Energy Agency left.", "The IAEA left."),
        ("The European Union agreed.", "The EU agreed."),
        ("President Biden said so.", "Biden said so."),
        ("Officials said that envoys had agreed.", "The envoys agreed, it was said."),
        ("Shipping resumed.", "Ships sail again."),
        ("Different European states agreed.", "Several states of Europe agreed."),
        ("Israel's cabinet agreed.", "The Israeli cabinet agreed."),
        ("The result: Officials agreed.", "They agreed."),
        ('He called it "a clear demand".', "It was “a clear demand,” he said."),
        ("He called it “a clear ... demand”.", "It was “a clear and old demand,” he said."),
        ("He called it ‘a clear demand’.", "It was “a clear demand,” he said."),
        ("Iran Rejects Talks With U.S. In Muscat", "Tehran will not meet the Americans."),
    ],
)
def test_a_paraphrase_is_not_flagged(claim: str, quote: str) -> None:
    assert check(finding(claim, quote)) == ()


@pytest.mark.parametrize(
    ("claim", "quote", "absent"),
    [
        ("It paid $7 billion.", "It paid $6 billion.", ["$7 billion"]),
        ("It paid $6 million.", "It paid $6 billion.", ["$6 million"]),
        ("It cost €6 billion.", "It cost $6 billion.", ["€6 billion"]),
        ("It rose by 6 percent.", "It rose by 6.", ["6 percent"]),
        ("It took 3 days.", "It took 3 hours.", ["3 days"]),
        ("Some 150 left.", "Some 100 left.", ["150"]),
        ("Two ships were hit.", "Three ships were hit.", ["Two"]),
        ("It fell to -5 degrees.", "It fell to 5 degrees.", ["-5 degrees"]),
        ("The second round ended.", "The fifth round ended.", ["second"]),
        ("They met on 17 January.", "They met on 12 January.", ["17 January"]),
        ("They met on 17 January.", "They met on Friday.", ["17 January"]),
        ("They met on Monday.", "They met on Friday.", ["Monday"]),
        ("They met in 2022.", "They met on Friday.", ["2022"]),
        ("They met on 12 January 2023.", "They met on 12 January 2024.", ["12 January 2023"]),
        ("In March 2024 they met.", "They met in January 2024.", ["March 2024"]),
        ("They met on 14 January.", "They met in Muscat.", ["14 January"]),
        ("Talks were held in Tehran.", "Talks were held in Iran.", ["Tehran"]),
        ("Iraq agreed.", "Iran agreed.", ["Iraq"]),
        ("North Korea fired.", "South Korea fired.", ["North Korea"]),
        ("They came from Nigeria.", "They came from Niger.", ["Nigeria"]),
        ("US envoys came.", "They told us of envoys.", ["US"]),
        ("The IAEA left.", "The World Health Organization left.", ["IAEA"]),
        ("Hunter Biden left.", "Biden left.", ["Hunter Biden"]),
        ("Netanyahu said so.", "He said so.", ["Netanyahu"]),
        ("The envoy Brett McGurk came.", "The envoy came.", ["Brett McGurk"]),
        ("He said “no way”.", "He said so.", ["“no way”"]),
        ('He said "they will never agree".', "“They will agree,” he said.", ["“they will never agree”"]),
        (
            "On 17 January Iraq paid $7 billion.",
            "On Friday Iran paid $6 billion.",
            ["17 January", "Iraq", "$7 billion"],
        ),
    ],
)
def test_what_no_quote_has_is_flagged(claim: str, quote: str, absent: list[str]) -> None:
    assert missing(finding(claim, quote)) == absent
    assert check(finding(claim, quote)) == (f"not found in the quotes: {', '.join(absent)}",)


def test_a_name_that_the_article_has_elsewhere_is_still_not_in_the_quote() -> None:
    claim = finding("Larijani was handed a letter.", "He was handed a letter.", rest=" It was for envoy Larijani.")
    assert missing(claim) == ["Larijani"]


def test_a_full_name_may_be_completed_from_the_article() -> None:
    assert (
        missing(finding("Brett McGurk led them.", "McGurk led them.", rest=" They call Brett McGurk a diplomat.")) == []
    )


def test_titles_and_publishers_are_known_to_the_reader_of_a_quote() -> None:
    claim = finding("Larijani met Putin, The Paper says.", "He met the Russian leader.", title="Larijani meets Putin")
    assert missing(claim) == []


def test_several_quotes_count_together() -> None:
    claim = "Reports differ between $6 billion and $7 billion."
    assert missing(finding(claim, "It was $6 billion.", "It was $7 billion.")) == []
    assert missing(finding(f"Two reports differ: {claim}", "It was $6 billion.", "It was $7 billion.")) == []


def test_without_a_date_of_publication_a_weekday_is_only_a_weekday() -> None:
    assert missing(finding("They met on Friday.", "They met on Friday.", published=None)) == []
    assert missing(finding("They met on 12 January 2024.", "They met on Friday.", published=None)) == [
        "12 January 2024"
    ]
    assert missing(finding("They met in 2024.", "They met on Friday.", published=None)) == ["2024"]


def test_a_sentence_quoted_for_itself_has_no_flag() -> None:
    for path in sorted(SEEDS.glob("*.md")):
        text = re.sub(r"\A---.*?---\s*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        article = hit(text, title="")
        for span in sentences(text):
            claim = UncitedClaim(text[span.start : span.end], (Evidence(article, span.start, span.end),))
            assert check(claim) == (), claim.text


def test_a_flag_is_a_phrase_that_promises_nothing() -> None:
    (flag,) = check(finding("Iraq agreed.", "Iran agreed."))
    assert "verified" not in flag
    assert replace(finding("Iran agreed.", "Iran agreed."), flags=()).flags == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two hundred and ten thousand men", [210_000]),
        ("two and three ships", [2, 3]),
        ("$6.5bn, £3m and 10k", [6.5e9, 3e6, 10_000]),
        ("1,200 people, 2.5 each, ran 100 m", [1200, 2.5, 100]),
        ("a dozen of them, one by one", [12]),
        ("one hundred", [100]),
        ("at 10:30", [10.3]),
    ],
)
def test_numbers_are_read_however_they_are_written(text: str, values: list[float]) -> None:
    assert [quantity.value for quantity in quantities(text)] == values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12-14 January", [(None, 1, 12), (None, 1, 14)]),
        ("Sept. 11, 2001", [(2001, 9, 11)]),
        ("the 3rd of March 2024", [(2024, 3, 3)]),
        ("in May he may march", [(None, 5, None)]),
        ("2019, $2019, 2,019 and the 1990s", [(2019, None, None)]),
        ("2024-01-17", [(2024, 1, 17)]),
    ],
)
def test_dates_are_read_however_they_are_written(text: str, found: list[tuple[int | None, ...]]) -> None:
    assert [(day.year, day.month, day.day) for day in days(text)] == found


def test_dates_are_understood_from_the_day_of_publication() -> None:
    meant = days_meant("on Dec. 28, yesterday, on Friday and last year", date(2024, 1, 1))
    wanted = [Day(2023, 12, 28, 3), Day(2023, 12, 31, 6), Day(2023, 12, 29, 4), Day(2023)]
    assert all(day in meant for day in wanted)
