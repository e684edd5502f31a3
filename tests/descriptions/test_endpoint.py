"""Also of ``neurox_lite.descriptions.chat_requests`` and what it answers, and what is kept.

That is ``neurox_lite.descriptions.chat_answers`` and ``neurox_lite.descriptions.kept_answers``.
"""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from neurox_lite.descriptions.descriptor_prompt import chat
from neurox_lite.descriptions.endpoint import FIRST, Endpoint
from neurox_lite.descriptions.proposals import propose_descriptors
from neurox_lite.errors import InputError, UnfinishedError
from tests.descriptions.misbehaving_server import (
    closes,
    completion,
    drips,
    ends_early,
    hangs,
    is_huge,
    running,
    saying,
    well,
)

KEY = "sk-secret-0123456789"
TEXTS = ["old cats", "dogs bark", "cats and dogs"]
ANSWERS = [text.split() for text in TEXTS]
BUSY = saying("busy", 503)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with running() as server:
        yield server


@pytest.fixture
def waits():
    return []


@pytest.fixture
def make(server, waits, tmp_path):
    """An endpoint of that server, which never really waits."""

    def made(**options):
        options = {"folder": tmp_path / "answers", "sleep": waits.append, "timeout": 30} | options
        return Endpoint(server.url, "some-model", **options)

    return made


def test_what_is_sent_where(server, make):
    endpoint = make()
    estimate = endpoint.estimate(TEXTS)
    assert server.requests == []  # nothing unless it is called

    assert endpoint(TEXTS) == ANSWERS
    assert len(server.requests) == estimate.n_requests == 3
    for text, (path, headers, body) in zip(TEXTS, server.requests, strict=True):
        assert path == "/v1/chat/completions"
        assert headers["Authorization"] == f"Bearer {KEY}"
        assert body == {
            "model": "some-model",
            "messages": chat(text),
            "temperature": 0,
            "max_tokens": 200,
        }


def test_options_and_no_key(server, make):
    make(key_variable=None, options={"max_completion_tokens": 9})(TEXTS[:1])
    _, headers, body = server.requests[0]
    assert "Authorization" not in headers
    assert body == {
        "model": "some-model",
        "messages": chat(TEXTS[0]),
        "max_completion_tokens": 9,
    }


def test_requests_and_tokens_are_told_before(make, caplog):
    caplog.set_level("INFO", "neurox_lite")
    endpoint = make()
    twice = [*TEXTS, TEXTS[0]]
    n_characters = sum(len(m["content"]) for text in TEXTS for m in chat(text))
    estimate = endpoint.estimate(twice)
    assert (estimate.n_texts, estimate.n_kept, estimate.n_requests) == (3, 0, 3)
    assert estimate.prompt_tokens == n_characters // 4 + 60
    assert estimate.answer_tokens == 600
    endpoint(twice)
    assert f"3 requests to some-model, about {estimate.prompt_tokens:,} tokens" in caplog.text
    assert endpoint.estimate(twice).n_requests == 0


def test_a_run_that_broke_off_goes_on_and_asks_nothing_twice(server, make, tmp_path):
    server.script = [well, *[BUSY] * 3]
    with pytest.raises(UnfinishedError) as failed:
        make(n_tries=3)(TEXTS)
    path = tmp_path / "answers/answers.jsonl"
    assert str(failed.value) == (
        f"{server.url}/chat/completions: HTTP 503, after 3 attempts; "
        f"1 answers are kept in {path}: run the same again later"
    )
    with path.open("a") as file:
        file.write('{"key": "killed while it wr')

    assert propose_descriptors(make(), TEXTS) == [tuple(answer) for answer in ANSWERS]
    assert server.texts == [TEXTS[0], *[TEXTS[1]] * 4, TEXTS[2]]
    assert make()(TEXTS) == ANSWERS
    assert len(server.requests) == 6
    # Another model, other options: other answers.
    make(options={"temperature": 1})(TEXTS[:1])
    assert len(server.requests) == 7
    assert [path.name for path in tmp_path.rglob("*")] == ["answers", "answers.jsonl"]


