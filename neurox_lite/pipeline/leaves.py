"""The jobs of one tag and one model that a job of several is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.errors import InputError
from neurox_lite.models.model_files import model_name
from neurox_lite.pipeline.job import Job
from neurox_lite.public_names import public_name
from neurox_lite.report.comparison_files import RESERVED
from neurox_lite.report.job_files import STORE


@dataclass(frozen=True)
class Leaf:
    """A job of one tag and one model.

    Attributes
    ----------
    job : Job
    tag, model : str
        As they are called.
    name : str
        Its folder, relative to that of the job of several: TAG, or MODEL/TAG of several models.
    model_folder : str
        Where the store of the model is, relative to the same: "." of one model.
    """

    job: Job
    tag: str
    model: str
    name: str
    model_folder: str

    @property
    def store(self) -> str:
        """The store, relative to the folder of the job of several."""
        return STORE.name if self.model_folder == "." else f"{self.model_folder}/{STORE.name}"

    @property
    def label(self) -> str:
        """What it is called among the others."""
        return self.tag if self.model_folder == "." else f"{self.tag} ({self.model})"

    def with_rules(self, rules: LabelRules) -> Leaf:
        """The same with these rules for its labels."""
        strip_bio, label_map = rules.strip_bio, list(rules.label_map)
        return replace(self, job=replace(self.job, strip_bio=strip_bio, label_map=label_map))


def leaves_of(job: Job) -> tuple[Leaf, ...]:
    """Every tag of every model, model after model.

    Raises
    ------
    InputError
        When two would have the same folder.
    """
    models, tags = job.models or [job.model], job.tags or [job.tag]
    of_tags = _folders(tags, tags, "tags")
    names = [public_name(model) for model in models]
    of_models = _folders(models, names, "models") if len(models) > 1 else ["."]
    leaves = []
    for model, model_folder in zip(models, of_models, strict=True):
        for tag, tag_folder in zip(tags, of_tags, strict=True):
            name = str(Path(model_folder, tag_folder))
            out = str(Path(job.out, name))
            single = replace(job, model=model, models=[], tag=tag, tags=[], out=out)
            called = model_name(model, job.extract.random_weights)
            leaves.append(Leaf(single, tag, called, name, model_folder))
    return tuple(leaves)


def _folders(given: Iterable[str], names: Iterable[str], what: str) -> list[str]:
    """A folder for each name, with what a file system may not take replaced."""
    found: dict[str, str] = {}
    for one, name in zip(given, names, strict=True):
        folder = re.sub(r"[^\w.-]", "_", name.replace("/", "--"))
        folder = re.sub(r"^\.", "_", folder)
        if folder.casefold() in RESERVED:
            raise InputError(f"{what}: '{one}' is the name of a file of results; rename it")
        taken = {other.casefold(): before for other, before in found.items()}
        if folder.casefold() in taken:
            raise InputError(
                f"{what}: '{taken[folder.casefold()]}' and '{one}' would both have the folder "
                f"'{folder}'; rename one, or run it with an 'out' of its own"
            )
        found[folder] = one
    return list(found)
