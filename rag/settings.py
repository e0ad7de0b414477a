"""Every setting of the program. This module is the only reader of the environment."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from dotenv.parser import Binding, parse_stream
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import InvalidRequest

__all__ = ["Overlooked", "Settings", "load_settings", "look_over"]

logger = logging.getLogger(__name__)

_ENV_FILE = ".env"
_OURS = ("RAG_", "SLACK_")
_SHARED = "OPENAI_"  # other programs read settings of their own by such names
_NEAR = 0.8


class Settings(BaseSettings):
    """Settings, read from the environment and from `.env` in the working folder.

    The name of a setting is its field in capitals. An empty value counts as not set.
    """

    model_config = SettingsConfigDict(
        env_file=_ENV_FILE, env_file_encoding="utf-8-sig", env_ignore_empty=True, extra="ignore", frozen=True
    )

    rag_home: Path = Field(Path("data"), description="The one folder that holds the library.")
    rag_host: str = Field("127.0.0.1", description="Address `rag serve` listens on; anything but loopback needs a key.")
    rag_port: int = Field(8000, ge=0, le=65535, description="Port `rag serve` listens on; 0 takes a free one.")
    rag_api_key: SecretStr | None = Field(None, description="Asked of every caller when set.")

    openai_api_key: SecretStr | None = Field(None, description="Key of the language model that writes answers.")
    openai_base_url: str | None = Field(
        None, description="Any OpenAI-compatible server; alone it is enough, its first model is taken."
    )
    openai_model: str | None = Field(None, description="Model that writes answers; gpt-4o-mini if only a key is set.")
    openai_context_window: int = Field(16384, ge=1024, description="Context window of that model, in tokens.")
    openai_max_output_tokens: int = Field(1024, ge=64, description="Most tokens that model may write.")
    rag_deadline_s: float = Field(20.0, gt=0, description="Wall-clock limit of one answer, in seconds.")

    rag_min_confidence: float = Field(
        0.04, ge=0, le=1, description="Questions are declined when no sentence is as likely as this to answer them."
    )

    rag_encoder: Literal["local", "openai"] = Field(
        "local", description="What turns texts into vectors: `local`, or `openai` for an embeddings endpoint."
    )
    rag_encoder_dir: Path | None = Field(
        None, description="A sentence-transformers folder (BERT family) to use instead of the packaged encoder."
    )
    rag_reranker_dir: Path | None = Field(
        None,
        description="A sentence-transformers CrossEncoder folder (BERT family) that orders the best passages; none by"
        " default.",
    )
    openai_embedding_model: str = Field(
        "text-embedding-3-small", description="Embedding model when RAG_ENCODER=openai."
    )

    rag_max_article_mb: float = Field(10.0, gt=0, description="Larger articles are refused, in megabytes.")
    rag_allow_private_urls: bool = Field(False, description="Let `rag ingest` fetch addresses inside private networks.")
    rag_now: str | None = Field(None, description="An ISO date or time that stands for now.")

    slack_signing_secret: SecretStr | None = Field(
        None, description="Signing secret of the Slack app; the slash command needs nothing else."
    )
    slack_bot_token: SecretStr | None = Field(
        None, description="Bot token of the Slack app (xoxb-...), for mentions, direct messages and threads."
    )
    slack_app_token: SecretStr | None = Field(
        None, description="App-level token (xapp-...) for Socket Mode, where Slack cannot reach this server."
    )
    slack_response: Literal["ephemeral", "in_channel"] = Field(
        "ephemeral", description="Who sees what a slash command answers: `ephemeral` who asked, `in_channel` all."
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Base address of Slack's Web API.")
    rag_public_url: str | None = Field(
        None, description="Address at which readers reach the chat page; answers in Slack then link to it."
    )

    @field_validator("rag_now")
    @classmethod
    def _readable_now(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                datetime.fromisoformat(value)
            except ValueError as error:
                raise ValueError(f"{value!r} is no date: write it as 2024-03-15 or 2024-03-15T12:00") from error
        return value

    @field_validator("slack_api_url", "rag_public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/\s?#]+[^\s?#]*", value):
            raise ValueError(f"{value!r} is no web address: write it as https://example.org/")
        return value

    @field_validator("rag_api_key", "slack_signing_secret", "slack_bot_token", "slack_app_token")
    @classmethod
    def _sendable_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[!-~]+(?: [!-~]+)*", value.get_secret_value()):
            raise ValueError("a key is made of ASCII characters: others cannot be sent in a header")
        return value

    @property
    def max_article_bytes(self) -> int:
        return int(self.rag_max_article_mb * 1_000_000)

    def of_answers(self) -> dict[str, str]:
        """The settings that decide what is answered, by name, without secrets: kept with an opinion on an answer."""
        names = ("openai_model", "rag_encoder", "rag_encoder_dir", "rag_reranker_dir", "rag_min_confidence")
        return {name.upper(): str(getattr(self, name)) for name in names if getattr(self, name) is not None}

    def today(self) -> date:
        """The current date (UTC), or what RAG_NOW says it is."""
        return datetime.fromisoformat(self.rag_now).date() if self.rag_now else datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Overlooked:
    """What stands in `.env` and in the environment and is no setting, each as a phrase that says where.

    `unreadable` are lines of `.env`, `misnamed` names in it that look like a setting's, and `foreign` names that may
    be another program's.
    """

    unreadable: tuple[str, ...] = ()
    misnamed: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def wrong(self) -> tuple[str, ...]:
        """What keeps a setting from being read, as it seems."""
        return self.unreadable + self.misnamed


def look_over() -> Overlooked:
    """What is overlooked when the settings are read. Values are never told: they may be keys."""
    unreadable, misnamed, foreign = [], [], []
    for line, binding in _bindings():
        where = f"{_ENV_FILE} line {line}"
        name = (binding.key or "").upper()
        if binding.error or (name.startswith(_OURS) and binding.value is None):
            unreadable.append(f"{where} cannot be read{_why(binding)}")
        elif name and _is_strange(name):
            meant = _meant(name)
            if meant or name.startswith(_OURS):
                misnamed.append(f"{where}: {name} is no setting{meant}")
            else:
                foreign.append(f"{name} in {where}")
    for name in sorted({name.upper() for name in os.environ}):
        if name.startswith(_OURS) and _is_strange(name):
            foreign.append(f"{name} in the environment{_meant(name)}")
    return Overlooked(tuple(unreadable), tuple(misnamed), tuple(foreign))


def load_settings(*, tolerant: bool = False) -> Settings:
    """Read the settings; raises InvalidRequest that names the first setting, or line of `.env`, that is wrong.

    Names in `.env` that look like a setting's and are none are warned of. If `tolerant`, lines that cannot be read
    are warned of too, for a caller that tells what is wrong.
    """
    found = look_over()
    if found.unreadable and not tolerant:
        raise InvalidRequest(found.unreadable[0], "write it as NAME=value, or begin it with #")
    try:
        settings = Settings()
    except UnicodeDecodeError as error:
        raise InvalidRequest(".env is not UTF-8 text", "save it as UTF-8") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "a setting"
        why = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest(f"{name} is not usable ({why})", "mend it in the environment or .env") from error
    if found.wrong:
        logger.warning("%s: .env.example lists the settings", "; ".join(found.wrong))
    return settings


def _bindings() -> Iterator[tuple[int, Binding]]:
    """The lines of `.env` as they are parsed for the settings, each with its number."""
    path = Path(_ENV_FILE)
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            for binding in parse_stream(stream):
                written = binding.original.string
                blank = written[: len(written) - len(written.lstrip())]
                yield binding.original.line + blank.count("\n"), binding
    except OSError:
        return  # reading the settings themselves tells of it


def _why(binding: Binding) -> str:
    first = binding.original.string.strip().partition("\n")[0]
    named = re.match(r"(?:export\s+)?([A-Za-z_]\w*)\s*(?:$|#|(=)\s*(['\"]?)(.*))", first)
    if named is None:
        return ""
    name, equals, mark, rest = named.groups()
    if not equals:
        return f" ({name} has no = and no value)"
    return f" (the quotes around {name} are not closed)" if mark and mark not in rest else f" ({name})"


def _is_strange(name: str) -> bool:
    return not name.startswith(_SHARED) and name.lower() not in Settings.model_fields


def _meant(name: str) -> str:
    near = get_close_matches(name, [field.upper() for field in Settings.model_fields], n=1, cutoff=_NEAR)
    return f" (did you mean {near[0]}?)" if near else ""
