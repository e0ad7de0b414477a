"""Whether a request comes from Slack: its signature over the raw body, not older than five minutes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

__all__ = ["is_signed"]

_WINDOW_S = 300
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether the headers carry Slack's signature of this body; `now` in seconds since 1970.

    slack_sdk's own check raises on a timestamp that is no whole number; this one says no.
    """
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > _WINDOW_S:
        return False
    signed = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    given = headers.get("x-slack-signature", "")
    # As bytes: a header may hold characters that compare_digest does not take as text.
    return hmac.compare_digest(f"v0={signed}".encode(), given.encode("utf-8", "replace"))
