"""What is extracted, and how: the options of extraction, checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from neurox_lite.activations.writer import DTYPES
from neurox_lite.arguments import whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.extraction.aggregation import AGGREGATIONS
from neurox_lite.models.sites import SITES
from neurox_lite.neurons import layer_numbers
from neurox_lite.seeds import validate_seed

POOLINGS = ("mean", "cls", "last")
SIDES = ("encoder", "decoder")


@dataclass(frozen=True)
class ExtractOptions:
    """Options of extraction.

    Attributes
    ----------
    site : {"hidden_states", "mlp", "attention_heads", "lstm_cell"}
        Which kind of neuron; see :func:`neurox_lite.models.sites.find_sites`.
    layers : int, several ints or "all", optional
        Layers to keep; negative numbers count from the end. All by default. Layer 0 of
        ``hidden_states`` is the embedding output, layer 0 of the other sites the first block.
    embeddings : bool
        Whether "all layers" of ``hidden_states`` includes layer 0.
    aggregation : {"last", "first", "average"}
        How the subwords of a word become one vector.
    pooling : {"mean", "cls", "last"}, optional
        One row per sentence instead: the mean over the subwords of its words, the first special
        token, or the last subword of its last word.
    special_tokens : bool
        Also store a row for every special token that the tokenizer adds, such as ``[CLS]``.
    side : {"encoder", "decoder"}
        Of an encoder-decoder. The decoder is teacher-forced: it reads the words, shifted by its
        start token, and a word's activations are those where it is read.
    modules : str, optional
        Names of the modules, with ``{}`` for the number of the layer, where structure does not
        tell.
    window : int, optional
        Cut longer sentences into overlapping windows of so many subwords, special tokens
        included; a word is taken from the window where it has most context.
    stride : int, optional
        Subwords from one window to the next; half of the words' part of a window by default.
    dtype : {"float32", "float16", "bfloat16"}
        What is stored.
    compute_dtype : {"float32", "float16", "bfloat16"}
        What the model computes in.
    allow_missing : bool
        Store NaN for words that have no activation because the tokenizer drops them or the model
        takes no sentence that long; count them in the store. By default that is an error.
    batch_tokens : int, optional
        Subwords per batch, padding included; halved when memory runs out. By default 512 on a
        CPU, where each core has a batch of its own, and 4,096 elsewhere.
    device : str, optional
        CUDA when there is one by default.
    random_weights : int, optional
        A seed: the model without its training, as a baseline; see :func:`neurox_lite.load_model`.

    Raises
    ------
    InputError
        When an option has no such value or two do not go together.
    """

    site: str = "hidden_states"
    layers: list[int] | int | str | None = None
    embeddings: bool = True
    aggregation: str = "last"
    pooling: str | None = None
    special_tokens: bool = False
    side: str = "encoder"
    modules: str | None = None
    window: int | None = None
    stride: int | None = None
    dtype: str = "float32"
    compute_dtype: str = "float32"
    allow_missing: bool = False
    batch_tokens: int | None = None
    device: str | None = None
    random_weights: int | None = None

    def __post_init__(self) -> None:
        choices = {
            "site": SITES,
            "aggregation": AGGREGATIONS,
            "side": SIDES,
            "dtype": DTYPES,
            "compute_dtype": DTYPES,
            "pooling": (None, *POOLINGS),
        }
        for name, known in choices.items():
            value = getattr(self, name)
            if value not in known:
                raise unknown_choice(name.replace("_", " "), value, [k for k in known if k])
        object.__setattr__(self, "layers", layer_numbers(self.layers))
        for name in ("batch_tokens", "window", "stride"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, whole_number(getattr(self, name), name))
        if self.random_weights is not None:
            object.__setattr__(self, "random_weights", validate_seed(self.random_weights))
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise InputError(f"batch_tokens is {self.batch_tokens}; give at least 1")
        if self.window is None and self.stride is not None:
            raise InputError("a stride needs a window; give both or none")
        if self.window is not None and self.window < 2:
            raise InputError(f"window is {self.window}; give at least 2 subwords")
        if self.stride is not None and self.stride < 1:
            raise InputError(f"stride is {self.stride}; give at least 1 subword")
        for name, is_given in (("a window", self.window), ("special tokens", self.special_tokens)):
            if is_given and (self.pooling or self.side == "decoder"):
                other = "pooling" if self.pooling else "the decoder side"
                raise InputError(f"{name} cannot be combined with {other}; leave one of them out")

    def content(self) -> dict[str, Any]:
        """The options that decide what is stored; the others only decide how it is computed."""
        options = asdict(self)
        # Random weights are part of the model's revision.
        for name in ("batch_tokens", "device", "allow_missing", "random_weights"):
            options.pop(name)
        return options
