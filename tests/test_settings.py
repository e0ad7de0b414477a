import re
from pathlib import Path

import pytest

from rag.errors import InvalidRequest
from rag.settings import Settings, load_settings

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
