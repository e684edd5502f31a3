"""A server on this machine that answers chat completions as a script says, or misbehaves."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Request number i is answered by ``script[i]``, those after the script by :func:`well`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = []
        self.requests = []  # (path, headers, body) of each
        self.released = threading.Event()  # ends what hangs

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def texts(self):
        """What it was asked about."""
        bodies = [body for _, _, body in self.requests]
        return [body["messages"][-1]["content"].rpartition("Text: ")[2] for body in bodies]

    def handle_error(self, request, client_address):
        """Broken connections are what is tested."""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        number = len(self.server.requests) - 1
        script = self.server.script
        (script[number] if number < len(script) else well)(self, body)

    do_GET = do_POST

    def send(self, content, status=200, headers=(), length=None):
        content = content if isinstance(content, bytes) else content.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def completion(content):
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


def well(handler, body):
    """The words of the text, as a list."""
    text = body["messages"][-1]["content"].rpartition("Text: ")[2]
    handler.send(completion(json.dumps(text.split())))


def saying(content, status=200, headers=()):
    return lambda handler, body: handler.send(content, status, headers)


def hangs(handler, body):
    handler.server.released.wait(5)


def drips(handler, body):
    """A byte at a time, each within the timeout."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.released.wait(0.02):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def closes(handler, body):
    handler.connection.close()


def ends_early(handler, body):
    handler.send('{"choices": [', length=1000)
    handler.connection.close()


def is_huge(handler, body):
    handler.send(completion("x" * (3 << 20)))


@contextmanager
def running():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
