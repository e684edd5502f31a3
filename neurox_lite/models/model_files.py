"""The files of a model: where they are, whether they may be read, and what identifies them."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, try_to_load_from_cache
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError
from transformers import AutoConfig, PreTrainedConfig
from transformers.utils import cached_file
from transformers.utils.hub import extract_commit_hash

from neurox_lite.errors import InputError
from neurox_lite.files import hash_file
from neurox_lite.json_files import read_json
from neurox_lite.public_names import public_name

HUB_SECONDS = 10
"""How long to wait for the hub to say whether it has a model."""

ADAPTER = "adapter_config.json"
WEIGHTS, INDEX = ".safetensors", ".safetensors.index.json"
# Weights in formats that are never read, and what is for people. All else may be a tokenizer's.
NEVER_READ = (
    ".bin",
    ".ckpt",
    ".gguf",
    ".gitattributes",
    ".gitignore",
    ".h5",
    ".md",
    ".msgpack",
    ".npz",
    ".onnx",
    ".ot",
    ".pkl",
    ".pt",
    ".pth",
    ".tflite",
)


def check_place(name: str) -> None:
    """Refuse what is neither a model folder nor a model on the hub.

    A name with one slash whose first part is a folder here is taken for a folder. The hub is asked
    once, about names that it can have and that are not in its cache.
    """
    folder = Path(name)
    if not name.strip():
        raise InputError("the name of the model is empty; give a model folder or a name on the hub")
    if folder.is_file():
        raise InputError(f"{name}: is a file; give the folder of a model, or a name on the hub")
    if folder.exists():
        is_model = (folder / "config.json").is_file()
        if (folder / ADAPTER).is_file() or (not is_model and any(folder.glob("adapter_model.*"))):
            raise _an_adapter(name)
        if not is_model:
            raise InputError(
                f"{name}: no config.json there; give a model folder or a name on the hub"
            )
        return
    missing = f"no such folder{_meant(folder)}"
    ways = "give a model folder or a name on the hub"
    if name.count("/") > 1 or name.startswith((".", "/", "~")) or "\\" in name:
        raise InputError(f"{name}: {missing}; {ways}")
    try:
        cached = [try_to_load_from_cache(name, file) for file in ("config.json", ADAPTER)]
        if any(isinstance(path, str) for path in cached):
            return
    except HFValidationError:
        raise InputError(f"{name}: {missing}, and no name the hub can have; {ways}") from None
    if "/" in name and folder.parent.is_dir():
        raise InputError(
            f"{name}: {missing}; {ways} (one of the hub that is called as a folder here has to be "
            "in the hub's cache first)"
        )
    why = _why_not_on_hub(name)
    if why:
        raise InputError(f"{name}: the model cannot be loaded ({missing}, and {why}); {ways}")


def _why_not_on_hub(name: str) -> str:
    """Why the hub does not give a model; empty when it has one of this name."""
    if constants.HF_HUB_OFFLINE:
        return "no such model in the hub's cache, while HF_HUB_OFFLINE forbids to ask the hub"
    try:
        HfApi().model_info(name, timeout=HUB_SECONDS)
    except GatedRepoError:
        return ""
    except RepositoryNotFoundError:
        return "no such model on the hub, or a private one"
    except Exception as error:  # of the network, of any library
        return f"the hub cannot be reached: {type(error).__name__}"
    return ""


def _meant(folder: Path) -> str:
    """The model folder beside it that is called almost so."""
    if not folder.parent.is_dir():
        return ""
    models = [path.parent.name for path in folder.parent.glob("*/config.json")]
    close = difflib.get_close_matches(folder.name, models, n=1)
    return f" (did you mean {folder.parent / close[0]}?)" if close else ""


def _an_adapter(name: str) -> InputError:
    return InputError(
        f"{name}: an adapter (PEFT), which changes another model; merge them by "
        "PeftModel.from_pretrained(...).merge_and_unload(), save_pretrained that with its "
        f"tokenizer, and give its folder; if they are merged there already, remove {ADAPTER}"
    )


def read_config(name: str) -> PreTrainedConfig:
    """A model's configuration, once its files are known to be safe to read.

    Refuses an adapter, and what would read anything but safetensors in its own folder.
    """
    check_place(name)
    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # of any kind where a file is damaged
        if _path_of(name, ADAPTER):
            raise _an_adapter(name) from None
        raise InputError(f"{name}: the model cannot be loaded ({first_line(error)})") from error
    if _path_of(name, ADAPTER):
        raise _an_adapter(name)
    _check_weights(name, config)
    _check_tokenizer(name)
    return config


def first_line(error: Exception) -> str:
    """What an error of another library says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _path_of(name: str, file: str) -> str | None:
    """Where a file of a model is, in its folder or in the hub's cache; None when it has none."""
    return cached_file(
        name,
        file,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )


