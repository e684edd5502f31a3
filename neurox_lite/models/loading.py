"""Loading a model and its tokenizer by name or path, ready for reading activations."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

import neurox_lite.models.lstm  # noqa: F401  registers the LSTM with the Auto classes
from neurox_lite.arguments import expect
from neurox_lite.errors import InputError
from neurox_lite.models.heads import class_for, sees_what_follows
from neurox_lite.models.model_files import (
    check_place,
    first_line,
    model_name,
    model_revision,
    read_config,
)
from neurox_lite.models.vocabulary import check_not_empty, check_sizes
from neurox_lite.neurons import IN_MEMORY
from neurox_lite.public_names import public_name
from neurox_lite.seeds import validate_seed


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode, its tokenizer, and what identifies them.

    Attributes
    ----------
    model : PreTrainedModel
        The base model, or one with the head that was asked for.
    tokenizer : PreTrainedTokenizerBase
    name : str
        The name it was loaded by, or that of its folder.
    revision : str
        Commit on the hub, or a hash of the files in a folder, or of the weights in memory.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    revision: str

    def __repr__(self) -> str:
        return f"LoadedModel({self.name!r}, {type(self.model).__name__}, {self.revision!r})"

    @property
    def is_encoder_decoder(self) -> bool:
        return bool(self.model.config.is_encoder_decoder)

    @property
    def n_embeddings(self) -> int | None:
        """Size of the vocabulary the model has embeddings for; None when it does not tell."""
        try:
            return getattr(self.model.get_input_embeddings(), "num_embeddings", None)
        except NotImplementedError:  # CLIP and CANINE
            return None

    @property
    def decoder_start(self) -> int:
        """The token a decoder reads first; InputError when the configuration names none."""
        config = self.model.config
        for name in ("decoder_start_token_id", "bos_token_id"):
            token = getattr(config, name, None)
            if token is not None:
                return int(token)
        raise InputError(
            f"{self.name}: its configuration names no decoder_start_token_id; add it to config.json"
        )

    @property
    def max_tokens(self) -> int | None:
        """The longest input in subwords, special tokens included; None when there is no limit."""
        config = self.model.config.get_text_config()
        # The second is LED's.
        names = ("max_position_embeddings", "max_encoder_position_embeddings")
        limits = [getattr(config, name, None) or 0 for name in names]
        for name, module in self.model.named_modules():
            is_position_table = name.rsplit(".", 1)[-1] in ("position_embeddings", "wpe")
            if is_position_table and isinstance(module, torch.nn.Embedding):
                # RoBERTa counts positions from padding_idx + 1.
                first = 0 if module.padding_idx is None else module.padding_idx + 1
                limits.append(module.num_embeddings - first)
        return min((limit for limit in limits if limit > 0), default=None)


OTHER_FORMS = "a folder or a name on the hub, what load_model returns, or a model of transformers"
Model = LoadedModel | PreTrainedModel | str | Path
"""What functions take for a model, see :func:`as_loaded`."""


def load_model(
    name: str | Path,
    *,
    device: str | None = None,
    dtype: str = "float32",
    side: str = "encoder",
    head: str | None = None,
    random_weights: int | None = None,
) -> LoadedModel:
    """Load any transformers encoder, decoder or encoder-decoder.

    Weights are read from safetensors only, and no code that comes with a model is run.

    Parameters
    ----------
    name : str or path
        A folder, or a name on the model hub.
    device : str, optional
        ``"cpu"``, ``"cuda"``, ...; CUDA when there is one by default.
    dtype : str
        The dtype the model computes in.
    side : {"encoder", "decoder"}
        The side of an encoder-decoder that is going to be used: files that hold only an encoder
        will do for that.
    head : {"language", "classification", "question-answering", "text-to-text"}, optional
        What is to be predicted from its states: tokens (the next one, or masked ones), classes of
        texts, where in a text the answer is, or the text that an encoder-decoder writes. By default
        nothing: the base model.
    random_weights : int, optional
        A seed. The model has the architecture and the tokenizer of ``name``, and weights as its
        own code initialises them before any training: a baseline. Its revision says so.

    Raises
    ------
    InputError
        When there is no such folder or model, it has no tokenizer or is an adapter, it cannot be
        loaded, its files lack some of its weights, it has no such head, or it is to predict the
        next token and sees it (XLNet, a BERT that is no decoder).
    """
    if not isinstance(name, str | Path):
        raise InputError(
            f"a {type(name).__name__} is not the name or folder of a model; functions take it "
            "as it is"
        )
    name = str(name)
    # Otherwise a hub model without safetensors is reported to a service that converts it.
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    config = read_config(name)
    tokenizer = _load_tokenizer(name)
    auto = class_for(config, head, name)
    try:
        if random_weights is not None:
            model: Any = _initialised(
                auto, config, validate_seed(random_weights, "random_weights"), getattr(torch, dtype)
            )
            missing = []
        else:
            with _quiet(bars=not Path(name).is_dir()):
                model, loading = auto.from_pretrained(
                    name,
                    config=config,
                    dtype=getattr(torch, dtype),
                    use_safetensors=True,
                    trust_remote_code=False,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # which is then told, not refused in many lines
                )
            missing = loading["missing_keys"]
            for key, found, expected in sorted(loading["mismatched_keys"])[:1]:
                raise InputError(
                    f"{name}: the model cannot be loaded ({key} has the shape {tuple(found)}, but "
                    f"by config.json {tuple(expected)}); give all files of one model"
                )
        model.to(device)
    except InputError:
        raise
    except Exception as error:  # tokenizers and safetensors raise exceptions without a common base
        raise InputError(f"{name}: the model cannot be loaded ({first_line(error)})") from error
    # No activation depends on a pooler, nor an encoder's on the decoder.
    only_encoder = config.is_encoder_decoder and side == "encoder"
    unused = ("pooler.", "decoder.") if only_encoder else ("pooler.",)
    missing = sorted(k for k in missing if not k.startswith(unused))
    if missing:
        raise InputError(
            f"{name}: its files lack {len(missing)} weights, such as {missing[0]}, which would be "
            "random; give a complete model"
        )
    model.requires_grad_(False)
    model.eval()
    is_masked = type(model).__name__.endswith("ForMaskedLM")
    if head == "language" and not is_masked and sees_what_follows(model):
        raise InputError(
            f"{name}: a {type(model).__name__} that sees the tokens it is to predict; give a "
            "causal or masked model"
        )
    revision = model_revision(name, random_weights, head)
    loaded = LoadedModel(model, tokenizer, model_name(name, random_weights), revision)
    check_sizes(tokenizer, loaded.n_embeddings, name)
    return loaded


@contextmanager
def _quiet(bars: bool) -> Iterator[None]:
    """Leave out transformers' report of weights, which are checked here; its bars, if not asked."""
    verbosity = transformers_logging.get_verbosity()
    hidden = not bars and transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    if hidden:
        transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if hidden:
            transformers_logging.enable_progress_bar()


