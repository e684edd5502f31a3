"""What a job of several tags or models adds: how localised each is, and all of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import permutations, starmap
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.evaluation.localisation import localisation
from neurox_lite.evaluation.localisations import Localisations
from neurox_lite.figures import save_result, title_of
from neurox_lite.json_files import read_json
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.leaves import Leaf, leaves_of
from neurox_lite.pipeline.stage import Stage
from neurox_lite.pipeline.stages import STAGES, twins_of
from neurox_lite.pipeline.workspace import Workspace, read_corpus_of
from neurox_lite.public_names import public_sources
from neurox_lite.ranking.layer_profiles import LayerProfiles, layer_profiles
from neurox_lite.ranking.shared_neurons import shared_neurons
from neurox_lite.report.comparison import LeafResults, write_comparison
from neurox_lite.report.comparison_files import (
    COMPARISON,
    LAYER_PROFILES,
    LOCALISATIONS,
    REPORT_OF_ALL,
    beside,
    localisation_file,
    shared_file,
    twins_file,
)
from neurox_lite.report.html_report import write_report_of_run
from neurox_lite.report.job_files import (
    LAYER_SCORES,
    MINIMAL_SET,
    RANKING,
    RECORD,
    REPORT,
    STORE,
    SUMMARY,
)
from neurox_lite.report.result_files import other_files
from neurox_lite.results.ranking import NeuronRanking


@dataclass(frozen=True)
class SeveralJobs:
    """A job of several tags or models, and the jobs it is made of.

    Attributes
    ----------
    job : Job
    leaves : tuple of Leaf
    corpus : TaggedCorpus
        Of all of them; read once.
    """

    job: Job
    leaves: tuple[Leaf, ...]
    corpus: TaggedCorpus

    @classmethod
    def of(cls, job: Job) -> SeveralJobs:
        """Read the corpus; every tag takes those rules for labels that are for its own."""
        leaves, corpus = leaves_of(job), read_corpus_of(job)
        tags = list(dict.fromkeys(leaf.tag for leaf in leaves))
        rules = LabelRules(job.strip_bio, job.label_map).by_tag(corpus, tags)
        return cls(job, tuple(leaf.with_rules(rules[leaf.tag]) for leaf in leaves), corpus)

    @property
    def folder(self) -> Path:
        return Path(self.job.out)

    @property
    def by_model(self) -> dict[str, list[Leaf]]:
        """The jobs of each model, by its folder."""
        found: dict[str, list[Leaf]] = {}
        for leaf in self.leaves:
            found.setdefault(leaf.model_folder, []).append(leaf)
        return found

    def stages(self) -> tuple[Stage[SeveralJobs], ...]:
        """All that run in the folder of the job: extraction, localisation, comparison, report."""
        return (*self.extraction(), *self.after_leaves())

    def extraction(self) -> tuple[Stage[SeveralJobs], ...]:
        """A stage per model."""
        return tuple(_extraction(leaves[0]) for leaves in self.by_model.values())

    @property
    def pairs(self) -> list[tuple[Leaf, Leaf]]:
        """The first job of each model, with that of each other model."""
        firsts = [leaves[0] for leaves in self.by_model.values()]
        return list(permutations(firsts, 2))

    def after_leaves(self) -> tuple[Stage[SeveralJobs], ...]:
        """The stages that read what the jobs of one tag and one model have found.

        Of each job, of each of the pairs, and two of all.
        """
        localise = tuple(map(_localisation, self.leaves))
        between = tuple(starmap(_twins, self.pairs))
        return (*localise, *between, _comparison(self, localise), _report(between))

    def keys(self, leaf: Leaf, *names: str) -> list[Any]:
        """What stages of a job of one tag and one model depended on; all stages by default."""
        record = read_json(self.folder / leaf.name / RECORD)
        chosen = names or tuple(record)
        return [record[name]["key"] for name in chosen if name in record]


def _extraction(leaf: Leaf) -> Stage[SeveralJobs]:
    """Extraction as in a job of one tag and one model, into the folder of the model."""
    extract = STAGES[0]

    def work(several: SeveralJobs) -> Workspace:
        out = str(several.folder / leaf.model_folder)
        return Workspace(replace(leaf.job, out=out), several.corpus)

    def run(several: SeveralJobs) -> None:
        (several.folder / leaf.model_folder).mkdir(exist_ok=True)
        extract.run(work(several))

    name = extract.name if leaf.model_folder == "." else f"{extract.name} {leaf.model_folder}"
    return Stage(name, (), lambda several: extract.inputs(work(several)), run, always=(leaf.store,))


def _localisation(leaf: Leaf) -> Stage[SeveralJobs]:
    file = localisation_file(leaf.name)

    def run(several: SeveralJobs) -> None:
        work = Workspace(leaf.job, several.corpus)
        found = localisation(work.splits, leaf.tag, probe=work.probe, seed=leaf.job.seed)
        path = several.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(found, model=leaf.model).save(path)

    return Stage(
        file.stage,
        (),
        lambda several: [*several.keys(leaf, "probe"), leaf.job.seed],
        run,
        always=(file.name,),
    )


def _twins(leaf: Leaf, other: Leaf) -> Stage[SeveralJobs]:
    """Twins of one model's neurons in another, which do not depend on tags."""
    file = twins_file(leaf.model_folder, other.model_folder)

    def work(several: SeveralJobs) -> Workspace:
        return Workspace(leaf.job, several.corpus)

    def inputs(several: SeveralJobs) -> list[Any]:
        of_neurons = several.keys(leaf, "extract" if work(several).looks_at_all else "rank")
        return [of_neurons, several.keys(other, "extract"), leaf.job.seed]

    def run(several: SeveralJobs) -> None:
        path = several.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with STORE.read(several.folder / other.name) as there:
            twins_of(work(several), there).save(path)

    return Stage(
        file.stage,
        (),
        inputs,
        run,
        is_wanted=lambda several: work(several).has_exemplars,
        always=(file.name,),
    )