def test_answers_are_kept_in_memory_without_a_folder(server, make, tmp_path):
    endpoint = make(folder=None)
    assert endpoint(TEXTS) == endpoint(TEXTS) == ANSWERS
    assert len(server.requests) == 3
    server.script = [well] * 3 + [BUSY]
    endpoint.n_tries = 1
    with pytest.raises(UnfinishedError, match="3 answers are kept in memory only"):
        endpoint(["other"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "trouble", [BUSY, saying("", 429), closes, ends_early, saying("", 500), saying("x", 408)]
)
def test_what_may_pass_is_tried_again_after_longer_and_longer(server, make, waits, trouble):
    server.script = [trouble] * 4
    assert make()(TEXTS[:1]) == ANSWERS[:1]
    assert waits == [1, 2, 4, 8]


@pytest.mark.parametrize("trouble", [hangs, drips])
def test_what_takes_too_long_is_tried_again(server, make, waits, trouble):
    server.script = [trouble]
    assert make(timeout=0.2)(TEXTS[:1]) == ANSWERS[:1]
    assert waits[0] == 1


def test_a_server_that_is_away_is_said_in_one_line(waits):
    with running() as gone:
        endpoint = Endpoint(gone.url, "x", sleep=waits.append)
    with pytest.raises(UnfinishedError, match=r"no connection .*after 6 attempts") as failed:
        endpoint(TEXTS)
    assert waits == [1, 2, 4, 8, 16]
    assert "\n" not in str(failed.value)


def test_the_wait_is_what_the_server_asks_for(server, make, waits):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    asked = ["7", "0", date, "soon", "-3", "nan"]
    server.script = [saying("", 429, [("Retry-After", value)]) for value in asked]
    assert make(n_tries=7)(TEXTS[:1]) == ANSWERS[:1]
    assert waits[:2] == [7, 0]
    assert 95 < waits[2] <= 100
    assert waits[3:] == [8, 16, 32]


def test_a_server_that_asks_for_hours_is_left(server, make, waits):
    server.script = [saying("", 429, [("Retry-After", "3600")])]
    with pytest.raises(UnfinishedError, match="HTTP 429, and asks to wait 3600 s; 0 answers"):
        make()(TEXTS)
    assert waits == []


@pytest.mark.parametrize(
    "nonsense",
    [
        saying("<html><body>Welcome</body></html>"),
        saying(""),
        saying("[]"),
        saying("7"),
        saying("[" * 100_000),
        saying(b"\xff\xfe\xff"),
        saying('{"choices": []}'),
        saying('{"choices": [{"message": null}]}'),
        saying('{"error": {"message": "overloaded"}}'),
        saying(completion("")),
        saying(completion(None)),
        saying(completion("<!DOCTYPE html><html></html>")),
        is_huge,
    ],
)
def test_nonsense_is_asked_once_more_and_then_is_no_descriptors(server, make, caplog, nonsense):
    server.script = [nonsense, well, nonsense, nonsense]
    assert make()(TEXTS) == [ANSWERS[0], [], ANSWERS[2]]
    assert server.texts == [TEXTS[0], TEXTS[0], TEXTS[1], TEXTS[1], TEXTS[2]]
    assert "1 of 3 answers are no chat completions" in caplog.text
    # It is not kept: another run asks again.
    assert make()(TEXTS) == ANSWERS


def test_nothing_but_nonsense_ends_soon(server, make):
    server.script = [saying("<html></html>")] * 1000
    with pytest.raises(InputError, match="none of its first 10 answers is a chat completion, but"):
        make()([f"text {number}" for number in range(100)])
    assert len(server.requests) == 2 * FIRST


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (
            400,
            '{"error": {"message": "too long"}}',
            r"HTTP 400 \(too long\), at the text 'old cats'; 0 answers are kept",
        ),
        (404, '{"error": "no such model"}', r"HTTP 404 \(no such model\)"),
        (422, '{"detail": "x"}', r"HTTP 422 \(x\)"),
        (400, "<html>", "HTTP 400, at the text 'old cats'; 0 answers"),
        (400, json.dumps({"message": f"{KEY} is wrong\n"}), r"HTTP 400 \(\.\.\. is wrong\)"),
        (
            401,
            '{"error": {"message": "wrong: sk-se***6789"}}',
            "401, it wants another key; that in",
        ),
        (403, "", "HTTP 403, it wants another key; that in OPENAI_API_KEY was sent"),
    ],
)
def test_refusals_end_at_once(server, make, waits, status, content, message):
    server.script = [saying(content, status)]
    with pytest.raises(InputError, match=message) as failed:
        make()(TEXTS)
    assert len(server.requests) == 1
    assert waits == []
    assert "sk-" not in str(failed.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(server, make, status):
    with running() as other:
        for place in (other.url, f"{server.url}/elsewhere"):
            server.requests.clear()
            server.script = [saying("", status, [("Location", place)])]
            with pytest.raises(InputError, match=r"redirects to http://127\.0\.0\.1:"):
                make()(TEXTS)
            assert len(server.requests) == 1
        assert other.requests == []


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://me:secret@example.org/x?key=y", r"redirects to https://example\.org; if"),
        ("/elsewhere", "redirects to another path"),
        ("http://[", "redirects to nowhere"),
        ("file:///etc/passwd", "redirects to another path"),
    ],
)
def test_where_a_redirect_points_to_is_told(server, make, location, told):
    server.script = [saying("", 302, [("Location", location)])]
    with pytest.raises(InputError, match=told):
        make()(TEXTS)


