import hashlib
import math
import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.files import atomic_write, hash_file, refuse_file, require_absent, write_text
from neurox_lite.json_files import hash_json, read_json, write_json


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [None, "old"])
def test_a_failing_block_leaves_everything_as_it_was(tmp_path, stop, before):
    path = tmp_path / "file.txt"
    if before:
        path.write_text(before)

    with pytest.raises(stop), atomic_write(path) as partial:
        partial.write_text("half")
        raise stop

    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == (
        {"file.txt": "old"} if before else {}
    )


def test_the_file_appears_when_the_block_is_done(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"

    with atomic_write(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
        assert partial.parent == path.parent

    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_existing_is_refused_before_the_block_runs(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    with (
        pytest.raises(InputError, match=r"file\.txt: exists already.*--overwrite"),
        atomic_write(path, overwrite=False),
    ):
        pytest.fail("the block ran")

    assert path.read_text() == "old"


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(InputError, match="is a folder"), atomic_write(tmp_path):
        pytest.fail("the block ran")


@pytest.mark.parametrize("name", ["a\0b", "a" * 300])
def test_a_name_that_no_file_can_have(tmp_path, name):
    for use in (
        lambda: write_text(tmp_path / name, "x"),
        lambda: read_json(tmp_path / name),
        lambda: refuse_file(tmp_path / name),
        lambda: require_absent(tmp_path / name, overwrite=True),
    ):
        with pytest.raises(InputError, match="not a file name"):
            use()


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "folder").write_text("")

    with pytest.raises(InputError, match=r"cannot write there.*choose another"):
        write_text(tmp_path / "folder" / "file.txt", "text")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot write there"):
            write_text(tmp_path / "file.txt", "text")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_json_has_no_such_number(tmp_path, number):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "data.json", {"score": number})

    assert not list(tmp_path.iterdir())


def test_json_round_trip(tmp_path):
    data = {"ключ": [1, 0.1, None, True, "é"]}
    write_json(tmp_path / "data.json", data)

    assert read_json(tmp_path / "data.json") == data


def test_numbers_of_numpy_and_torch_are_saved_as_those_of_python(tmp_path):
    given = {
        "k": np.int64(3),
        "share": np.float32(0.5),
        "done": np.bool_(True),
        "zero": np.array(0),
        "counts": np.array([[1, 2], [3, 4]], dtype=np.uint8),
        "seeds": (np.int16(1), torch.tensor(2)),
        "per layer": {np.int64(1): {"n": np.int32(5)}},
        "name": np.str_("mean"),
    }
    plain = {
        "k": 3,
        "share": 0.5,
        "done": True,
        "zero": 0,
        "counts": [[1, 2], [3, 4]],
        "seeds": [1, 2],
        "per layer": {"1": {"n": 5}},
        "name": "mean",
    }
    write_json(tmp_path / "data.json", given)

    assert read_json(tmp_path / "data.json") == plain
    assert hash_json(given) == hash_json(plain)
    for number in (np.float32("nan"), np.array([1, np.inf])):
        with pytest.raises(InputError, match="cannot be saved as JSON"):
            write_json(tmp_path / "nan.json", {"share": number})
    with pytest.raises(InputError, match="cannot be saved as JSON"):
        write_json(tmp_path / "object.json", {"what": object()})


def test_reading_what_is_not_there_or_not_json(tmp_path):
    (tmp_path / "text").write_text("{")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    with pytest.raises(InputError, match=r"missing: cannot be read .*check the path"):
        read_json(tmp_path / "missing")
    for name in ("text", "binary"):
        with pytest.raises(InputError, match=f"{name}: is not valid JSON"):
            read_json(tmp_path / name)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans()), min_size=1))
def test_hash_json_sees_content_and_not_order(data):
    backwards = dict(reversed(data.items()))
    other = {**data, next(iter(data)): "something else"}

    assert hash_json({"a": data}) == hash_json({"a": backwards})
    assert (hash_json(other) == hash_json(data)) == (other == data)


def test_hash_file(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")

    assert hash_file(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()
