"""Numbers that the configuration of a model declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from torch import nn
from transformers import PreTrainedConfig

from neurox_lite.models.trace import text_config


def configs_of(model: Any, root: nn.Module) -> Iterator[PreTrainedConfig]:
    """The configuration of a model's text part, that of one side, and those inside them."""
    waiting = [text_config(model.config), getattr(root, "config", None)]
    while waiting:
        config = waiting.pop()
        if isinstance(config, PreTrainedConfig):
            yield config
            if config is not model.config:
                waiting += [v for v in vars(config).values() if isinstance(v, PreTrainedConfig)]


def declared_numbers(model: Any, root: nn.Module, names: re.Pattern[str]) -> set[int]:
    """The numbers above 1 whose names match."""
    found: set[int] = set()
    for config in configs_of(model, root):
        for name, value in vars(config).items():
            if names.search(name) and not name.startswith("num_"):
                values = value if isinstance(value, list | tuple) else [value]
                found.update(v for v in values if type(v) is int and v > 1)
    return found
