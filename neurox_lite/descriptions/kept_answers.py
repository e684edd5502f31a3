"""Answers of an endpoint that are kept in a file as they come, so that nothing is asked twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neurox_lite.arguments import as_path
from neurox_lite.errors import InputError
from neurox_lite.escaping import json_line
from neurox_lite.files import refuse_file, write_errors
from neurox_lite.input_files import lines_of_input
from neurox_lite.locks import hold_lock, lock_of

FILE = "answers.jsonl"
FIRST_LINE = {"kind": "neurox_lite answers", "key": "of model, prompt and text"}


class KeptAnswers:
    """Answers by a key, in memory and, with a folder, in its file ``answers.jsonl``.

    The file is added to, one line an answer, and never rewritten: what was there when a run broke
    off is there for the next. Its lines hold keys and answers, neither texts nor secrets.

    Parameters
    ----------
    folder : path, optional
        Made when the first answer comes.

    Raises
    ------
    InputError
        When the folder is a file, or the file in it is another's.
    """

    def __init__(self, folder: str | Path | None = None):
        self.path = None if folder is None else as_path(folder, "folder") / FILE
        self._answers: dict[str, str] = {}
        if self.path is not None:
            refuse_file(self.path.parent)
            if self.path.exists():
                self._read(self.path)

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def __getitem__(self, key: str) -> str:
        return self._answers[key]

    def _read(self, path: Path) -> None:
        for number, line in enumerate(lines_of_input(path)):
            try:
                data = json.loads(line)
            except (ValueError, RecursionError):
                data = None  # of a run that was killed while it wrote
            if number == 0 and data != FIRST_LINE:
                raise InputError(
                    f"{path}: is no file of answers that neurox_lite keeps; give another folder"
                )
            if isinstance(data, dict) and isinstance(data.get("answer"), str):
                self._answers[str(data.get("key"))] = data["answer"]

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Let no other process add to the file while the block does.

        Raises InputError when another process does.
        """
        with ExitStack() as stack:
            if self.path is not None:
                with write_errors(self.path):
                    stack.enter_context(hold_lock(self.path, lock_of(self.path)))
                if self.path.exists():
                    self._read(self.path)  # what another process has added meanwhile
            yield

    def add(self, key: str, answer: str) -> None:
        """Keep an answer.

        Raises UnfinishedError when the disk is full or fails, InputError when it cannot be written.
        """
        self._answers[key] = answer
        if self.path is None:
            return
        with write_errors(self.path), self.path.open("ab+") as file:
            lines = [json_line({"key": key, "answer": answer})]
            if not file.tell():
                lines.insert(0, json_line(FIRST_LINE))
            else:
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    lines.insert(0, "")
            file.write("".join(f"{line}\n" for line in lines).encode())
