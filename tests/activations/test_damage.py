"""Whatever happens to a store's bytes, a read gives what was written, or one line."""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from neurox_lite.activations import separate_process
from neurox_lite.activations.checks import verify, verify_file
from neurox_lite.activations.checksums import END, MAGIC, DamagedError
from neurox_lite.activations.merge_shards import join, join_virtually
from neurox_lite.activations.separate_process import in_separate_process
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import StoreHeader, open_writer
from neurox_lite.cli.main import main
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

pytestmark = pytest.mark.heavy

N_SENTENCES = 40
CORPUS = TaggedCorpus([[f"word{i}", "東京", "x"][: 1 + i % 3] for i in range(N_SENTENCES)])
METADATA = {"model": "m", "revision": "r", "site": "hidden_states", "aggregation": "last"}
COUNTS = {"n_truncated_words": 0, "n_dropped_words": 0}
WIDTHS = {0: 3, 1: 5}


def write(path: Path, corpus: TaggedCorpus = CORPUS, dtype: str = "float32", seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    layers = {
        i: rng.normal(size=(corpus.n_words, width)).astype(np.float32)
        for i, width in WIDTHS.items()
    }
    with open_writer(path, corpus, dtype=dtype, metadata=METADATA) as writer:
        writer.append(layers)
        writer.finish(COUNTS)
    return path


def parts_of(folder: Path) -> tuple[list[Path], StoreHeader]:
    (folder / "shards").mkdir(parents=True)
    parts = [
        write(folder / "shards" / f"{number:05d}.h5", CORPUS.section(part), seed=number)
        for number, part in enumerate((range(15), range(15, 30), range(30, N_SENTENCES)))
    ]
    return parts, StoreHeader(CORPUS, {**METADATA, **COUNTS, "dtype": "float32"})


def write_folder(folder: Path) -> Path:
    parts, head = parts_of(folder)
    join_virtually(parts, head, folder / "store.h5")
    return folder


def everything(path: Path) -> tuple[object, ...]:
    with ActivationStore(path) as store:
        return (
            np.asarray(store.matrix()).tobytes(),
            store.words(),
            store.sentence_offsets.tolist(),
            store.missing.tolist(),
            store.special.tolist(),
            store.metadata,
        )


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurox_lite.activations.writer.CHUNK_BYTES", 200)


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """HDF5 must not have to look at what is damaged, not even in another process."""

    def refuse(*_: object) -> None:
        pytest.fail("a process was started")

    monkeypatch.setattr("neurox_lite.activations.layer_file.in_separate_process", refuse)


def flip(content: bytearray, start: int, size: int) -> None:
    content[start] ^= 1 << (start % 8)


def zero(content: bytearray, start: int, size: int) -> None:
    content[start : start + size] = bytes(len(content[start : start + size]))


def fill(content: bytearray, start: int, size: int) -> None:
    content[start : start + size] = b"\xff" * len(content[start : start + size])


def shift(content: bytearray, start: int, size: int) -> None:
    content[start : start + size] = content[start + 1 : start + size + 1]


@pytest.mark.parametrize(
    ("damage", "size", "step"),
    [
        (flip, 1, 61),
        (zero, 1, 97),
        (zero, 64, 83),
        (zero, 4096, 509),
        (fill, 16, 101),
        (shift, 32, 89),
    ],
)
@pytest.mark.parametrize("what", ["file", "store.h5", "shards/00001.h5"])
@pytest.mark.usefixtures("small_chunks", "no_process")
def test_any_damage_is_noticed_by_an_ordinary_read(
    tmp_path: Path, what: str, damage: Callable[[bytearray, int, int], None], size: int, step: int
) -> None:
    path = write(tmp_path / "s") if what == "file" else write_folder(tmp_path / "s")
    file = path if what == "file" else path / what
    before = everything(path)
    whole = file.read_bytes()
    for start in range(0, len(whole), step):
        content = bytearray(whole)
        damage(content, start, size)
        if content == whole:
            continue
        file.write_bytes(content)
        with pytest.raises(InputError) as raised:
            everything(path)
        message = str(raised.value)
        assert "\n" not in message
        assert str(file) in message
    file.write_bytes(whole)
    assert everything(path) == before


@pytest.mark.parametrize("folder", [False, True])
def test_a_file_that_is_cut_short(tmp_path: Path, folder: bool) -> None:
    path = write_folder(tmp_path / "s") if folder else write(tmp_path / "s")
    file = path / "store.h5" if folder else path
    before = everything(path)
    whole = file.read_bytes()
    length = END.unpack(whole[-END.size :])[0] + END.size
    for size in (
        0,
        1,
        8,
        100,
        2000,
        len(whole) - length - 1,
        len(whole) - length + 1,
        len(whole) - 1,
    ):
        file.write_bytes(whole[:size])
        with pytest.raises(InputError, match=str(file)):
            everything(path)
    file.write_bytes(whole[:-length])  # the checksums and nothing else: as in an older version
    assert everything(path) == before


@pytest.mark.usefixtures("small_chunks")
def test_a_damaged_chunk_is_named_and_the_others_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5")
    with h5py.File(path) as file:
        layer = file["layers/1"]
        rows, (whole, n_rows) = layer.chunks[0], (layer[:], len(layer))
        place = layer.id.get_chunk_info(2).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 5] ^= 1
    path.write_bytes(content)
    first, last = 2 * rows, 3 * rows - 1
    says = rf"s\.h5: damaged: layer 1: rows {first} to {last} are not those that were written"
    with ActivationStore(path) as store:
        for start, stop in ((0, n_rows), (first, first + 1), (last, last + 1), (first - 1, last)):
            with pytest.raises(DamagedError, match=says):
                store.layer(1)[start:stop]
        np.testing.assert_array_equal(store.layer(1)[:first], whole[:first])
        np.testing.assert_array_equal(store.layer(1)[last + 1 :], whole[last + 1 :])
        assert store.layer(0)[:].shape == (n_rows, 3)
        assert len(verify(store)) == 1
    with ActivationStore(path, check=False) as store:
        assert (store.layer(1)[:] != whole).sum() == 1


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.usefixtures("small_chunks")
def test_rows_of_a_shard_are_named_as_in_the_store(tmp_path: Path, dtype: str) -> None:
    parts = []
    (tmp_path / "s" / "shards").mkdir(parents=True)
    for number, part in enumerate((range(15), range(15, N_SENTENCES))):
        file = tmp_path / "s" / "shards" / f"{number:05d}.h5"
        parts.append(write(file, CORPUS.section(part), dtype))
    head = StoreHeader(CORPUS, {**METADATA, **COUNTS, "dtype": dtype})
    join_virtually(parts, head, tmp_path / "s" / "store.h5")
    with h5py.File(parts[1]) as opened:
        place = opened["layers/0"].id.get_chunk_info(0).byte_offset
    content = bytearray(parts[1].read_bytes())
    content[place] ^= 1
    parts[1].write_bytes(content)
    before = CORPUS.section(range(15)).n_words
    with ActivationStore(tmp_path / "s") as store:
        assert store.layer(0)[:before].shape == (before, 3)
        with pytest.raises(DamagedError, match=rf"00001\.h5: .*layer 0: rows {before} to"):
            store.layer(0)[before : before + 2]
        with pytest.raises(InputError, match=r"layer 0: rows"):  # not copied into another file
            join(parts, head, tmp_path / "joined.h5")
    assert not (tmp_path / "joined.h5").exists()


