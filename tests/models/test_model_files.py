"""Where a model's files are, that none of them can run anything, and what identifies them."""

import json
import pickle
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import load_file, save_file

import neurox_lite as nx
from neurox_lite.errors import InputError
from neurox_lite.models import model_files
from neurox_lite.models.loading import load_model
from neurox_lite.models.model_files import model_revision


@pytest.fixture
def folder(make_model, tmp_path):
    """A copy of the tiny BERT that a test may damage."""
    return shutil.copytree(make_model("bert"), tmp_path / "model")


@pytest.fixture
def hub(make_model, tmp_path, monkeypatch):
    """The tiny BERT as org/bert in the cache of the hub; gives the folder of its files."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    repository, commit = tmp_path / "hub/models--org--bert", "c0ffee" * 6 + "c0ff"
    files = shutil.copytree(make_model("bert"), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(commit)
    return files


class Opens:
    """A pickle that makes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def pickled(path, trace):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(pickle.dumps(Opens(trace)))
    return path


def test_the_pickle_of_these_tests_does_make_a_file(tmp_path):
    pickle.loads(pickled(tmp_path / "x.bin", tmp_path / "trace").read_bytes()).close()
    assert (tmp_path / "trace").exists()


def split(folder, shard="part-1.safetensors", index="model.safetensors.index.json"):
    """Weights in a shard of this name, as far as an index can name one."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").rename(folder / "part-1.safetensors")
    names = dict.fromkeys(weights, shard)
    (folder / index).write_text(json.dumps({"metadata": {}, "weight_map": names}))


def test_weights_in_shards(folder):
    expected = load_model(folder, device="cpu")
    split(folder)
    loaded = load_model(folder, device="cpu")
    assert torch.equal(loaded.model.pooler.dense.weight, expected.model.pooler.dense.weight)

    weights = load_file(folder / "part-1.safetensors")
    weights["pooler.dense.weight"] += 1
    save_file(weights, folder / "part-1.safetensors", {"format": "pt"})
    assert model_revision(str(folder)) != loaded.revision


BAD_NAMES = [
    "pytorch_model.bin",
    "part-1.safetensors.bin",
    "part-1.SAFETENSORS",
    "part-1.pt",
    "part-1.pkl",
    "part-1",
    "../part-1.safetensors",
    "../part-1.bin",
    "sub/part-1.safetensors",
    "./part-1.safetensors",
    "sub\\part-1.safetensors",
    ".safetensors",
    "",
]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("where", ["index", "variant", "configuration"])
def test_only_safetensors_in_its_own_folder_are_read(folder, tmp_path, name, where):
    trace = tmp_path / "trace"
    if name and "\\" not in name:
        pickled(folder / name, trace)
    if where == "configuration":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "transformers_weights": name}))
    else:
        variant = ".fp16" if where == "variant" else ""
        split(folder, name, f"model{variant}.safetensors.index.json")

    with pytest.raises(InputError, match=r"only safetensors in its own folder are read") as caught:
        load_model(folder, device="cpu")
    assert str(caught.value).startswith(f"{folder}: names {name!r} for its weights")
    assert not trace.exists()


def test_an_absolute_name(folder, tmp_path):
    split(folder, str(folder / "part-1.safetensors"))
    with pytest.raises(InputError, match="only safetensors in its own folder are read"):
        load_model(folder, device="cpu")


def test_a_pickle_called_safetensors_is_not_unpickled(folder, tmp_path):
    split(folder)
    pickled(folder / "part-1.safetensors", tmp_path / "trace")
    with pytest.raises(InputError, match="the model cannot be loaded"):
        load_model(folder, device="cpu")
    assert not (tmp_path / "trace").exists()


def test_the_configuration_may_name_a_file_of_safetensors(folder):
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["transformers_weights"] = "other.safetensors"
    (folder / "config.json").write_text(json.dumps(config))
    assert load_model(folder, device="cpu").model.config.num_hidden_layers == 2


@pytest.mark.parametrize("content", ["[]", "{}", '{"weight_map": []}', '{"weight_map": {}}', "x"])
def test_a_damaged_index(folder, content):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(InputError, match=r"index\.json: (has no weight_map|is not valid JSON)"):
        load_model(folder, device="cpu")


UNREAD = [
    "pytorch_model.bin",
    "adapter_model.bin",
    "training_args.bin",
    "optimizer.pt",
    "vocab.pkl",
]


@pytest.mark.parametrize("name", UNREAD)
def test_pickles_beside_the_weights_are_neither_read_nor_hashed(folder, tmp_path, name):
    before = model_revision(str(folder))
    pickled(folder / name, tmp_path / "trace")
    assert load_model(folder, device="cpu").revision == before
    assert not (tmp_path / "trace").exists()


def test_changed_pickled_weights_never_give_back_an_old_store(folder, tmp_path):
    """They would have been read and not hashed."""
    corpus = nx.TaggedCorpus([["the", "cat"]])
    nx.extract(folder, corpus, tmp_path / "store.h5", device="cpu").close()
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    split(folder, "pytorch_model.bin")
    with pytest.raises(InputError):
        nx.extract(folder, corpus, tmp_path / "store.h5", device="cpu")


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer.model",
        "source.spm",
        "vocab.txt",
        "dict.txt",
        "merges.txt",
        "vocab.bpe",
        "bpe.codes",
        "prophetnet.tokenizer",
        "ernie.vocab",
        "qwen.tiktoken",
        "chat_template.jinja",
        "special_tokens_map.json",
        "vocab",
        "other.safetensors",
    ],
)
def test_the_revision_is_of_every_file_that_may_be_read(folder, name):
    before = model_revision(str(folder))
    (folder / name).write_text("one")
    first = model_revision(str(folder))
    (folder / name).write_text("two")
    assert len({before, first, model_revision(str(folder))}) == 3


def test_a_changed_tokenizer_is_another_model(folder, tmp_path):
    corpus = nx.TaggedCorpus([["the", "cat"]])
    with nx.extract(folder, corpus, tmp_path / "store.h5", device="cpu"):
        pass
    text = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(text.replace('"lowercase": true', '"lowercase": false'))
    assert (folder / "tokenizer.json").read_text() != text
    with pytest.raises(InputError, match="exists already"):
        nx.extract(folder, corpus, tmp_path / "store.h5", device="cpu")


@pytest.mark.parametrize("key", ["vocab", "merges", "fast_tokenizer_files"])
def test_a_vocabulary_outside_of_the_folder_is_not_read(folder, tmp_path, key):
    outside = tmp_path / "tokenizer.4.0.0.json"
    shutil.copy(folder / "tokenizer.json", outside)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config[key] = [str(outside)] if key == "fast_tokenizer_files" else str(outside)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=rf"names '{outside}' as {key}; only the tokenizer in its"):
        load_model(folder, device="cpu")


def test_paths_in_a_configuration_that_are_not_read(folder, tmp_path):
    """As saved tokenizers have them."""
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config |= {"tokenizer_file": "/no/tokenizer.json", "vocab_file": "/no/vocab.txt"}
    config |= {"fast_tokenizer_files": ["tokenizer.json"]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert load_model(folder, device="cpu").tokenizer("the")["input_ids"]


# Adapters.


@pytest.mark.parametrize("complete", [True, False])
def test_an_adapter_is_told_from_a_model(folder, complete):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "org/bert"}')
    if not complete:
        (folder / "config.json").unlink()
    with pytest.raises(InputError, match=r"an adapter \(PEFT\).*merge_and_unload") as caught:
        load_model(folder, device="cpu")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="an adapter"):
        model_revision(str(folder))


def test_the_weights_of_an_adapter_alone(tmp_path):
    (tmp_path / "adapter_model.safetensors").write_text("")
    with pytest.raises(InputError, match="an adapter"):
        load_model(tmp_path)


# The hub.


def test_a_model_in_the_cache_of_the_hub(hub, tmp_path):
    loaded = load_model("org/bert", device="cpu")
    assert loaded.revision == "c0ffee" * 6 + "c0ff" == model_revision("org/bert")


def test_what_its_index_names_is_checked_as_well(hub, tmp_path):
    split(hub, "pytorch_model.bin")
    pickled(hub / "pytorch_model.bin", tmp_path / "trace")
    with pytest.raises(InputError, match=r"names 'pytorch_model\.bin' for its weights"):
        load_model("org/bert", device="cpu")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("complete", [True, False])
def test_an_adapter_of_the_hub(hub, complete):
    (hub / "adapter_config.json").write_text("{}")
    if not complete:
        (hub / "config.json").unlink()
    with pytest.raises(InputError, match="org/bert: an adapter"):
        load_model("org/bert", device="cpu")


def test_a_cached_model_called_as_a_folder_is_found(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("org").mkdir()
    assert model_revision("org/bert") == "c0ffee" * 6 + "c0ff"


# Names.


@pytest.mark.parametrize(
    "name", ["./x", "/no/x", "~/x", "a/b/c", "models/brt", "out/minilm", "a b", "bert/", "a--b/c"]
)
def test_a_folder_that_is_not_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for parent in ("models", "out"):
        Path(parent).mkdir()
    monkeypatch.setattr(model_files, "_why_not_on_hub", lambda name: pytest.fail("asked the hub"))
    for refuse in (load_model, model_revision):
        with pytest.raises(InputError, match=f"^{name}: no such folder") as caught:
            refuse(name)
        assert "\n" not in str(caught.value)


def test_an_empty_name():
    with pytest.raises(InputError, match="the name of the model is empty"):
        load_model("")


@pytest.mark.parametrize("name", ["gpt2", "bert-folder", "google/bert"])
def test_a_name_that_neither_is_here_nor_in_the_cache(name, tmp_path, monkeypatch):
    """Both readings are said, in one line."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=rf"^{name}: .*no such folder, and no such model") as error:
        load_model(name)
    assert "\n" not in str(error.value)


