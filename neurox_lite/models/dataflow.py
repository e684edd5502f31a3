"""What the states of a forward pass were computed from, unit by unit.

While it runs, every operation is noted by what it does to single units: a function of each, a
linear layer, a mix of tokens, or anything else. So it can be proved that a linear layer reads what
a nonlinear function made of another's output, and not what an attention mixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Operations by what they do to units; the names of in-place variants lack their "_" here.
PRODUCTS = re.compile(
    "mm|addmm|bmm|baddbmm|addbmm|mv|addmv|dot|matmul|linear|_scaled_mm|_int_mm|_?grouped_mm|"
    "grouped_mm_fallback"
)
"""Each unit of the result is a sum over units."""
MOVES = re.compile(
    "cat|stack|index|index_select|gather|clone|copy|contiguous|repeat|roll|flip|expand_copy|"
    "view_copy|permute_copy|constant_pad_nd|pad|(_unsafe_|_)?index_put(_impl)?|index_add|"
    "index_copy|scatter|scatter_add|scatter_reduce|masked_scatter|slice_scatter|select_scatter|"
    "repeat_interleave|masked_fill|lift_fresh(_copy)?|alias|detach|(native_)?dropout|_to_copy|"
    "unfold|fill|zero|_unsafe_view|unsafe_split(_with_sizes)?|unsafe_chunk|_reshape_alias"
)
"""Each unit of the result is a unit of an argument, or a sum of such over tokens."""
FRESH = re.compile("(new_)?(zeros|empty|ones|full)(_strided)?|(zeros|empty|ones|full|randn?)_like")
"""Nothing of an argument is in the result but its shape."""
NORMS = re.compile("(.*_)?(layer|rms|group|batch)_norm")
SUMS = re.compile("add|sub|rsub|neg")


@dataclass(frozen=True)
class Made:
    """What a unit of some states was computed from, over functions of single units.

    Attributes
    ----------
    linears : frozenset of int
        Calls in which a linear layer output such a unit.
    mixes : frozenset of int
        Calls in which two computed tensors were multiplied to such a unit, as an attention's
        weights and values are.
    is_other : bool
        Something else is in it, such as embeddings.
    is_nonlinear : bool
        A nonlinear function of a unit, or a product of two, is on the way.
    """

    linears: frozenset[int] = frozenset()
    mixes: frozenset[int] = frozenset()
    is_other: bool = False
    is_nonlinear: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether it depends on nothing that was read: a weight, a mask of causality."""
        return not (self.linears or self.mixes or self.is_other)

    @property
    def is_activated(self) -> bool:
        """Whether it is a nonlinear function of linear layers' outputs, and of nothing else."""
        return bool(self.linears and self.is_nonlinear and not self.mixes and not self.is_other)


CONSTANT = Made()
OTHER = Made(is_other=True)


class Dataflow(TorchDispatchMode):
    """While it is entered, notes what each tensor is made of.

    Parameters
    ----------
    inputs : iterable of Tensor
        What the model reads.
    running : list of int
        The calls of modules under way, innermost last; kept by the caller.

    Attributes
    ----------
    products : list of (int, Made)
        The call in which weights were applied to states, and what the states were made of.
    """

    def __init__(self, inputs: Iterable[torch.Tensor], running: list[int]):
        super().__init__()
        self._running = running
        self._made: dict[int, tuple[StorageWeakRef, Made]] = {}
        self.products: list[tuple[int, Made]] = []
        for tensor in inputs:
            self.note(tensor, OTHER)

    def of(self, tensor: torch.Tensor) -> Made:
        """What a tensor is made of. Views of one storage are not distinguished."""
        try:
            return self._made[tensor.untyped_storage()._cdata][1]
        except (KeyError, NotImplementedError):
            return CONSTANT

    def note(self, tensor: torch.Tensor, made: Made) -> None:
        # A weak reference keeps the key from being given to another storage.
        reference = StorageWeakRef(tensor.untyped_storage())
        self._made[reference.cdata] = reference, made

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = _plain_name(func)
        if not PRODUCTS.fullmatch(name):
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        # Before it runs: some operations change their arguments.
        before = [self.of(tensor) for tensor in inputs]
        result = func(*args, **kwargs)
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.note(tensor, self._result(func, name, inputs, before, tensor))
        return result

    def _result(
        self,
        func: Any,
        name: str,
        inputs: list[torch.Tensor],
        before: list[Made],
        result: torch.Tensor,
    ) -> Made:
        computed = [made for made in before if not made.is_constant]
        if not computed or FRESH.fullmatch(name):
            return CONSTANT
        here = frozenset(self._running[-1:])
        if (
            (PRODUCTS.fullmatch(name) and len(computed) > 1)
            or "attention" in name
            or "attn" in name
        ):
            return Made(mixes=here) if here else OTHER
        if PRODUCTS.fullmatch(name):
            self.products += [(call, computed[0]) for call in here]
            return Made(linears=here) if here else OTHER
        if func.is_view:
            return before[0]
        if NORMS.fullmatch(name):
            return before[0]
        is_move = MOVES.fullmatch(name) is not None
        is_function = torch.Tag.pointwise in func.tags or name == "glu"
        numbers = [tensor.is_floating_point() or tensor.is_complex() for tensor in inputs]
        if not (is_move or is_function) or not result.is_floating_point() or not any(numbers):
            return OTHER
        # What is the same for all units of a token, such as a norm, is not a function of a unit.
        is_wide = result.shape[-1:] != (1,)
        units = [
            made
            for tensor, made, is_number in zip(inputs, before, numbers, strict=True)
            if is_number
            and not made.is_constant
            and (is_move or not is_wide or tensor.shape[-1:] not in ((), (1,)))
        ]
        is_linear = is_move or SUMS.fullmatch(name) or (name in ("mul", "div") and len(units) < 2)
        return Made(
            frozenset().union(*(made.linears for made in units)),
            frozenset().union(*(made.mixes for made in units)),
            any(made.is_other for made in units),
            not is_linear or any(made.is_nonlinear for made in units),
        )


def _plain_name(func: Any) -> str:
    """The name of an operation, that of its in-place variant being the same."""
    name = str(func.name()).split("::")[-1].split(".")[0]
    return name.rstrip("_") or name
