"""Questions drawn from sentences: what is asked, and what is rather not."""

import time

import pytest

from rag.suggesting.drawing import LONGEST, drawn


def questions(text: str) -> list[str]:
    return [found.question for found in drawn(text)]


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        # What was said or done, with the place or date where it stands at the head of the sentence.
        ("At the Bergen summit, Norway demanded a ban on trawling.", "What did Norway demand at the Bergen summit?"),
        ("In Geneva, Iran rejected the offer that the mediators had made.", "What did Iran reject in Geneva?"),
        ("The Harbour Board has approved a plan to deepen the channel.", "What has the Harbour Board approved?"),
        ("Iran had asked for a second meeting, diplomats said in the evening.", "What did Iran ask for?"),
        ("Norway accused Iceland of dumping fish on the market.", "What did Norway accuse Iceland of?"),
        ("France urged Britain to lift its ban on imports of cheese.", "What did France urge Britain to do?"),
        ("Japan is planning a second bridge across the strait.", "What is Japan planning?"),
        ("The Fjord Line plans to build an electric ferry.", "What does the Fjord Line plan to build?"),
        ("Germany agreed to share the cost of the new pipeline.", "What did Germany agree to do?"),
        ("Lena Hovland said tunnel repairs would take a year.", "What did Lena Hovland say about tunnel repairs?"),
        # Numbers.
        ("Russia closed 412 village schools during one winter.", "How many village schools did Russia close?"),
        ("Norsk Kraft AS said it will cut 300 jobs at its oldest smelter.", "How many jobs will Norsk Kraft AS cut?"),
        ("Some 60 people were injured when a crane fell in Rotterdam.", "How many people were injured in Rotterdam?"),
        ("Shares in Norsk Kraft fell 12 percent on the first day.", "How much did shares in Norsk Kraft fall?"),
        ("China raised its petrol tax by 4 percent in the spring budget.", "How far did China raise its petrol tax?"),
        # When, where, why, who.
        ("The Bergen Museum will open a new wing on 4 May.", "When will the Bergen Museum open a new wing?"),
        ("The Labour Party will hold its congress in Bergen.", "Where will the Labour Party hold its congress?"),
        ("Norway left the Baltic Treaty in protest at the quotas.", "Why did Norway leave the Baltic Treaty?"),
        ("Norsk Kraft bought Fjord Energi for 40 million euros.", "How much did Norsk Kraft pay for Fjord Energi?"),
        ("Ingrid Dahl was received by the Swedish prime minister on the quay.", "Who received Ingrid Dahl?"),
        # People and things by what is said beside their names.
        ("Ingrid Dahl, mayor of Bergen, said that the harbour stays open.", "Who is the mayor of Bergen?"),
        ("Ingrid Dahl, who heads the harbour board, spoke to reporters.", "Who is Ingrid Dahl?"),
        ("Norway's foreign minister, Nils Lund, flew home before the vote.", "Who is Norway's foreign minister?"),
        ('"We will not wait for Iceland," said the minister, Nils Lund.', "What did Nils Lund say about Iceland?"),
        ('Nils Lund said: "The quays will be open again in the spring."', "What did Nils Lund say?"),
        ("Gunmen boarded the Silver Gull, a container ship, before dawn.", "What is the Silver Gull?"),
    ],
)  # fmt: skip
def test_a_sentence_is_asked_what_it_answers(sentence: str, question: str) -> None:
    assert question in questions(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "He demanded that the fleet stay in port until the summer.",  # who?
        "The company announced a plan to build four electric ships.",  # which?
        "Officials rejected the offer that the mediators had made.",
        "Mr Dahl announced that the harbour would stay open.",  # which Mr Dahl?
        "We demanded that the fleet stay in port until the summer.",
        "The meeting took place in the back room of a hotel.",
        "Did Norway demand that the fleet stay in port all summer?",
        "Norway demanded that the fleet stay in port until the summer",  # a headline or a list item
        '"Norway demanded that the fleet stay", the minister said again.',
        '"We are not waiting," said Lund\'s agent, who would not be named.',
        "said that Norway demanded a ban on trawling in the whole fjord.",  # the rest of a line
        "Norway left the treaty because of it, and so did the others.",  # which treaty?
        "Bread 2.55 2.40 IV 4.65 Milk 1.35 1.92 IV 3.15 Eggs 0.75.",
    ],
)
def test_what_would_not_be_understood_is_not_asked(sentence: str) -> None:
    assert questions(sentence) == []


def test_a_person_is_called_by_the_full_name_that_the_article_gives() -> None:
    text = "Ingrid Dahl has run the port for a decade. On Friday Dahl spoke. Ms Dahl agreed to reopen the old quay."
    assert "What did Ingrid Dahl agree to do?" in questions(text)


def test_a_word_that_opens_a_sentence_is_a_name_only_if_it_has_its_capital_elsewhere() -> None:
    assert questions("Fishermen rejected a ban on nets. The ban was too early for fishermen in the north.") == []
    known = "Skanor rejected a ban on nets that the region proposed. The ban came too early, people in Skanor said."
    assert "What did Skanor reject?" in questions(known)


def test_questions_point_at_the_sentence_that_they_were_drawn_from() -> None:
    text = "The wind turned in the night.\n\nNorway demanded that the fleet stay in port. Nobody objected to that."
    (found,) = drawn(text)
    assert text[found.at.start : found.at.end] == "Norway demanded that the fleet stay in port."


def test_every_question_is_short_and_bare_of_marks() -> None:
    text = (
        "Ingrid Dahl (54), mayor of Bergen, demanded that the “Silver Gull” stay in port [sic]. "
        "The International Association of Harbour Authorities and Inland Waterways of Northern Europe and the Baltic"
        " announced a plan. Norway announced a plan (the second) to raise quotas: by a tenth. <b>Norway</b> won."
    )
    for question in questions(text):
        assert len(question) <= LONGEST
        assert question.endswith("?")
        assert not set("“”\"'[]()<>:;,") & set(question)


@pytest.mark.parametrize(
    "text", ["A " * 20_000, "Aa Bb, " * 6_000, "The Aa Bb's " * 3_000, "x" * 50_000, "Aa said. " * 9_000]
)
def test_strange_text_takes_no_long_time(text: str) -> None:
    started = time.process_time()
    drawn(text)
    assert time.process_time() - started < 2
