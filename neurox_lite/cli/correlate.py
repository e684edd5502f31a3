"""neurox-lite correlate: order neurons by what other models have of them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated

import typer

from neurox_lite.choices import unknown_choice
from neurox_lite.cli.options import Debug, FigureOptions, Json, Layers, reject_options
from neurox_lite.cli.output import negligible_in, show, top_neurons
from neurox_lite.cli.output_claims import claim_file, claim_folder
from neurox_lite.cli.parsing import layers_of
from neurox_lite.errors import InputError
from neurox_lite.outputs import atomic_write_folder, result_names
from neurox_lite.ranking_methods import CROSS_MODEL_METHODS


@dataclass(frozen=True, kw_only=True)
class Correlate:
    """Rank the neurons of the first store by their correlation with other models.

    The stores are of the same words; their models and tokenizers may differ.

    Example: neurox-lite correlate --store a.h5 --store b.h5 --method max-corr --out ranking.json
    """

    context: typer.Context
    store: Annotated[
        list[str],
        typer.Option("--store", help="Activations, from 'extract'; those to rank first."),
    ]
    method: Annotated[str, typer.Option("--method", help="max-corr, min-corr, lin-reg or svcca.")]
    out: Annotated[str, typer.Option("--out", help="The ranking to write, .json or .csv.")]
    layers: Layers = None
    similarity: Annotated[
        str | None,
        typer.Option(
            "--similarity",
            metavar="DIR",
            help="Also compare the layers of the first store with those of each of the others, "
            "by CKA.",
        ),
    ] = None
    figures: FigureOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.activations.align_stores import align_stores
        from neurox_lite.activations.store import ActivationStore
        from neurox_lite.correlation.similarity import layer_similarity
        from neurox_lite.figures import title_of
        from neurox_lite.ranking.cross_model import rank_across_models

        self._check()
        with ExitStack() as stack:
            opened = [stack.enter_context(ActivationStore(path)) for path in self.store]
            for again in opened[1:]:
                if again.content_hash == opened[0].content_hash:
                    raise InputError(
                        f"{again.path}: has the activations of the first store, in which every "
                        "neuron is found again; give the store of another model"
                    )
            X, *others = align_stores(opened, layers_of(self.layers))
            ranking = rank_across_models(self.method, X, others)
            compared = [layer_similarity(X, other) for other in others if self.similarity]
            small = negligible_in(X)
        if self.similarity:
            stems = self._stems()
            with atomic_write_folder(self.similarity, result_names(*stems)) as new:
                for stem, other, layer_by_layer in zip(
                    stems, self.store[1:], compared, strict=True
                ):
                    # Two stores of one model are told by their files.
                    model, is_one = layer_by_layer.model, layer_by_layer.is_of_one_model
                    title = title_of(None, model, [self.store[0], other]) if is_one else None
                    self.figures.save(layer_by_layer, new / f"{stem}.json", title)
        ranking.save(self.out)
        result = {"ranking": self.out, "method": self.method, "words": len(X)}
        result |= top_neurons(ranking) | small
        if self.similarity:
            result["similarity"] = self.similarity
        show(result, self.as_json)

    def _check(self) -> None:
        """Refuse options that do not go together, and claim the outputs."""
        from neurox_lite.results.ranking_files import check_name

        self.figures.check()
        if self.similarity is None:
            formats = ("figure_format", "table_format")
            reject_options(self.context, formats, "a run without --similarity")
        if self.method not in CROSS_MODEL_METHODS:
            raise unknown_choice("method", self.method, CROSS_MODEL_METHODS)
        if len(self.store) < 2:
            raise InputError("one store only; give --store again for every other model")
        check_name(self.out)
        claim_file(self.context, self.out, self.overwrite, self.store)
        if self.similarity:
            names = result_names(*self._stems())
            claim_folder(self.context, self.similarity, names, self.overwrite, self.store)

    def _stems(self) -> list[str]:
        """Names of results; stores are counted from 1, in the order of the command line."""
        return [f"cka-1-{i}" for i in range(2, len(self.store) + 1)]
