import logging
import re
from io import StringIO
from pathlib import Path

import pytest

from rag.errors import InvalidRequest
from rag.settings import Settings, load_settings, look_over

ROOT = Path(__file__).parent.parent


def test_the_example_lists_every_setting_with_its_default() -> None:
    listed = dict(re.findall(r"^# ?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    fields = Settings.model_fields
    assert sorted(listed) == sorted(name.upper() for name in fields)
    for name, field in fields.items():
        default = (
            "" if field.default is None else f"{field.default:g}" if isinstance(field.default, float) else field.default
        )
        assert listed[name.upper()] == str(default), name


def test_the_example_says_what_each_setting_is() -> None:
    text = " ".join((ROOT / ".env.example").read_text().replace("#", " ").split())
    for name, field in Settings.model_fields.items():
        assert field.description and field.description in text, name


def test_the_readme_names_every_setting() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in readme] == []


def test_settings_come_from_dot_env_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("RAG_PORT=9001\nRAG_DEADLINE_S=7\nOPENAI_MODEL=\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("RAG_PORT", "9002")
    settings = load_settings()
    assert (settings.rag_port, settings.rag_deadline_s, settings.openai_model) == (9002, 7.0, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RAG_DEADLINE_S", "soon"),
        ("RAG_NOW", "tomorrow"),
        ("RAG_ENCODER", "torch"),
        ("RAG_PORT", "-1"),
        ("RAG_API_KEY", "schlüssel"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidRequest, match=name):
        load_settings()


@pytest.mark.parametrize("value", ["tomorrow", "15.3.2024", "2024-02-30"])
def test_a_wrong_now_is_told_how_to_write_it(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("RAG_NOW", value)
    with pytest.raises(InvalidRequest, match="write it as 2024-03-15 or 2024-03-15T12:00") as raised:
        load_settings()
    assert "Value error" not in str(raised.value)


def test_keys_do_not_show() -> None:
    settings = Settings(openai_api_key="sk-hidden", rag_api_key="also-hidden", slack_bot_token="xoxb-hidden")
    assert "hidden" not in repr(settings)


def test_now_can_be_set() -> None:
    assert Settings(rag_now="2024-03-15T10:00:00+01:00").today().isoformat() == "2024-03-15"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("this is not a setting\n", ".env line 1 cannot be read: write it as NAME=value"),
        (
            'RAG_PORT=9001\n\n# a note\nRAG_DEADLINE_S="30\n',
            ".env line 4 cannot be read (the quotes around RAG_DEADLINE_S",
        ),
        ('RAG_DEADLINE_S="30\nOPENAI_MODEL="other"\n', ".env line 1 cannot be read (the quotes around RAG_DEADLINE_S"),
        ("RAG_NOW\n", ".env line 1 cannot be read (RAG_NOW has no = and no value)"),
        ('OPENAI_API_KEY="sk-hidden" b\n', ".env line 1 cannot be read (OPENAI_API_KEY)"),
    ],
)
def test_a_line_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / ".env").write_text(text)
    with pytest.raises(InvalidRequest) as raised:
        load_settings()
    assert str(raised.value).startswith(says)
    assert "hidden" not in str(raised.value)


def test_names_of_dot_env_that_look_like_settings_are_warned_of_once(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text(
        "RAG_HOMEE=/x\nrag_port=9001\nSLACK_FOO=1\nOPENAI_LOG=info\nLOG_LEVEL=1\nRAGHOME=y\nexport RAG_NOW=2024-03-15\n"
    )
    told = StringIO()
    handler = logging.StreamHandler(told)
    logger = logging.getLogger("rag.settings")
    logger.addHandler(handler)
    try:
        assert load_settings().rag_port == 9001
    finally:
        logger.removeHandler(handler)
    assert told.getvalue().splitlines() == [
        ".env line 1: RAG_HOMEE is no setting (did you mean RAG_HOME?); .env line 3: SLACK_FOO is no setting;"
        " .env line 6: RAGHOME is no setting (did you mean RAG_HOME?): .env.example lists the settings"
    ]
    assert look_over().foreign == ("LOG_LEVEL in .env line 5",)


def test_names_of_the_environment_may_be_another_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_PROT", "1")
    monkeypatch.setenv("SLACK_OF_MINE", "1")
    monkeypatch.setenv("OPENAI_LOG", "1")
    found = look_over()
    assert found.wrong == ()
    assert found.foreign == (
        "RAG_PROT in the environment (did you mean RAG_PORT?)",
        "SLACK_OF_MINE in the environment",
    )


def test_every_line_of_the_example_can_be_read(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text()
    (tmp_path / ".env").write_text(re.sub(r"^# ?(?=[A-Z_]+=)", "", example, flags=re.MULTILINE))
    assert look_over().wrong == look_over().foreign == ()
    assert load_settings().rag_port == 8000


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RAG_PORT=9001\n", encoding="utf-8-sig")
    assert look_over().wrong == ()
    assert load_settings().rag_port == 9001


def test_dot_env_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("OPENAI_MODEL=größe\n".encode("latin-1"))
    with pytest.raises(InvalidRequest, match="UTF-8"):
        load_settings()