def _check_weights(name: str, config: PreTrainedConfig) -> None:
    """Weights lie in safetensors in the model's own folder, wherever it names files of them.

    transformers unpickles what an index or the configuration names otherwise.
    """
    parts = [config, *(getattr(config, part, None) for part in config.sub_configs)]
    named: list[Any] = [getattr(part, "transformers_weights", None) for part in parts]
    named = [file for file in named if file is not None]
    indices = {f"model{INDEX}", *(n for n in named if _is_plain(n, INDEX))}
    folder = Path(name)
    if folder.is_dir():
        indices |= {path.name for path in folder.iterdir() if path.name.endswith(INDEX)}
    for index in sorted(indices):
        path = _path_of(name, index)
        if path is not None:
            named += _shards(path)
    for file in named:
        if not (_is_plain(file, WEIGHTS) or _is_plain(file, INDEX)):
            raise InputError(
                f"{name}: names {str(file)!r} for its weights; only safetensors in its own folder "
                "are read, since a pickle can run anything: save it as safetensors"
            )
    # Such as kernels-community/flash-attn, which is fetched and run.
    code = next((_attention_of(p) for p in parts if "/" in _attention_of(p)), None)
    if code:
        raise InputError(
            f"{name}: its configuration asks for the code {code!r} of the hub, which is not run; "
            "remove attn_implementation from config.json"
        )


def _check_tokenizer(name: str) -> None:
    """A vocabulary lies in the model's own folder; transformers takes the path of any other."""
    path = _path_of(name, "tokenizer_config.json")
    settings = read_json(path) if path else {}
    if not isinstance(settings, dict):
        raise InputError(f"{path}: is not a JSON object; save the tokenizer again")
    named = [(key, settings.get(key)) for key in ("vocab", "merges")]
    outside = [(key, file) for key, file in named if isinstance(file, str)]
    key = "fast_tokenizer_files"
    outside += [(key, file) for file in settings.get(key) or () if not _is_plain(file, ".json")]
    for key, file in outside:
        raise InputError(
            f"{name}: tokenizer_config.json names {file!r} as {key}; only the tokenizer in its own "
            "folder is read: remove that, and save the tokenizer there"
        )


def _attention_of(config: PreTrainedConfig | None) -> str:
    return str(getattr(config, "_attn_implementation", None))


def _shards(index: str) -> list[Any]:
    content = read_json(index)
    files = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(files, dict) or not files:
        raise InputError(f"{index}: has no weight_map; save the model again")
    return list(dict.fromkeys(map(str, files.values())))


def _is_plain(file: Any, ending: str) -> bool:
    """Whether it is the name of a file, not of one in another folder."""
    return (
        isinstance(file, str)
        and file.endswith(ending)
        and not any(c in file for c in ("/", "\\", "\0", ":"))
        and file not in (WEIGHTS, INDEX)
    )


def model_revision(name: str, random_weights: int | None = None, head: str | None = None) -> str:
    """What identifies a model's content: a hash of its files, or its commit on the hub.

    With random weights also their seed, so that nothing takes it for the trained model, and the
    head, with which other numbers are drawn.

    Of a folder, all files count that are read: not those below other folders, nor weights in
    formats that are never read.
    """
    folder = Path(name)
    if not folder.is_dir():
        read_config(name)
        revision = extract_commit_hash(_path_of(name, "config.json"), None) or ""
        return revision + _of_random(random_weights, head)
    check_place(name)
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.lower().endswith(NEVER_READ):
            digest.update(f"{file.name} {hash_file(file)}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}{_of_random(random_weights, head)}"


def model_name(name: str, random_weights: int | None = None) -> str:
    """What to call a model in what is published; one without its training is called so."""
    called = public_name(name)
    return called if random_weights is None else f"{called} (random weights, seed {random_weights})"


def _of_random(seed: int | None, head: str | None) -> str:
    if seed is None:
        return ""
    return f" random weights {seed}{f' of a model with a {head} head' if head else ''}"
