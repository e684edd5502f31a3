"""What is replaced, what is refused, and that no two processes write one output."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from neurox_lite.errors import InputError
from neurox_lite.files import atomic_write, write_text
from neurox_lite.json_files import json_text, write_json
from neurox_lite.locks import hold_lock
from neurox_lite.outputs import (
    atomic_write_folder,
    refuse_input,
    reserve_file,
    reserve_folder,
    result_names,
)
from neurox_lite.own_files import is_ours
from neurox_lite.public_names import public_name, public_names
from tests.processes import server


def content(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()
    }


# Only what is ours.


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("search.json", '{"kind": "Pod"}'),
        ("search.json", "my own notes"),
        ("search.png", "a picture"),
        ("search.csv", "rank;layer"),
        ("sub/search.json", "[1, 2]"),
    ],
)
def test_a_file_of_the_same_name_that_is_not_ours_is_refused(tmp_path, name, text):
    names = [*result_names("search"), "sub/search.json"]
    (tmp_path / "sub").mkdir()
    (tmp_path / name).write_text(text)
    (tmp_path / "thesis.tex").write_text("all of it")
    before = content(tmp_path)

    for attempt in (reserve_folder, atomic_write_folder):
        with (
            pytest.raises(InputError, match=r"was not written by neurox_lite.*move it away"),
            attempt(tmp_path, names),
        ):
            pytest.fail("the block ran")
    assert content(tmp_path) == before

    with pytest.raises(InputError, match="was not written"), atomic_write_folder(tmp_path) as new:
        (new / name).parent.mkdir(exist_ok=True)  # written without having been announced
        write_json(new / name, {})
        write_json(new / "another.json", {})
    assert content(tmp_path) == before


def test_ours_are_replaced_together_and_others_stay(tmp_path):
    names = ["a.json", "b.json", "[0-9][0-9]/c.json"]
    with atomic_write_folder(tmp_path, names) as new:
        write_json(new / "a.json", {"n": 1})
        write_json(new / "b.json", {"n": 1})
        (new / "00").mkdir()
        write_json(new / "00" / "c.json", {"n": 1})
    (tmp_path / "thesis.tex").write_text("all of it")
    before = content(tmp_path)

    with pytest.raises(RuntimeError), atomic_write_folder(tmp_path, names) as new:
        write_json(new / "a.json", {"n": 2})
        raise RuntimeError
    assert content(tmp_path) == before

    with atomic_write_folder(tmp_path, names) as new:
        write_json(new / "a.json", {"n": 2})
    assert {p.name for p in tmp_path.iterdir()} == {"a.json", "thesis.tex"}
    assert json.loads((tmp_path / "a.json").read_text())["n"] == 2


def test_what_neurox_lite_writes_is_known_as_its_own(tmp_path):
    import numpy as np
    from matplotlib.figure import Figure

    from neurox_lite.figures import save_figure
    from neurox_lite.neurons import NeuronSpace
    from neurox_lite.results.neuron_mask import NeuronMask
    from neurox_lite.results.ranking import NeuronRanking

    space = NeuronSpace.of_array(5)
    ranking = NeuronRanking.from_scores(space, np.arange(5.0), "m", classes=())
    for name in ("r.json", "r.csv"):
        ranking.save(tmp_path / name)
    NeuronMask.of(space, [1]).save(tmp_path)
    for suffix in ("png", "pdf", "svg"):
        save_figure(Figure(), tmp_path / f"figure.{suffix}")
    write_json(tmp_path / "plain.json", {"accuracy": 1})
    files = list(tmp_path.iterdir())
    assert len(files) == 8
    assert all(map(is_ours, files))

    figure = Figure()
    figure.savefig(tmp_path / "own.png")
    (tmp_path / "own.json").write_text('{"accuracy": 1}')
    (tmp_path / "link.json").symlink_to("own.json")
    for name in ("own.png", "own.json", "link.json", "."):
        assert not is_ours(tmp_path / name)


def test_a_file_in_place_of_the_folder_and_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"), reserve_folder(tmp_path / "file"):
        pytest.fail("the block ran")
    with pytest.raises(InputError, match="is a folder"), reserve_file(tmp_path, overwrite=True):
        pytest.fail("the block ran")


@pytest.mark.parametrize("as_link", [False, True])
def test_an_output_that_is_an_input(tmp_path, monkeypatch, as_link):
    model, corpus = tmp_path / "model", tmp_path / "my.conllu"
    model.mkdir()
    (model / "config.json").write_text("{}")
    corpus.write_text("")
    out = tmp_path / "link" if as_link else model
    if as_link:
        out.symlink_to(model)
    monkeypatch.chdir(model)
    for bad in (out, ".", "../model/", "../my.conllu"):
        with pytest.raises(InputError, match="is an input, too"):
            refuse_input(bad, None, "no/such/file", corpus, model)
    for bad in (out / "s.h5", "s.h5", out / "a" / "b"):
        with pytest.raises(InputError, match="is in the folder of the model"):
            refuse_input(bad, corpus, model)
    refuse_input(tmp_path / "out", corpus, model)
    refuse_input(tmp_path, corpus, model)


# Links and modes.


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "scratch" / "file")
    for number in (1, 2):
        write_json(tmp_path / "link.json", {"number": number})
        assert (tmp_path / "link.json").is_symlink()
        assert json.loads((tmp_path / "scratch" / "file").read_text())["number"] == number
    assert [p.name for p in (tmp_path / "scratch").iterdir()] == ["file"]


def test_a_link_to_a_file_that_is_not_ours(tmp_path):
    (tmp_path / "thesis.json").write_text('{"chapters": 5}')
    (tmp_path / "link.json").symlink_to("thesis.json")
    for attempt in (
        lambda: write_json(tmp_path / "link.json", {}),
        lambda: reserve_file(tmp_path / "link.json", overwrite=True).__enter__(),
    ):
        with pytest.raises(InputError, match=r"is a symbolic link to .*thesis\.json, which"):
            attempt()
    assert content(tmp_path)["thesis.json"] == '{"chapters": 5}'


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_every_kind_of_file_has_the_mode_of_the_users_umask(tmp_path, umask):
    import numpy as np
    from matplotlib.figure import Figure

    from neurox_lite.figures import save_figure
    from neurox_lite.neurons import NeuronSpace
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.results.neuron_mask import NeuronMask
    from neurox_lite.results.ranking import NeuronRanking

    space, X = NeuronSpace.of_array(5), np.random.default_rng(0).normal(size=(20, 5))
    before = os.umask(umask)
    try:
        out = tmp_path / "new" / "folder"
        NeuronMask.of(space, [1]).save(out)
        ElasticNetProbe(0.1).fit(X, np.arange(20) % 2).save(out)
        for name in ("r.json", "r.csv"):
            NeuronRanking.from_scores(space, np.arange(5.0), "m").save(out / name)
        for suffix in ("png", "pdf", "svg"):
            save_figure(Figure(), out / f"f.{suffix}")
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in out.iterdir()}
    assert len(modes) == 9
    assert set(modes.values()) == {0o666 & ~umask}
    for folder in (out, out.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~umask


# Names.


def test_names_that_do_not_say_where_something_lies(tmp_path, monkeypatch):
    snapshot = "models--org--bert/snapshots/0123abc"
    (tmp_path / snapshot).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert public_name(tmp_path / "bert") == public_name(f"{tmp_path}/bert/") == "bert"
    assert public_name("org/bert") == "org/bert"
    assert public_name(snapshot) == "org/bert"
    assert public_name(".") == tmp_path.name
    assert public_name("./bert") == "bert"
    assert public_names([tmp_path / "a" / "mask", "b/mask"]) == ["a/mask", "b/mask"]
    assert public_names(["a/x.json", "b/y.json"]) == ["x.json", "y.json"]


# Killed, and at the same time.


def hold(path, started, mode):
    """What a killed process was doing."""
    if mode == "write":
        with atomic_write(path) as partial:
            partial.write_text("half")
            started.set()
            time.sleep(60)
    elif mode == "write in":
        with atomic_write_folder(path, ["a.json"]) as new:
            write_json(new / "a.json", {})
            started.set()
            time.sleep(60)
    elif mode == "claim":
        with reserve_file(path, overwrite=True):
            started.set()
            time.sleep(60)


@pytest.mark.heavy
@pytest.mark.parametrize("mode", ["write", "write in", "claim"])
def test_another_process_is_refused_and_what_a_killed_one_left_is_removed(tmp_path, mode):
    path = tmp_path / ("folder" if mode == "write in" else "[file].txt")
    foreign = tmp_path / ".other.0123456789ab.partial"
    foreign.write_text("of another output")
    processes = server()
    started = processes.Event()
    process = processes.Process(target=hold, args=(path, started, mode))
    process.start()
    assert started.wait(60)

    def again():
        if mode == "write in":
            with atomic_write_folder(path, ["a.json"]) as new:
                write_json(new / "a.json", {})
        else:
            write_text(path, "new")

    with pytest.raises(InputError, match="another process writes there; wait for it"):
        again()
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(list(tmp_path.rglob(".*"))) > 1  # it did leave something
    again()
    assert {p.name for p in tmp_path.iterdir()} == {path.name, foreign.name}
    if mode == "write in":
        assert [p.name for p in path.iterdir()] == ["a.json"]


def compete(path, barrier, number, results):
    barrier.wait()
    file, is_folder = path, path.suffix != ".txt"
    claim = reserve_folder(path, ["a.json"], False) if is_folder else reserve_file(path, False)
    try:
        with claim:
            time.sleep(0.3)
            if is_folder:
                with atomic_write_folder(path, ["a.json"]) as new:
                    write_json(new / "a.json", {"number": number})
            else:
                write_text(file, f"whole {number}" * 1000)
        results.put(number)
    except InputError:
        results.put(None)


@pytest.mark.heavy
def test_of_processes_that_begin_together_one_writes(tmp_path):
    for name in ("0.txt", "1.txt", "folder"):
        path = tmp_path / name
        context = server()
        barrier, results = context.Barrier(4), context.Queue()
        processes = [
            context.Process(target=compete, args=(path, barrier, n, results)) for n in range(4)
        ]
        for process in processes:
            process.start()
        found = [results.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
        (winner,) = [number for number in found if number is not None]
        if name == "folder":
            assert json.loads((path / "a.json").read_text())["number"] == winner
            assert [p.name for p in path.iterdir()] == ["a.json"]
        else:
            assert path.read_text() == f"whole {winner}" * 1000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.txt", "1.txt", "folder"]


def test_a_foreign_file_named_as_a_lock_is_not_removed(tmp_path):
    (tmp_path / ".lock").write_text("of a package manager")
    with reserve_folder(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == "of a package manager"


def test_folders_made_for_nothing_are_removed(tmp_path):
    with pytest.raises(KeyError), reserve_folder(tmp_path / "a" / "b"):
        raise KeyError
    with pytest.raises(KeyError), hold_lock(tmp_path / "c" / "d", tmp_path / "c" / ".d.lock"):
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_results_of_earlier_versions_are_ours(tmp_path):
    """They have no checksum."""
    path = tmp_path / "evaluation.json"
    for kind in ("ablation curves", "elastic-net probe", "neuron mask", "agreement of rankings"):
        path.write_text(json_text({"kind": kind, "method": "m"}))
        assert is_ours(path)
    path.write_text(json_text({"test_accuracy": 0.5, "dev_accuracy": 0.5}))
    assert is_ours(path)
    arrays = tmp_path / "evaluation.safetensors"
    arrays.write_bytes(b"numbers")
    assert is_ours(arrays)  # as what is beside it says
    path.write_text(json_text({"kind": "my notes"}))
    assert not is_ours(path)
    assert not is_ours(arrays)
    path.write_text("{}")
    assert not is_ours(arrays)