def _initialised(
    auto: Any, config: PreTrainedConfig, seed: int, dtype: torch.dtype
) -> PreTrainedModel:
    """A model as its own code initialises it; torch's generator is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        # In float32, and converted: the same numbers whatever the model computes in.
        model: PreTrainedModel = auto.from_config(config, dtype=torch.float32).to(dtype)
    return model


def _load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer in a model's folder; transformers invents an empty one where there is none."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # tokenizers raise exceptions without a common base
        raise InputError(
            f"{name}: the model cannot be loaded, its tokenizer's files are missing or damaged "
            f"({first_line(error)}); save the tokenizer of this model there"
        ) from error
    check_not_empty(tokenizer, name)
    return tokenizer


def as_loaded(
    model: Any, tokenizer: Any = None, *, reads_text: bool = True, **options: Any
) -> LoadedModel:
    """A model in any of the forms in which functions take one.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        As it is; loaded by :func:`load_model`; or one of transformers in memory, which is
        identified by a hash of its weights.
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory. By default that of the folder or the name on the hub which it was
        loaded from.
    reads_text : bool
        Whether a tokenizer is needed.
    **options
        Of :func:`load_model`, for a name or path.

    Raises
    ------
    InputError
        When it is none of these, cannot be loaded, or a model in memory has no tokenizer or was
        compiled in place.
    """
    if tokenizer is not None:
        expect(tokenizer, PreTrainedTokenizerBase, "tokenizer", "what AutoTokenizer gives")
    if isinstance(model, str | Path):
        if tokenizer is not None:
            raise InputError(
                f"{model}: a model that is loaded by its name has its own tokenizer; leave out "
                "tokenizer="
            )
        return load_model(model, **options)
    if isinstance(model, LoadedModel):
        _check_not_compiled(model.model)
        return model if tokenizer is None else replace(model, tokenizer=tokenizer)
    model = getattr(model, "_orig_mod", model)  # of a compiled one
    if not isinstance(model, PreTrainedModel):
        adapted = hasattr(model, "merge_and_unload")
        raise InputError(
            f"a {type(model).__name__} is not a model; give "
            + ("what its merge_and_unload() returns" if adapted else OTHER_FORMS)
        )
    _check_not_compiled(model)
    name = public_name(model.name_or_path) if model.name_or_path else type(model).__name__
    if tokenizer is None and reads_text:
        tokenizer = _tokenizer_of(model)
    return LoadedModel(model, tokenizer, name, weights_hash(model))


def _check_not_compiled(model: torch.nn.Module) -> None:
    """Refuse what runs no hooks that are added later, so that nothing would be read or changed."""
    if any(part._compiled_call_impl is not None for part in model.modules()):
        raise InputError(
            f"a {type(model).__name__} that was compiled in place cannot be read or changed; give "
            "it before its compile(), or what torch.compile(model) returns"
        )


def _tokenizer_of(model: PreTrainedModel) -> PreTrainedTokenizerBase:
    """The tokenizer beside the files that a model in memory was loaded from."""
    name, reason = model.name_or_path, "it was not loaded from any files"
    if name:
        try:
            check_place(name)
            return _load_tokenizer(name)
        except InputError as error:
            reason = str(error)
    raise InputError(
        f"a {type(model).__name__} in memory needs its tokenizer; give tokenizer= ({reason})"
    )


def weights_hash(model: torch.nn.Module) -> str:
    """What identifies a model that was made in memory: a hash of its weights."""
    digest = hashlib.sha256()
    if any(tensor.is_meta for tensor in model.state_dict().values()):
        raise InputError(
            f"a {type(model).__name__}: some of its weights are not in memory; load it whole"
        )
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return f"{IN_MEMORY}{digest.hexdigest()[:16]}"
