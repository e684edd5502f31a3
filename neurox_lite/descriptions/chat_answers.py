"""What an endpoint answers: a chat completion, an error, or nonsense."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

MAX_BYTES = 1 << 20
"""Of an answer; what is longer is none."""

MAX_MESSAGE = 200
"""Characters of what a server says that are shown."""


class TryAgain(Exception):
    """A request that may succeed later: a busy server, a broken connection.

    ``wait`` are the seconds that the server asks for, if it does.
    """

    def __init__(self, reason: str, wait: float | None = None):
        super().__init__(reason)
        self.wait = wait


class Refused(Exception):
    """A request that will never succeed."""


class Nonsense(Exception):
    """An answer that is no chat completion, or an empty one."""


def read_content(response: Any, end: float) -> bytes:
    """The content, if it comes in time and is not too long."""
    content = b""
    while block := response.read1(1 << 16):
        content += block
        if len(content) > MAX_BYTES:
            raise Nonsense(f"more than {MAX_BYTES >> 20} MiB")
        if monotonic() > end:
            raise TimeoutError("timed out")
    if response.length:
        raise ConnectionError("it ended early")
    return content


def said_by_model(content: bytes) -> str:
    """What the model says in an answer."""
    try:
        text = json.loads(content)["choices"][0]["message"]["content"]
    except (ValueError, RecursionError):
        raise Nonsense("no JSON") from None
    except (LookupError, TypeError):
        raise Nonsense("no choices") from None
    if not isinstance(text, str) or not text.strip():
        raise Nonsense("an empty answer")
    if text.lstrip().lower().startswith(("<!doctype", "<html")):
        raise Nonsense("an HTML page")
    return text


def said_of_error(content: bytes) -> str:
    """The message of an error, in the forms in which servers have it."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    for name in ("error", "message", "detail"):
        data = data.get(name, data) if isinstance(data, dict) else data
    return " ".join(data.split())[:MAX_MESSAGE] if isinstance(data, str) else ""


def seconds_of(value: str | None) -> float | None:
    """Of a Retry-After header: a number, or a date."""
    try:
        seconds = float(value or "")
    except ValueError:
        try:
            date = parsedate_to_datetime(value or "")
        except ValueError:
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - datetime.now(UTC)).total_seconds()
    return seconds if 0 <= seconds < float("inf") else None


def server_of(location: str) -> str:
    """Where a Location header points to, without what may be secret in it."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "nowhere"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}"[:MAX_MESSAGE] if host else "another path"


def in_few_words(error: Any) -> str:
    """In a few words; never the request."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:MAX_MESSAGE]
