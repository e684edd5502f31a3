"""neurox-lite compare: how far do rankings, or masks, of the same neurons agree?"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.options import Debug, FigureOptions, Json
from neurox_lite.cli.output import show
from neurox_lite.cli.output_claims import claim_folder
from neurox_lite.errors import InputError
from neurox_lite.outputs import atomic_write_folder, result_names

if TYPE_CHECKING:
    from neurox_lite.masking.mask_overlaps import MaskOverlaps
    from neurox_lite.ranking.agreement import AgreementMatrix


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Compare rankings or masks.

    Of rankings: the top k they share, Kendall's tau and rank-biased overlap. Of masks: the neurons
    that both of two replace and those that only one does, compared with chance.

    Example: neurox-lite compare ranking.json random.json --out comparison

    Example: neurox-lite compare mask other-mask --out overlap
    """

    context: typer.Context
    rankings: Annotated[
        list[str],
        typer.Argument(
            metavar="RANKING|MASK...",
            help="Two or more rankings from 'rank', or two or more folders from 'mask'.",
        ),
    ]
    out: Annotated[
        str,
        typer.Option(
            "--out",
            help="Folder for agreement.json and agreement.png, or for overlaps.json of masks.",
        ),
    ]
    k: Annotated[
        int | None, typer.Option("-k", help="Size of the top; by default a tenth of the neurons.")
    ] = None
    figures: FigureOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the agreement.")] = False
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.results.neuron_mask import is_mask

        self.figures.check()
        masks = [path for path in self.rankings if is_mask(path)]
        if len(self.rankings) < 2:
            what = "mask" if masks else "ranking"
            raise InputError(f"{self.rankings[0]}: only one {what}; give two or more to compare")
        if masks:
            self._compare_masks(masks)
        else:
            self._compare_rankings()

    def _compare_masks(self, masks: list[str]) -> None:
        from neurox_lite.figures import title_of
        from neurox_lite.masking.mask_overlaps import MaskOverlaps, load_masks

        others = [path for path in self.rankings if path not in masks]
        if others:
            raise InputError(f"{others[0]}: no folder of a mask, as {masks[0]} is; give masks only")
        if self.k is not None:
            raise InputError("masks are compared whole; run without -k")
        names = result_names("overlaps")
        claim_folder(self.context, self.out, names, self.overwrite)
        loaded = load_masks(masks)
        found = MaskOverlaps.of(loaded)
        title = title_of(model=loaded[0].space.model)
        with atomic_write_folder(self.out, names) as new:
            self.figures.save(found, new / "overlaps.json", title)
        show({"overlaps": self.out, **_of_masks(found)}, self.as_json)

    def _compare_rankings(self) -> None:
        from neurox_lite.figures import title_of
        from neurox_lite.ranking import agreement
        from neurox_lite.results.rankings import common_labels, load_rankings

        names = result_names("agreement")
        claim_folder(self.context, self.out, names, self.overwrite, self.rankings)
        loaded = load_rankings(self.rankings)
        found = agreement(loaded, self.k)
        labels = common_labels(loaded)
        title = title_of(labels.get("tag"), loaded[0].space.model, labels.get("corpus", ()))
        with atomic_write_folder(self.out, names) as new:
            self.figures.save(found, new / "agreement.json", title)
        logging.getLogger(__name__).info(
            "by chance: of independent rankings; rankings of the same labels agree more, even "
            "where labels are noise (nx.ranking.permuted_overlap shuffles them)"
        )
        show(
            {"agreement": self.out, **_of_rankings(found, loaded[0].space.unit_name)}, self.as_json
        )


def _of_rankings(found: AgreementMatrix, units: str) -> dict[str, Any]:
    rows = {
        f"overlap of {name}": {
            other: share for other, share in zip(found.methods, row, strict=True) if other != name
        }
        for name, row in zip(found.methods, found.overlap, strict=True)
    }
    chance = {"overlap by chance": found.expected_overlap}
    return {units: found.n_neurons, "k": found.k, **chance, **rows}


def _of_masks(found: MaskOverlaps) -> dict[str, Any]:
    rows = {
        f"{overlap.first} and {overlap.second}": {
            "both": len(overlap.both),
            "by chance": overlap.expected,
            "p of so many": overlap.p_at_least,
            "p of so few": overlap.p_at_most,
            "only the first": len(overlap.only_first),
            "only the second": len(overlap.only_second),
        }
        for overlap in found.overlaps
    }
    chance = "independent sets; masks of the same pairs share more, whatever they find"
    return {"neurons": found.n_neurons, "sizes": found.sizes, **rows, "chance is of": chance}