def test_the_key_is_nowhere(server, make, tmp_path, caplog, monkeypatch):
    caplog.set_level("DEBUG")
    endpoint = make()
    server.script = [BUSY, saying("<html>")]
    endpoint(TEXTS)
    files = "".join(path.read_text() for path in tmp_path.rglob("*.*"))
    assert not any(text in files for text in TEXTS)
    for shown in (
        repr(endpoint),
        str(vars(endpoint)),
        str(vars(endpoint._server)),
        caplog.text,
        files,
    ):
        assert KEY not in shown
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nX-Other: 1")
    with pytest.raises(InputError, match="OPENAI_API_KEY holds no key") as failed:
        endpoint(["other"])
    assert KEY not in str(failed.value)


def test_a_key_is_needed_elsewhere_only(monkeypatch, server, make):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(InputError, match="variable OPENAI_API_KEY is not set; put the key there"):
        Endpoint("https://example.org/v1", "x")(TEXTS)
    assert make()(TEXTS) == ANSWERS
    assert "Authorization" not in server.requests[0][1]
    server.script = [well] * 3 + [saying("", 401)]
    with pytest.raises(InputError, match="none was sent: give key_variable"):
        make()(["other"])


def test_no_proxy_between_here_and_here(make, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert make()(TEXTS) == ANSWERS


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.org/v1", "http://example.org is not encrypted"),
        ("http://localhost.example.org/v1", "is not encrypted"),
        ("http://127.0.0.1.example.org", "is not encrypted"),
        ("file:///etc/passwd", "not the address"),
        ("ftp://localhost/v1", "is not encrypted"),
        ("localhost:8000/v1", "not the address"),
        ("https://me:secret@example.org/v1", "with a password"),
        ("https://example.org/v1?key=secret", "with a password"),
        ("https://example.org:port/v1", "not the address"),
        ("https://a..b/v1", "not the address"),
        ("https://example.org/v1\r\nX: 1", "not the address"),
        ("https://example.org/v 1", "not the address"),
        ("", "not the address"),
        (None, "url is None"),
    ],
)
def test_bad_addresses_are_refused(url, message):
    with pytest.raises(InputError, match=message) as failed:
        Endpoint(url, "model")
    assert "secret" not in str(failed.value)


def test_addresses_are_completed():
    for url in ("https://example.org/v1", "https://example.org/v1/chat/completions/"):
        wanted = "Endpoint('https://example.org/v1/chat/completions', 'x')"
        assert repr(Endpoint(url, "x")) == wanted
    for host in ("localhost", "127.0.0.1", "[::1]"):
        Endpoint(f"http://{host}:8000/v1", "x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout is 0.0; give a number above 0"),
        ({"n_tries": 0}, "n_tries is 0; give at least 1"),
        ({"key_variable": 5}, "key_variable is 5"),
        ({"options": {"messages": []}}, "options: messages is not one of them"),
        ({"options": {"x": object()}}, "cannot be saved as JSON"),
        ({"options": [1]}, "options is a list"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Endpoint("https://example.org/v1", "x", **options)


def test_a_file_of_others_is_left_alone(make, tmp_path, server):
    path = tmp_path / "answers/answers.jsonl"
    path.parent.mkdir()
    path.write_text('{"id": 1}\n')
    with pytest.raises(InputError, match="is no file of answers that neurox_lite keeps"):
        make()
    with pytest.raises(InputError, match="is a file; give a folder"):
        make(folder=path)
    assert path.read_text() == '{"id": 1}\n'
    path.write_text("")
    assert make()(TEXTS) == ANSWERS


def test_two_processes_do_not_add_to_one_file(make):
    first, second = make(), make()
    with first._kept.adding(), pytest.raises(InputError, match="another process writes there"):
        second(TEXTS)
    first(TEXTS[:2])
    assert second(TEXTS) == ANSWERS  # and what the first has asked is not asked again
    assert len(second._kept) == 3


def test_what_a_model_says_is_kept_as_it_is(server, make, tmp_path):
    said = '["\ud800 caf\u00e9 \u202e", "x"]' + "y" * 30_000
    server.script = [saying(completion(said))]
    make()(["half \ud800"])
    assert server.texts == ["half ?"]
    lines = (tmp_path / "answers/answers.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["answer"] == said[:20_000]
    assert make()(["half \ud800"]) == [["\ud800 caf\u00e9 \u202e", "x"]]
