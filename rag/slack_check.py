"""Whether Slack is set up: what `rag doctor` says of it, naming what is missing."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import SecretStr

from rag.records import Check
from rag.settings import Settings

__all__ = ["SCOPES", "check_slack"]

# Of the bot token, as in ui/slack/manifest.yaml.
SCOPES = (
    *("app_mentions:read", "assistant:write", "channels:history", "chat:write", "commands", "groups:history"),
    *("im:history", "mpim:history", "users:read"),
)
_TIMEOUT_S = 10.0
_SITE = "https://api.slack.com/apps"


def check_slack(settings: Settings) -> list[Check]:
    """One check for each part that is set up; none where nothing of Slack is configured."""
    secret, bot, app = settings.slack_signing_secret, settings.slack_bot_token, settings.slack_app_token
    if secret is None and bot is None and app is None:
        return []
    checks = [_secret(secret, app), _bot(bot, app, settings.slack_api_url)]
    if app is not None:
        checks.append(_app(app, settings.slack_api_url))
    if secret is not None and settings.rag_public_url:
        checks.append(_public(settings.rag_public_url))
    return checks


def _secret(secret: SecretStr | None, app: SecretStr | None) -> Check:
    name = "slack signing secret"
    where = f"copy it from Basic Information of your app at {_SITE}"
    if secret is None:
        if app is not None:
            return Check(name, True, "not set: Socket Mode needs none")
        return Check(name, False, f"SLACK_SIGNING_SECRET is not set, so nothing that Slack sends is taken: {where}")
    if secret.get_secret_value().startswith(("xoxb-", "xoxp-", "xapp-")):
        return Check(name, False, f"SLACK_SIGNING_SECRET holds a token: {where}")
    return Check(name, True, "set; /slack/command and /slack/events take what is signed with it")


def _bot(token: SecretStr | None, app: SecretStr | None, base: str) -> Check:
    name = "slack bot token"
    if token is None:
        if app is not None:
            return Check(name, False, "SLACK_BOT_TOKEN is not set, which Socket Mode needs: copy the xoxb- token")
        return Check(name, True, "not set: the slash command answers, mentions and direct messages do not")
    if not token.get_secret_value().startswith("xoxb-"):
        return Check(name, False, "SLACK_BOT_TOKEN is no bot token: copy the one that begins with xoxb-")
    response = _asked(base, "auth.test", token)
    trouble = _trouble(response, base)
    if trouble:
        return Check(name, False, f"{trouble}: copy SLACK_BOT_TOKEN from OAuth & Permissions at {_SITE}")
    assert isinstance(response, httpx.Response)
    granted = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")}
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        named = f"the app lacks the scope{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        return Check(name, False, f"{named}: add under OAuth & Permissions at {_SITE}, then install the app again")
    said = response.json()
    return Check(name, True, f"{said.get('user')} in {said.get('team')}, with all scopes")


def _app(token: SecretStr, base: str) -> Check:
    name = "slack app token"
    if not token.get_secret_value().startswith("xapp-"):
        return Check(name, False, "SLACK_APP_TOKEN is no app-level token: copy the one that begins with xapp-")
    trouble = _trouble(_asked(base, "apps.connections.open", token), base)
    if trouble:
        how = "make one with the scope connections:write under Basic Information, and turn Socket Mode on"
        return Check(name, False, f"{trouble}: {how}")
    return Check(name, True, "Socket Mode can connect")


def _public(url: str) -> Check:
    """Whether what Slack sends to the public address would arrive here; an unsigned request must be refused."""
    name, address = "slack address", f"{url.rstrip('/')}/slack/events"
    try:
        status = httpx.post(address, content=b"{}", timeout=_TIMEOUT_S).status_code
    except httpx.HTTPError as error:
        # Nothing is wrong with what is stored here: the server may simply not run just now.
        return Check(name, True, f"{address} does not answer ({_line(error)}); it must while the server runs")
    if status == 401:
        return Check(name, True, f"{address} asks for Slack's signature")
    return Check(name, False, f"{address} answers {status} to an unsigned request instead of 401: check RAG_PUBLIC_URL")


def _asked(base: str, method: str, token: SecretStr) -> httpx.Response | httpx.HTTPError:
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    try:
        return httpx.post(f"{base.rstrip('/')}/{method}", headers=headers, timeout=_TIMEOUT_S)
    except httpx.HTTPError as error:
        return error


def _trouble(response: httpx.Response | httpx.HTTPError, base: str) -> str:
    """What is wrong with the answer; empty if nothing is."""
    if isinstance(response, httpx.HTTPError):
        return f"Slack cannot be reached at {base} ({_line(response)})"
    try:
        said: Any = response.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return f"{base} does not answer like Slack (status {response.status_code})"
    return "" if said.get("ok") is True else f"Slack refuses the token ({said.get('error') or response.status_code})"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
