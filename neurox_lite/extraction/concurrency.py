"""Several batches at once on a CPU, each on a core and a copy of the model of its own.

Cores that share one batch wait for one another at the end of every operation.
"""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import replace

import torch
from torch import nn

from neurox_lite.models.loading import LoadedModel

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 16
"""Batches at once: more would wait for the Python interpreter, and each takes memory."""


def n_at_once(loaded: LoadedModel) -> int:
    """How many batches should run at the same time: one on a device other than a CPU.

    Also one where other threads would compute something else: a user's hooks and changed modules
    may refer to the original of a copy, and automatic casts are a setting of one thread.
    """
    model = loaded.model
    if model.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return 1
    if any(_is_changed(module) for module in model.modules()):
        return 1
    n_threads = torch.get_num_threads()
    return n_threads // math.ceil(n_threads / MAX_AT_ONCE)


def _is_changed(module: nn.Module) -> bool:
    """Whether someone has put hooks, or another ``forward``, into a module of transformers."""
    hooks = (*module._forward_hooks.values(), *module._forward_pre_hooks.values())
    own = ("transformers.", "torch.")
    return "forward" in vars(module) or any(
        not getattr(hook, "__module__", "").startswith(own) for hook in hooks
    )


def replicas(loaded: LoadedModel) -> list[LoadedModel]:
    """The model and, for the other batches at the same time, copies that share its weights.

    A copy has hooks, buffers and a state of its own, so that forward passes do not meet: rotary
    embeddings for long inputs write their frequencies into a buffer. A model that cannot be copied
    stays alone.
    """
    weights = {id(parameter): parameter for parameter in loaded.model.parameters()}
    n_copies = n_at_once(loaded) - 1
    try:
        copies = [copy.deepcopy(loaded.model, dict(weights)) for _ in range(n_copies)]
    except Exception as error:  # whatever a module's __deepcopy__ raises
        logger.info("%s: one batch at a time, as copying fails: %s", loaded.name, error)
        copies = []
    return [loaded, *(replace(loaded, model=model) for model in copies)]
