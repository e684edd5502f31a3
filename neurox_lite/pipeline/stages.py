"""The stages of every job: what each needs, makes and depends on."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

import numpy as np

from neurox_lite.activations.store import ActivationStore
from neurox_lite.attribution.comparison import NAMES as ATTRIBUTION_FILES
from neurox_lite.attribution.comparison import compare_attributions
from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.correlation.twins import twins
from neurox_lite.descriptions.describe import describe
from neurox_lite.descriptions.exemplars import exemplars
from neurox_lite.descriptions.tokens_written import tokens_written
from neurox_lite.errors import InputError
from neurox_lite.evaluation.ablation import ablate
from neurox_lite.evaluation.minimal_set import minimal_set
from neurox_lite.extraction.extract import extract
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.json_files import write_json
from neurox_lite.models.direct_paths import WRITING_SITES
from neurox_lite.models.loading import load_model
from neurox_lite.models.location import Location
from neurox_lite.models.model_files import model_name, model_revision
from neurox_lite.pipeline.figures import FIGURE_FILES, TABLE_FILES, draw_figures, write_tables
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.stage import Stage
from neurox_lite.pipeline.study import STUDY, ranked_units
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.probing.evaluation import evaluate_probe
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.search import regularisation_search
from neurox_lite.probing.selectivity import selectivity
from neurox_lite.public_names import public_name, public_sources
from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
from neurox_lite.report.html_report import write_report_of_run
from neurox_lite.report.job_files import (
    ABLATION,
    CONTROL,
    DESCRIPTIONS,
    EVALUATION,
    EXEMPLARS,
    FAITHFULNESS,
    MINIMAL_SET,
    PROBE,
    RANKING,
    REPORT,
    SEARCH,
    STORE,
    TWINS,
)
from neurox_lite.report.result_files import other_files
from neurox_lite.report.summary import write_summary
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.results.units import in_units

TWIN_WORDS, FEWER_TWIN_WORDS = 20_000, 5_000
"""Over which neurons correlate, and where there are more than are looked at."""

TOKENS = "exemplars/tokens.json"

logger = logging.getLogger(__name__)


def _extract(work: Workspace) -> None:
    options = asdict(work.extract)
    extract(work.job.model, work.words, work.path(STORE), overwrite=True, **options).close()


def _new_probe(work: Workspace) -> ElasticNetProbe:
    options = asdict(work.job.probe)
    for not_of_the_probe in ("min_count", "search"):
        options.pop(not_of_the_probe)
    return ElasticNetProbe(**options)


def _search(work: Workspace) -> None:
    splits = work.splits
    search, _ = regularisation_search(_new_probe(work), splits.train, X_dev=splits.dev)
    search.save(work.path(SEARCH))


def _probe(work: Workspace) -> None:
    probe = _new_probe(work)
    if work.job.probe.search:
        l1, l2 = work.read(SEARCH).best
        probe.set_params(l1=l1, l2=l2)
    probe.fit(work.splits.train)
    probe.save(work.path(PROBE).parent)
    write_json(work.path(EVALUATION), evaluate_probe(probe, work.splits))


def _control(work: Workspace) -> None:
    words, n_seeds = work.corpus.words(), _n_controls(work)
    train, test = work.train, work.splits.test
    result = selectivity(work.probe, train, test, words, seed=work.job.seed, n_seeds=n_seeds)
    result.save(work.path(CONTROL))


def _n_controls(work: Workspace) -> int:
    return 3 if work.job.study else 1


def _rank(work: Workspace) -> None:
    ranking = in_units(linguistic_correlation(work.probe), work.units)
    ranking.save(work.path(RANKING))
    ranking.save(work.path(RANKING).with_suffix(".csv"))


def _minimal_set(work: Workspace) -> None:
    dev, delta = work.splits.dev, work.job.ablate.delta
    result = minimal_set(work.ranking, work.probe, work.train, X_dev=dev, delta=delta)
    result.save(work.path(MINIMAL_SET))


def _ablate(work: Workspace) -> None:
    options = asdict(work.job.ablate)
    options.pop("delta")
    curves = ablate(
        [work.ranking],
        work.train,
        probe=work.probe,
        X_test=work.splits.test,
        seed=work.job.seed,
        **options,
    )
    curves.save(work.path(ABLATION))


def _attribute(work: Workspace) -> None:
    options = work.job.attribute
    in_test = np.flatnonzero(np.array(work.words.splits) == "test")[: options.n_texts]
    texts = work.words.select(in_test.tolist())
    if options.neurons:
        model = load_model(work.job.model, random_weights=work.extract.random_weights)
        where = Location.of_space(work.ranking.space)
        top = work.ranking.top(options.neurons)
        explained = ExplainedTexts.of_neurons(model, texts, top, where)
    else:
        explained = ExplainedTexts.of_texts(work.job.model, texts)
    found = compare_attributions(
        explained,
        options.methods,
        options=options.options,
        labels=texts.labels(work.job.tag).tolist(),
        seed=work.job.seed,
    )
    folder = work.path(FAITHFULNESS).parent
    found.save(folder, figure_format=work.job.figure_format, table_format=work.job.table_format)


def _describe(work: Workspace) -> None:
    options = work.job.describe
    all_known = work.has_exemplars and work.looked_at is None
    found = describe(
        work.store,
        work.corpus,
        work.ranking.top(work.n_described),
        share=options.share,
        min_count=options.min_count,
        seed=work.job.seed,
        exemplars=work.read(EXEMPLARS) if all_known else None,
    )
    path = work.path(DESCRIPTIONS)
    path.parent.mkdir(exist_ok=True)
    found.save(path)
    found.save(path.with_suffix(".csv"))
    found.save_page(path.with_suffix(".html"))


def _exemplars(work: Workspace) -> None:
    found = exemplars(work.store, work.corpus, neurons=work.looked_at, seed=work.job.seed)
    found.save(work.path(EXEMPLARS).parent)


def _twins(work: Workspace) -> None:
    path = work.path(TWINS)
    path.parent.mkdir(exist_ok=True)
    twins_of(work).save(path)


def twins_of(work: Workspace, other: ActivationStore | None = None) -> NeuronTwins:
    """Of the neurons that are looked at, in the same model or in another one of the same words."""
    neurons = work.looked_at
    n_words = TWIN_WORDS if neurons is None else FEWER_TWIN_WORDS
    return twins(work.store, other, neurons=neurons, n_words=n_words, seed=work.job.seed)


def _tokens(work: Workspace) -> None:
    """Of neurons that write to the stream of a causal model; others have no such tokens."""
    where = Location.of_space(work.store.space)
    random_weights = work.extract.random_weights
    try:
        model = load_model(work.job.model, head="language", random_weights=random_weights)
        written = tokens_written(model, work.looked_at, where)
    except InputError as error:
        logger.info("tokens that neurons write are left out: %s", error)
        return
    path = work.folder / TOKENS
    path.parent.mkdir(exist_ok=True)
    written.save(path)


def _summary(work: Workspace) -> None:
    draw_figures(work)
    write_tables(work)
    write_summary(
        work.folder,
        model=model_name(work.job.model, work.job.extract.random_weights),
        corpus=public_sources(work.corpus.source),
        tag=work.job.tag,
        words=work.job.words,
        rules=LabelRules(work.job.strip_bio, work.job.label_map),
        skipped=[_by_names(line, work.job) for line in work.corpus.skipped],
        search=work.job.probe.search,
        study=work.job.study,
        attributed=_attributed(work),
        doubts=_doubts(work),
        described=work.n_described > 0,
        figure_format=work.job.figure_format,
    )


def _report(work: Workspace) -> None:
    write_report_of_run(work.folder, work.path(REPORT))


def _attributed(work: Workspace) -> str | None:
    """What attributions are of, in words."""
    options = work.job.attribute
    if not options.methods:
        return None
    if not options.neurons:
        return "what the model says"
    how_many = f" {options.neurons} neurons" if options.neurons > 1 else " neuron"
    return f"the top{how_many} of the ranking"


def _doubts(work: Workspace) -> str:
    """Which of the attributions do not hold, in words."""
    paths = [work.folder / f"attribution/{name}.json" for name in work.job.attribute.methods]
    found = [TokenAttributions.load(path) for path in paths]
    return ", ".join(f"{each.method} ({each.status})" for each in found if not each.holds)


def _by_names(line: str, job: Job) -> str:
    """A bad line, with the names of files instead of their paths."""
    for files in (job.corpus, job.labels):
        for file in files.values() if isinstance(files, dict) else [files]:
            line = line.replace(file, public_name(file)) if file else line
    return line


def _labels(work: Workspace) -> list[Any]:
    # The words that are left out, not the options: a list of words may change in its file.
    left_out = np.flatnonzero(~work.keep).tolist()
    balance = work.job.words.balance
    drawn = [balance, work.job.seed] if balance else []
    return [work.job.tag, work.corpus.content_hash, left_out, *drawn]


def _extraction_inputs(work: Workspace) -> list[Any]:
    job: Job = work.job
    read = [work.corpus.words_hash, *([work.corpus.text_hash] if work.corpus.texts else ())]
    return [model_revision(job.model, job.extract.random_weights), *read, work.extract.content()]


END_TO_END = (
    Stage("extract", (), _extraction_inputs, _extract),
    Stage(
        "search",
        ("extract",),
        lambda work: [_labels(work), asdict(work.job.probe)],
        _search,
        is_wanted=lambda work: work.job.probe.search,
    ),
    Stage(
        "probe",
        ("extract", "search"),
        lambda work: [_labels(work), asdict(work.job.probe)],
        _probe,
    ),
    Stage("control", ("probe",), lambda work: [work.job.seed, _n_controls(work)], _control),
    Stage("rank", ("probe",), ranked_units, _rank),
    Stage("minimal set", ("rank",), lambda work: work.job.ablate.delta, _minimal_set),
    Stage("ablate", ("rank",), lambda work: [asdict(work.job.ablate), work.job.seed], _ablate),
    Stage(
        "attribute",
        ("rank",),
        lambda work: [
            asdict(work.job.attribute),
            work.words.content_hash,
            work.job.seed,
            work.job.figure_format,
            work.job.table_format,
        ],
        _attribute,
        sometimes=tuple(
            name
            for name in map("attribution/{}".format, ATTRIBUTION_FILES)
            if name not in (FAITHFULNESS.name, *FAITHFULNESS.others)
        ),
        is_wanted=lambda work: bool(work.job.attribute.methods),
    ),
    Stage(
        "exemplars",
        ("rank",),
        lambda work: [work.corpus.content_hash, work.job.seed],
        _exemplars,
        is_wanted=lambda work: work.has_exemplars,
    ),
    Stage(
        "describe",
        ("rank", "exemplars"),
        lambda work: [
            work.n_described,
            asdict(work.job.describe),
            work.corpus.content_hash,
            work.job.seed,
        ],
        _describe,
        is_wanted=lambda work: work.n_described > 0,
    ),
    Stage(
        "twins",
        ("rank",),
        lambda work: work.job.seed,
        _twins,
        is_wanted=lambda work: work.has_exemplars,
    ),
    Stage(
        "tokens",
        ("rank",),
        lambda work: model_revision(work.job.model, work.extract.random_weights),
        _tokens,
        sometimes=(TOKENS,),
        is_wanted=lambda work: work.has_exemplars and work.extract.site in WRITING_SITES,
    ),
)
SUMMARY = Stage(
    "summary",
    tuple(stage.name for stage in (*END_TO_END, *STUDY)),
    lambda work: [
        work.job.model,
        work.job.corpus,
        work.job.tag,
        asdict(work.job.words),
        work.job.figure_format,
        work.job.table_format,
    ],
    _summary,
    sometimes=FIGURE_FILES + TABLE_FILES,
)

REPORT_STAGE = Stage(
    REPORT.stage,
    tuple(stage.name for stage in (*END_TO_END, *STUDY)),
    lambda work: [
        *(work.job.model, work.job.corpus, work.job.tag, work.job.seed),
        *(asdict(work.job.words), work.job.strip_bio, work.job.label_map),
        other_files(work.folder),
    ],
    _report,
)

STAGES = (*END_TO_END, *STUDY, SUMMARY, REPORT_STAGE)
"""In the order in which they run."""
