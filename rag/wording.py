"""Words that every face uses for the same thing."""

from __future__ import annotations

# What an answer of quotes says when its `confidence` is below this.
_SURE = 0.1
UNSURE = "Perhaps none of these answers the question: they are the nearest that was found."

_DEGRADED = {
    "no_model": "no language model is configured",
    "timeout": "the language model took too long",
    "rate_limited": "the language model has too many requests to answer",
    "unreachable": "the language model could not be reached",
    "unauthorized": "the language model's server refused the key",
    "model_not_found": "the language model is not on its server",
    "context_overflow": "the articles' passages are longer than the language model can read",
    "bad_output": "the language model's answer could not be checked against the articles",
    "quota": "the language model's quota is used up",
    "server_error": "the language model's server failed",
    "content_filter": "the language model's filter stopped the answer",
    "bad_request": "the language model's server refused the request",
    "length": "the language model's answer was cut off",
}


def unsure(confidence: float | None) -> bool:
    """Whether an answer of quotes should say that it may be none."""
    return confidence is not None and confidence < _SURE


def degraded_because(reason: str | None) -> str:
    """Why an answer is made of quotes though a written one was wanted, as a clause."""
    return _DEGRADED.get(reason or "", "the language model failed")