def _comparison(several: SeveralJobs, before: tuple[Stage[SeveralJobs], ...]) -> Stage[SeveralJobs]:
    files = [LAYER_PROFILES.name, LOCALISATIONS.name]
    if len(several.job.tags) > 1:
        files += [shared_file(folder).name for folder in several.by_model]
    job = several.job
    return Stage(
        COMPARISON,
        tuple(stage.name for stage in before),
        lambda several: [
            [[leaf.tag, leaf.model, leaf.name, several.keys(leaf)] for leaf in several.leaves],
            *(job.corpus, job.figure_format, job.table_format, asdict(job.words)),
        ],
        _compare,
        sometimes=tuple(name for file in files for name in beside(file)),
        always=(*files, SUMMARY.name),
    )


def _report(between: tuple[Stage[SeveralJobs], ...]) -> Stage[SeveralJobs]:
    """One report of all tags and models, beside that of each."""
    return Stage(
        REPORT_OF_ALL,
        (COMPARISON, *(stage.name for stage in between)),
        lambda several: [
            several.job.seed,
            other_files(several.folder, tuple(leaf.name for leaf in several.leaves)),
        ],
        lambda several: write_report_of_run(several.folder, several.folder / REPORT.name),
        always=(REPORT.name,),
    )


def _n_units(ranking: NeuronRanking, columns: Sequence[int]) -> int:
    """How many neurons, or groups such as heads, a minimal set has."""
    space = ranking.space
    return len(np.unique(space.expand(np.arange(space.n_neurons))[list(columns)]))


def _compare(several: SeveralJobs) -> None:
    job, corpus = several.job, several.corpus
    save = partial(save_result, figure_format=job.figure_format, table_format=job.table_format)
    files = corpus.source.split(" + ")
    tags = ", ".join(dict.fromkeys(leaf.tag for leaf in several.leaves))
    models = ", ".join(dict.fromkeys(leaf.model for leaf in several.leaves))
    profiles = []
    for folder, leaves in several.by_model.items():
        where = {leaf.tag: several.folder / leaf.name for leaf in leaves}
        rankings = {tag: RANKING.read(path) for tag, path in where.items()}
        minimal = {tag: MINIMAL_SET.read(path).columns for tag, path in where.items()}
        k = {
            tag: _n_units(rankings[tag], columns)
            for tag, columns in minimal.items()
            if columns is not None
        }
        scores = {tag: LAYER_SCORES.read(path) for tag, path in where.items() if job.study}
        found = layer_profiles(rankings, k, scores=scores)
        named = (replace(one, model=leaves[0].model) for one in found.profiles)
        profiles.append(LayerProfiles(tuple(named)))
        if len(leaves) > 1:
            shared = shared_neurons(rankings, k, seed=job.seed)
            title = title_of(tags, leaves[0].model, files)
            save(shared, several.folder / shared_file(folder).name, title=title)
    title = title_of(tags, models, files)
    save(LayerProfiles.joined(profiles), several.folder / LAYER_PROFILES.name, title=title)
    results = [localisation_file(leaf.name).read(several.folder) for leaf in several.leaves]
    save(Localisations.of(results), several.folder / LOCALISATIONS.name, title=title)
    write_comparison(
        several.folder,
        [
            LeafResults(leaf.tag, leaf.model, leaf.name, leaf.model_folder)
            for leaf in several.leaves
        ],
        corpus=public_sources(corpus.source),
        words=job.words,
        rules=LabelRules(job.strip_bio, job.label_map),
        figure_format=job.figure_format,
    )
