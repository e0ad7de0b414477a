"""Every setting of the program. This module is the only reader of the environment."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import InvalidRequest

__all__ = ["Settings", "load_settings"]


class Settings(BaseSettings):
    """Settings, read from the environment and from `.env` in the working folder.

    The name of a setting is its field in capitals. An empty value counts as not set.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
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


def load_settings() -> Settings:
    """Read the settings; raises InvalidRequest that names the first setting that is wrong."""
    try:
        return Settings()
    except UnicodeDecodeError as error:
        raise InvalidRequest(".env is not UTF-8 text", "save it as UTF-8") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "a setting"
        why = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest(f"{name} is not usable ({why})", "mend it in the environment or .env") from error
