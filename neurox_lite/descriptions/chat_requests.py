"""Requests to a chat-completions endpoint: one at a time, to the address that was given only."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from ipaddress import ip_address
from time import monotonic
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from neurox_lite.arguments import expect
from neurox_lite.descriptions.chat_answers import (
    Nonsense,
    Refused,
    TryAgain,
    in_few_words,
    read_content,
    said_by_model,
    said_of_error,
    seconds_of,
    server_of,
)
from neurox_lite.errors import InputError
from neurox_lite.version import __version__

PATH = "/chat/completions"
BUSY = (408, 429)
"""Client errors after which the same request may succeed; all server errors are such."""


class ChatServer:
    """Where requests go, and with which key.

    Parameters
    ----------
    url : str
        With or without ``/chat/completions`` at the end; https, or http to this machine.
    key_variable : str, optional
        The environment variable with the key, which is read for every request and kept nowhere.
    timeout : float
        Seconds that an answer may take.

    Raises
    ------
    InputError
        When it is no such address, or has a password, query or fragment, in which there may be a
        key.
    """

    def __init__(self, url: str, key_variable: str | None, timeout: float):
        self.url, is_local = _checked(url)
        self.key_variable = key_variable
        self.timeout = timeout
        # Requests to this machine do not go through a proxy.
        proxies = ProxyHandler({}) if is_local else ProxyHandler()
        self._opener: OpenerDirector = build_opener(proxies, _NoRedirects())
        self._needs_key = key_variable is not None and not is_local

    def check_key(self) -> None:
        """Raise InputError when there is no key where there should be one."""
        if self._needs_key and not self._key():
            raise InputError(
                f"{self.url}: the environment variable {self.key_variable} is not set; put the key "
                "there, or give key_variable=None if it needs none"
            )

    def complete(self, body: Mapping[str, Any]) -> str:
        """Send one request; the text of the answer.

        Raises TryAgain, Refused or Nonsense.
        """
        end = monotonic() + self.timeout
        try:
            with self._opener.open(self._request(body), timeout=self.timeout) as response:
                content = read_content(response, end)
        except HTTPError as error:
            with error:
                self._fail(error, end)
        except URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise Refused(f"its certificate is not valid ({error.reason.reason})") from None
            raise TryAgain(f"no connection ({in_few_words(error.reason)})") from None
        except (OSError, HTTPException) as error:
            raise TryAgain(f"the connection broke ({in_few_words(error)})") from None
        return said_by_model(content)

    def _key(self) -> str:
        key = os.environ.get(self.key_variable or "", "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise InputError(
                f"the environment variable {self.key_variable} holds no key, but text of several "
                "words or lines; correct it"
            )
        return key

    def _request(self, body: Mapping[str, Any]) -> Request:
        request = Request(self.url, json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        request.add_header("User-Agent", f"neurox_lite/{__version__}")
        if key := self._key():
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        return request

    def _fail(self, error: HTTPError, end: float) -> None:
        """Raise what a status other than success means."""
        status = f"HTTP {error.code}"
        if 300 <= error.code < 400:
            place = server_of(error.headers.get("Location", ""))
            raise Refused(f"redirects to {place}; if you trust that, give its address") from None
        if error.code in BUSY or error.code >= 500:
            raise TryAgain(status, seconds_of(error.headers.get("Retry-After"))) from None
        if error.code in (401, 403):
            # What it says of a key may have parts of it.
            where = "none was sent: give key_variable"
            if self.key_variable and self._key():
                where = f"that in {self.key_variable} was sent"
            raise Refused(f"{status}, it wants another key; {where}") from None
        try:
            said = said_of_error(read_content(error, end))
        except (OSError, HTTPException, Nonsense):
            said = ""
        if key := self._key():
            said = said.replace(key, "...")
        raise Refused(f"{status}{f' ({said})' if said else ''}") from None


class _NoRedirects(HTTPRedirectHandler):
    """Redirects are errors as any other status: anyone could send the key anywhere by one."""

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> None:
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _checked(url: str) -> tuple[str, bool]:
    """The address of chat completions, and whether it is on this machine."""
    expect(url, str, "url", "that of an endpoint, as 'https://host/v1'")
    wanted = "give an address such as https://host/v1, or http://localhost:8000/v1"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        host = ""
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"url: not the address of an endpoint; {wanted}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(
            f"url: {host} with a password, ? or #; {wanted}, and a key in an environment variable"
        )
    is_local = _is_local(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise InputError(
            f"url: {parts.scheme}://{host} is not encrypted, and not on this machine; {wanted}"
        )
    path = parts.path.rstrip("/")
    path = path if path.endswith(PATH) else path + PATH
    return f"{parts.scheme}://{parts.netloc}{path}", is_local


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
