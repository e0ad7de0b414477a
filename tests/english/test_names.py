import pytest

from rag.english.names import Names, in_words_of, name_forms, name_words, question_names

LIBRARY = frozenset("blair bush google yahoo geneva larijani hello latest news worldcom".split())  # noqa: SIM905
NEWS = "Iran and America talked in Muscat, said Tony Blair, while Houthis fired at ships in the Red Sea."


def names(question: str) -> Names:
    return question_names(question, lambda word: word in LIBRARY)


def stands(question: str, text: str = NEWS) -> bool:
    return names(question).stand_in(name_words(text))


@pytest.mark.parametrize("between", [" and ", ", ", " or ", " and the "])
def test_only_joined_names_are_alternatives_and_a_place_is_not(between: str) -> None:
    assert not stands(f"What did Iran{between}US demand in Geneva?")
    assert stands(f"What did Iran{between}US demand in Muscat?")
    assert stands(f"What did Blair{between}Bush say in Muscat?")


def test_a_place_that_opens_a_question_is_no_alternative() -> None:
    assert not stands("In Geneva, Iran demanded what?")


def test_a_joined_name_that_the_library_never_has_is_needed() -> None:
    assert not stands("What did Blair and Scholz agree?")
    assert stands("What did Blair and Bush agree?")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Hello, what did Larijani say?", ("larijani",)),
        ("Hello! Identify the envoy who met Larijani", ("larijani",)),
        ("OK, so what did Larijani say?", ("larijani",)),
        ("Latest on the Houthi attacks", ("houthi",)),
        ("News about WorldCom", ("worldcom",)),
        ("Hello. I want to know what iran demanded", ("iran",)),
        ("Who is the CEO of Nestle?", ("nestle",)),
        ("Was the MP or the PM on TV in Nairobi?", ("nairobi",)),
        ("What did J. K. Rowling announce?", ("rowling",)),
        ("What did J.K. Rowling announce?", ("rowling",)),
        ("What did George W. Bush say?", ("bush",)),
        ("What did the United Nations say about Darfur?", ("un", "darfur")),
    ],
)
def test_a_question_names_only_what_is_a_name(question: str, expected: tuple[str, ...]) -> None:
    assert names(question).words == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Iran's demands of Oman", ("iran", "oman")),
        ("NATO in Sudan", ("nato", "sudan")),
        ("Mr. Bush on Iraq", ("bush", "iraq")),
        ("Robert Kilroy-Silk on Wales", ("silk", "wales")),
    ],
)
def test_a_name_that_opens_a_question_is_kept(question: str, expected: tuple[str, ...]) -> None:
    assert names(question).words == expected


def test_the_un_stands_in_a_text_that_spells_it_out() -> None:
    assert stands("What did the U.N. say?", "The United Nations warned of a famine.")


@pytest.mark.parametrize(
    ("question", "years"),
    [
        ("Which 2000 jobs were cut?", ()),
        ("Were 2000 people told?", ()),
        ("Who paid $2000?", ()),
        ("Who won in 2000?", ("2000",)),
        ("Who won the 2000 elections?", ("2000",)),
        ("What of the 2005 elections and 1997?", ("2005", "1997")),
    ],
)
def test_a_count_is_no_year(question: str, years: tuple[str, ...]) -> None:
    assert names(question).years == years


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("starmer", "star"),
        ("worldcom", "world"),
        ("nigeria", "niger"),
        ("turner", "turn"),
        ("walker", "walk"),
        ("johnson", "john"),
        ("mali", "malicious"),
    ],
)
def test_another_word_with_the_same_beginning_is_not_the_name(one: str, other: str) -> None:
    for name, text in ((one, other), (other, one)):
        assert text not in name_forms(name)
        assert not Names((name,)).stand_in(frozenset({text}))


@pytest.mark.parametrize(
    ("one", "other"),
    [("gaza", "gazan"), ("houthi", "houthis"), ("tory", "tories"), ("sweden", "swede"), ("canada", "canadian")],
)
def test_forms_of_one_name_stand_for_each_other(one: str, other: str) -> None:
    assert Names((one,)).stand_in(frozenset({other}))
    assert Names((other,)).stand_in(frozenset({one}))


@pytest.mark.parametrize(("other", "this"), [("Black Sea", "Red Sea"), ("black sea", "red sea")])
def test_one_sea_is_not_another(other: str, this: str) -> None:
    assert not stands(f"were ships attacked in the {other}?")
    assert stands(f"were ships attacked in the {this}?")


def test_a_part_of_a_divided_land_is_not_the_other() -> None:
    text = "Money was frozen in South Korea."
    assert stands("How much was frozen in South Korea?", text)
    assert not stands("How much was frozen in North Korea?", text)
    assert not stands("how much was frozen in north korea?", text)


@pytest.mark.parametrize("sea", ["Red Sea", "Crimson Sea", "red sea", "crimson sea"])
def test_a_sea_goes_by_its_paraphrased_name(sea: str) -> None:
    assert stands(f"who attacks ships in the {sea}?", "Ships within the Crimson Sea were hit.")


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("Talks in Oman ended.", "what did Iran demand in Muscat?", "what did Iran demand in Oman?"),
        ("Tehran wants Oman's help.", "What did the Iranians want in Muscat", "What did the Tehran want in Oman"),
        ("Oman and Muscat", "who met in Muscat?", "who met in Muscat?"),
        ("The U.S. envoy left.", "Did America's envoy leave?", "Did U.S's envoy leave?"),
        ("The U.S. envoy left.", "who told us?", "who told us?"),
        ("Rain fell.", "what did Iran demand in Muscat?", "what did Iran demand in Muscat?"),
        ("", "", ""),
    ],
)
def test_a_country_is_called_what_the_text_calls_it(text: str, question: str, expected: str) -> None:
    assert in_words_of(text, question) == expected