@pytest.mark.usefixtures("small_chunks")
def test_threads_and_processes_read_the_same(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "s")
    expected = np.asarray(ActivationStore(path).matrix())
    spans = [(start, start + 1 + start % 7) for start in range(0, len(expected) - 7)] * 5
    with ActivationStore(path) as store, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda span: store.matrix()[slice(*span)], spans))
    for (start, stop), rows in zip(spans, found, strict=True):
        np.testing.assert_array_equal(rows, expected[start:stop])
    with ActivationStore(path) as store:
        X = pickle.loads(pickle.dumps(store.matrix([1], rows=np.arange(3, 20))))
        np.testing.assert_array_equal(X[:], expected[3:20, 3:])


# Chunks of the usual size, of which a fast checksum is taken.

PAGE = 4096


def write_large(path: Path) -> tuple[Path, bytearray, int, int]:
    """A store with chunks of 1 MiB; its bytes, and where layer 1 begins and ends in them."""
    corpus = TaggedCorpus([["word"] * 700])
    rows = np.random.default_rng(0).normal(size=(700, PAGE // 4)).astype(np.float32)
    with open_writer(path, corpus, dtype="float32", metadata=METADATA) as writer:
        for start, stop in ((0, 1), (1, 255), (255, 257), (257, 600), (600, 700)):
            writer.append({0: rows[start:stop, :5], 1: rows[start:stop]})
        writer.finish(COUNTS)
    with h5py.File(path) as file:
        place = file["layers/1"].id.get_chunk_info(0).byte_offset
    return path, bytearray(path.read_bytes()), place, place + 700 * PAGE


def exchange(content: bytearray, first: int, second: int, size: int) -> None:
    a, b = content[first : first + size], content[second : second + size]
    content[first : first + size], content[second : second + size] = b, a


@pytest.mark.usefixtures("no_process")
def test_damage_of_large_chunks_is_noticed(tmp_path: Path) -> None:
    path, whole, start, stop = write_large(tmp_path / "s.h5")
    before = everything(path)
    rng = np.random.default_rng(0)
    kinds: list[tuple[Callable[..., None], int, int]] = [
        (flip, 1, 1),
        (zero, 512, 512),
        (zero, PAGE, PAGE),
        (zero, 1 << 20, 1 << 20),
        (shift, 1000, 4),
    ]
    for damage, size, step in kinds * 2:
        content = bytearray(whole)
        place = start + int(rng.integers((stop - start) // step)) * step
        damage(content, place, min(size, stop - place))
        path.write_bytes(content)
        number = (place - start) // (1 << 20)
        first, last = 256 * number, min(256 * number + 255, 699)
        with pytest.raises(DamagedError, match=rf"layer 1: rows {first} to {last} are not"):
            everything(path)
    for size in (512, PAGE, 1 << 20):
        for _ in range(3):
            first, second = rng.choice((stop - start) // size, 2, replace=False) * size + start
            swapped, doubled = bytearray(whole), bytearray(whole)
            exchange(swapped, first, second, size)
            doubled[second : second + size] = whole[first : first + size]
            for content in (swapped, doubled):
                path.write_bytes(content)
                with pytest.raises(DamagedError, match="layer 1: rows"):
                    everything(path)
    path.write_bytes(whole)
    assert everything(path) == before


def to_crc32(path: Path) -> Path:
    """Change the end of a file to that of an earlier version: chunks have a CRC-32."""
    content = path.read_bytes()
    length = END.unpack(content[-END.size :])[0]
    data, text = content[: -END.size - length], content[-END.size - length : -END.size]
    told = json.loads(text)
    for layer in told["layers"].values():
        assert layer.pop("kind") == "fast"
        size, left = layer["chunk_rows"] * layer["row_bytes"], layer["n_rows"] * layer["row_bytes"]
        layer["crc32"] = [
            zlib.crc32(data[start : start + min(size, left - number * size)])
            for number, start in enumerate(layer["starts"])
        ]
        assert len(layer.pop("values")) == len(layer["crc32"])
    text = json.dumps(told).encode()
    path.write_bytes(data + text + END.pack(len(text), zlib.crc32(text), b"neurox_lite CRC32"))
    return path


@pytest.mark.usefixtures("no_process")
def test_a_store_with_crc32_is_read_and_its_damage_noticed(tmp_path: Path) -> None:
    path, _, start, _ = write_large(tmp_path / "s.h5")
    before = everything(path)
    content = bytearray(to_crc32(path).read_bytes())
    assert everything(path) == before
    content[start] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="layer 1: rows 0 to 255 are not"):
        everything(path)


# Files without checksums: of an older version, or written by another program.


def strip(path: Path) -> Path:
    content = path.read_bytes()
    assert content.endswith(MAGIC)
    path.write_bytes(content[: -END.size - END.unpack(content[-END.size :])[0]])
    return path


def test_a_store_of_an_older_version_is_read(tmp_path: Path) -> None:
    one, folder = write(tmp_path / "s.h5"), write_folder(tmp_path / "s")
    before = everything(one), everything(folder)
    strip(one)
    strip(folder / "store.h5")
    assert (everything(one), everything(folder)) == before
    assert verify_file(one) == []


def test_hdf5_hangs_in_another_process_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A heap of zeros, in which HDF5 looks for a word for ever."""
    path = strip(write(tmp_path / "s.h5"))
    content = bytearray(path.read_bytes())
    place = content.index(b"GCOL") + 16
    content[place : place + 3000] = bytes(3000)
    path.write_bytes(content)
    monkeypatch.setattr(separate_process, "SILENT_SECONDS", 2.0)
    with pytest.raises(DamagedError, match=r"s\.h5: damaged") as raised:
        ActivationStore(path)
    assert "\n" not in str(raised.value)
    assert main(["inspect", str(path), "--verify", "--json"]) == 3
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 1


def crash(path: str) -> object:
    yield {"at": "layer 7"}
    import os
    import signal

    os.kill(os.getpid(), signal.SIGSEGV)


def hang(path: str) -> object:
    yield {"at": "layer 8"}
    import time

    time.sleep(60)


def test_a_process_that_crashes_or_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DamagedError, match="HDF5 crashes when it reads layer 7"):
        list(in_separate_process(crash, tmp_path / "s.h5"))
    monkeypatch.setattr(separate_process, "SILENT_SECONDS", 6.0)
    with pytest.raises(DamagedError, match="HDF5 gives no answer when it reads layer 8"):
        list(in_separate_process(hang, tmp_path / "s.h5"))


# `inspect --verify` names every problem.


def test_a_zeroed_block_of_the_virtual_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "s")
    file = folder / "store.h5"
    content = bytearray(file.read_bytes())
    place = content.index(b"GCOL")
    zero(content, place // 512 * 512, 4096)
    file.write_bytes(content)
    assert main(["inspect", str(folder)]) == 2
    assert "damaged: its words, attributes or index" in capsys.readouterr().err
    assert main(["inspect", str(folder), "--verify"]) == 3
    assert "damaged: its words, attributes or index" in capsys.readouterr().out


@pytest.mark.usefixtures("small_chunks")
def test_a_line_for_every_damaged_shard_and_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "s")
    for name, layer in (("00000", 0), ("00002", 1)):
        file = folder / "shards" / f"{name}.h5"
        with h5py.File(file) as opened:
            place = opened[f"layers/{layer}"].id.get_chunk_info(0).byte_offset
        content = bytearray(file.read_bytes())
        content[place] ^= 1
        file.write_bytes(content)
    file = folder / "shards" / "00001.h5"
    content = bytearray(file.read_bytes())
    content[content.index(b"revision")] ^= 1
    file.write_bytes(content)
    assert main(["inspect", str(folder), "--verify"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert sum("are not those that were written" in line for line in lines) == 3
    assert any(line.startswith("layer 0: its bytes in rows 0 to") for line in lines)
    assert any(line.startswith("layer 1: its bytes in rows") for line in lines)
    assert any("00001.h5: damaged: its words, attributes" in line for line in lines)


@pytest.mark.parametrize("stripped", [False, True])
def test_a_shard_that_an_ordinary_read_refuses_is_a_problem(tmp_path: Path, stripped: bool) -> None:
    """Also the only shard, and a shard without checksums."""
    folder = tmp_path / "s"
    (folder / "shards").mkdir(parents=True)
    shard = write(folder / "shards" / "00000.h5")
    head = StoreHeader(CORPUS, {**METADATA, **COUNTS, "dtype": "float32"})
    if stripped:
        strip(shard)
    join_virtually([shard], head, folder / "store.h5")
    assert verify_file(folder) == []
    content = shard.read_bytes()
    shard.write_bytes(content.replace(b"hidden_states", b"hidden_stateS"))
    with pytest.raises(DamagedError, match=r"00000\.h5"), ActivationStore(folder) as store:
        np.asarray(store.matrix())
    [problem] = verify_file(folder)
    assert "00000.h5" in problem


def test_what_cannot_be_read_is_not_called_zero(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "s")
    for shard in (folder / "shards").iterdir():
        shard.write_bytes(b"no HDF5".ljust(shard.stat().st_size))
    problems = verify_file(folder)
    assert problems
    assert not any("zero" in problem for problem in problems)
