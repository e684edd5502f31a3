"""Descriptors proposed by a language model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from neurox_lite.arguments import expect, positive_number, shown, strings, whole_number
from neurox_lite.descriptions.chat_answers import Nonsense, Refused, TryAgain
from neurox_lite.descriptions.chat_requests import ChatServer
from neurox_lite.descriptions.descriptor_prompt import chat
from neurox_lite.descriptions.descriptor_text import parse_answer
from neurox_lite.descriptions.kept_answers import KeptAnswers
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.json_files import hash_json, json_text
from neurox_lite.progress import tqdm

logger = logging.getLogger(__name__)

OPTIONS: Mapping[str, Any] = MappingProxyType({"temperature": 0, "max_tokens": 200})
MAX_WAIT = 300
"""Seconds between two tries; a server that asks for more is asked again in another run."""

MAX_KEPT = 20_000
"""Characters of an answer that are kept."""

FIRST = 10
"""Texts after which it ends, when there was no answer yet that is one."""

BYTES_PER_TOKEN = 4
PER_REQUEST = 20
"""Tokens of a prompt around its messages."""


@dataclass(frozen=True)
class RequestEstimate:
    """What asking about some texts will take, if nothing has to be asked again.

    Attributes
    ----------
    n_texts : int
        Distinct ones.
    n_kept : int
        Of these, texts whose answers are kept.
    n_requests : int
    prompt_tokens : int
        Of all requests, at four bytes a token: some 30 % too many or too few.
    answer_tokens : int
        The most there can be.
    """

    n_texts: int
    n_kept: int
    n_requests: int
    prompt_tokens: int
    answer_tokens: int


class Endpoint:
    """Asks a language model elsewhere for descriptors, for :func:`.propose_descriptors`.

    **What is sent, and where.** Nothing before it is called. Then every text that is not answered
    yet goes to ``url``, in a request of its own with the prompt in
    ``neurox_lite/descriptions/descriptor_prompt.py``, and with the key in the environment variable
    ``key_variable`` as its bearer token. Redirects are not followed. How many requests there will
    be, and about how many tokens, is logged before the first; :meth:`estimate` tells it before.

    **What is kept.** Answers, as they come, in ``answers.jsonl`` in ``folder``, under a hash of
    model, prompt, options and text: the same texts are never asked about twice. No text is kept,
    and no key kept, logged or shown.

    A busy server (HTTP 429 or 5xx), a timeout and a broken connection are tried again, after 1, 2,
    4, ... seconds or what the server asks for. An answer that is no chat completion is asked for
    once more, and then counts as no descriptors; it is not kept.

    Parameters
    ----------
    url : str
        Of an OpenAI-compatible API, such as ``https://api.openai.com/v1`` or, of a server on this
        machine, ``http://localhost:8000/v1``. Others than on this machine by https only.
    model : str
        The name of the model there.
    key_variable : str, optional
        The environment variable with the key; None to send none.
    folder : path, optional
        Where answers are kept; by default in memory only.
    options : mapping
        More fields of every request. Some models take ``max_completion_tokens``, and no
        temperature.
    timeout : float
        Seconds for one answer.
    n_tries : int
        How often a request is sent at most.
    sleep : callable
        Waits for some seconds.

    Raises
    ------
    InputError
        When the address, an option or the folder cannot be used.
    """

    batches_itself = True

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key_variable: str | None = "OPENAI_API_KEY",
        folder: str | Path | None = None,
        options: Mapping[str, Any] = OPTIONS,
        timeout: float = 60,
        n_tries: int = 6,
        sleep: Callable[[float], None] = time.sleep,
    ):
        if key_variable is not None:
            expect(key_variable, str, "key_variable", "the name of an environment variable")
        self.model = expect(model, str, "model", "the name of a model of the endpoint")
        self.options = dict(expect(options, Mapping, "options", "a mapping"))
        json_text(self.options)
        if fixed := {"model", "messages", "stream", "n"} & self.options.keys():
            raise InputError(f"options: {min(fixed)} is not one of them; leave it out")
        self.n_tries = whole_number(n_tries, "n_tries", least=1)
        self._server = ChatServer(url, key_variable, positive_number(timeout, "timeout"))
        self._kept = KeptAnswers(folder)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"Endpoint({self._server.url!r}, {self.model!r})"

    def estimate(self, texts: Sequence[str]) -> RequestEstimate:
        """How many requests and tokens these texts will take; sends nothing."""
        distinct = list(dict.fromkeys(strings(texts, "texts")))
        bodies = [body for body in map(self._body, distinct) if hash_json(body) not in self._kept]
        n_bytes = sum(
            len(message["content"].encode()) for body in bodies for message in body["messages"]
        )
        limits = ("max_tokens", "max_completion_tokens")
        most = next((self.options[name] for name in limits if name in self.options), 200)
        return RequestEstimate(
            n_texts=len(distinct),
            n_kept=len(distinct) - len(bodies),
            n_requests=len(bodies),
            prompt_tokens=n_bytes // BYTES_PER_TOKEN + PER_REQUEST * len(bodies),
            answer_tokens=int(most) * len(bodies),
        )

    def __call__(self, texts: Sequence[str]) -> list[list[str]]:
        """For each text what the model answers, read as descriptors; sends what is not kept yet.

        Raises
        ------
        UnfinishedError
            When the server is busy or away, however often it is asked, or the disk is full. What
            was answered until then is kept, and the same call goes on from there.
        InputError
            When it refuses a request, or all its first answers are no chat completions.
        """
        texts = strings(texts, "texts")
        with self._kept.adding():
            missing = self._announce(texts)
            n_nonsense = 0
            for number, text in enumerate(
                tqdm(missing, desc=self.model, unit="request", disable=None, delay=2), start=1
            ):
                reason = self._ask(text)
                n_nonsense += reason is not None
                if n_nonsense == number == FIRST:
                    raise InputError(
                        f"{self._server.url}: none of its first {FIRST} answers is a chat "
                        f"completion, but {reason}; check address and model"
                    )
        if n_nonsense:
            logger.warning(
                "%s: %s of %s answers are no chat completions, also when asked again; these texts "
                "have no descriptors",
                self._server.url,
                f"{n_nonsense:,}",
                f"{len(missing):,}",
            )
        keys = [hash_json(self._body(text)) for text in texts]
        return [parse_answer(self._kept[key]) if key in self._kept else [] for key in keys]

    def _announce(self, texts: Sequence[str]) -> list[str]:
        """The texts to ask about, after saying how many they are."""
        estimate = self.estimate(texts)
        distinct = dict.fromkeys(texts)
        missing = [text for text in distinct if hash_json(self._body(text)) not in self._kept]
        if missing:
            self._server.check_key()
            logger.info(
                "%s: %s requests to %s, about %s tokens in prompts and at most %s in answers; %s "
                "answers are there already",
                self._server.url,
                f"{estimate.n_requests:,}",
                self.model,
                f"{estimate.prompt_tokens:,}",
                f"{estimate.answer_tokens:,}",
                f"{estimate.n_kept:,}",
            )
        return missing

    def _body(self, text: str) -> dict[str, Any]:
        return {"model": self.model, "messages": chat(text), **self.options}

    def _ask(self, text: str) -> str | None:
        """Ask about a text and keep the answer, or return why there is none."""
        body = self._body(text)
        try:
            answer = self._answer(body, text)
        except Nonsense:
            try:
                answer = self._answer(body, text)
            except Nonsense as error:
                return str(error)
        self._kept.add(hash_json(body), answer[:MAX_KEPT])
        return None

    def _answer(self, body: Mapping[str, Any], text: str) -> str:
        """Send a request until it is answered."""
        for number in range(1, self.n_tries + 1):
            try:
                return self._server.complete(body)
            except Refused as error:
                raise InputError(
                    f"{self._server.url}: {error}, at the text {shown(text)}; "
                    f"{self._what_is_kept()}"
                ) from None
            except TryAgain as error:
                wait = min(2 ** (number - 1), MAX_WAIT) if error.wait is None else error.wait
                reason = str(error)
            if number == self.n_tries:
                reason += f", after {number} attempt{'s' if number > 1 else ''}"
                break
            if wait > MAX_WAIT:
                reason += f", and asks to wait {wait:.0f} s"
                break
            logger.info("%s: %s; again in %.0f s", self._server.url, reason, wait)
            self._sleep(wait)
        raise UnfinishedError(
            f"{self._server.url}: {reason}; {self._what_is_kept()}: run the same again later"
        )

    def _what_is_kept(self) -> str:
        where = self._kept.path or "memory only, for want of folder="
        return f"{len(self._kept):,} answers are kept in {where}"