def test_the_model_that_was_meant(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(InputError, match=r"did you mean model\?"):
        load_model("modle")
    with pytest.raises(InputError, match=rf"did you mean {folder}\?"):
        load_model(folder.parent / "modell")


class Hub(BaseHTTPRequestHandler):
    """Answers every request as the hub does when there is no such model, or when it is down."""

    status, asked = 404, 0

    def do_GET(self):
        type(self).asked += 1
        self.send_response(self.status)
        if self.status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "no such model on the hub"),
        (503, "the hub cannot be reached"),
        (None, "the hub cannot be reached"),
    ],
)
def test_the_hub_is_not_asked_again_and_again(tmp_path, monkeypatch, status, said):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(Hub, "status", status)
    monkeypatch.setattr(Hub, "asked", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        place = f"http://127.0.0.1:{server.server_port if status else 9}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", place)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(InputError, match=f"^no/such: .*no such folder, and {said}"):
                load_model("no/such")
        finally:
            server.shutdown()
            thread.join()
    # For one file, without retries; the client may ask HEAD and GET.
    assert 1 <= Hub.asked <= 2 if status else not Hub.asked


def test_no_code_of_the_hub(folder):
    config = json.loads((folder / "config.json").read_text())
    config["attn_implementation"] = "someone/attention"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="asks for the code 'someone/attention' of the hub"):
        load_model(folder, device="cpu")
