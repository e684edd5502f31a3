"""neurox-lite attribute: which tokens decide what a model says of a text, from which layer on."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.choices import unknown_choice
from neurox_lite.cli.commands import option_names
from neurox_lite.cli.corpus_options import ReadingOptions
from neurox_lite.cli.method_options import options_of
from neurox_lite.cli.options import TAG, Debug, FigureOptions, Json, Seed, reject_options
from neurox_lite.cli.output import EXIT_INCONCLUSIVE, quiet_transformers, show, skipped_lines
from neurox_lite.cli.output_claims import claim_folder
from neurox_lite.cli.pair_options import Condition, Template, chosen_pairs, read_all_pairs
from neurox_lite.errors import InputError
from neurox_lite.outputs import atomic_write_folder

if TYPE_CHECKING:
    from neurox_lite.attribution.comparison import AttributionComparison
    from neurox_lite.interventions.explained_texts import ExplainedTexts
    from neurox_lite.masking.token_mask import TokenMask
    from neurox_lite.results.token_attributions import TokenAttributions

DIFFMASK = "diffmask"
OF_BOTH = ("text", "skip_bad_lines")
OF_CORPORA = ["tag", *(name for name in option_names(ReadingOptions) if name not in OF_BOTH)]
AttributionOptions: Any = options_of(ATTRIBUTION_METHODS)


@dataclass(frozen=True, kw_only=True)
class ReadingOrText(ReadingOptions):
    """`--text` has a second meaning here."""

    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            help="Texts, one per line, blank lines left out; questions for a model that answers "
            "them; with --corpus as in 'probe'.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """Say how much each token of a text does for what a model says of it.

    What is explained is the class that a classifier gives the text; the token that a masked model
    predicts at the mask, or another one after the text; the choice between the words of --pairs;
    the answer to a question; or, with --neuron or --ranking, what makes neurons fire.

    'attribute all' compares all methods: their faithfulness, how far they agree, and their time.
    Options of methods, such as --state, are for all that take them.

    With --method diffmask, exits with 3 when its gates have not settled or cannot keep what the
    model says.

    Example: neurox-lite attribute --model sentiment --text reviews.txt --out attributions

    Example: neurox-lite attribute --model gpt2 --pairs pairs.tsv --method leave-one-out --out loo

    Example: neurox-lite attribute all --model sentiment --corpus reviews.csv --text-column text
    --out comparison
    """

    context: typer.Context
    scope: Annotated[
        str | None, typer.Argument(metavar="all", help="all: compare all methods.")
    ] = None
    model: Annotated[
        str,
        typer.Option("--model", help="Model with the head to explain: folder, or name on a hub."),
    ]
    out: Annotated[
        str,
        typer.Option(
            "--out",
            help="Folder for attributions (JSON, CSV, HTML, a figure), and how faithful they are.",
        ),
    ]
    contexts: Annotated[
        str | None,
        typer.Option("--contexts", help="Where the answers to the questions are, one per line."),
    ] = None
    pairs: Annotated[list[str] | None, typer.Option("--pairs", help="Minimal pairs.")] = None
    condition: Condition = None
    template: Template = None
    corpus: Annotated[
        str | None, typer.Option("--corpus", help="Sentences whose words have tags.")
    ] = None
    tag: Annotated[str | None, TAG] = None
    reading: ReadingOrText
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Use the first so many texts only.")
    ] = None
    neuron: Annotated[
        list[str] | None,
        typer.Option("--neuron", help="Explain this neuron, such as 3:17; several are summed."),
    ] = None
    ranking: Annotated[
        str | None, typer.Option("--ranking", help="Explain the first neurons of this ranking.")
    ] = None
    top: Annotated[
        int, typer.Option("--top", min=1, help="How many neurons of the ranking to explain.")
    ] = 1
    site: Annotated[
        str | None,
        typer.Option(
            "--site", help="Of --neuron; by default lstm_cell for LSTMs, else hidden_states."
        ),
    ] = None
    method: Annotated[
        str,
        typer.Option("--method", help=f"{', '.join(ATTRIBUTION_METHODS)}."),
    ] = "diffmask"
    methods: Annotated[
        str | None,
        typer.Option("--methods", help="all: compare only these, such as diffmask,uniform."),
    ] = None
    mask: Annotated[
        str | None,
        typer.Option("--mask", help="diffmask: explain by this mask, instead of fitting one."),
    ] = None
    options: AttributionOptions
    figures: FigureOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results.")] = False
    seed: Seed = 0
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.attribution.comparison import NAMES, compare_attributions
        from neurox_lite.figures import title_of

        self._check()
        source = [*(self.pairs or ()), *filter(None, (self.corpus, self.reading.text))]
        names = (*NAMES, "token_mask.json", "token_mask.safetensors")
        inputs = (self.model, source, self.contexts, self.ranking, self.mask)
        claim_folder(self.context, self.out, names, self.overwrite, *inputs)
        quiet_transformers()
        texts, skipped = self._read()
        labels = texts.labels(self.tag) if self.tag else None
        explained = self._explained(texts)
        mask: TokenMask | None = None
        if self.scope == "all":
            chosen = None if self.methods is None else self._compared
            options = {name: self._options_of(name) for name in self._compared}
            found = compare_attributions(
                explained, chosen, options=options, labels=labels, seed=self.seed
            )
        else:
            mask, one = self._attribute(explained)
            found = compare_attributions(explained, [one], labels=labels, seed=self.seed)
        title = title_of(explained.provenance["explained"], self.model, source)
        with atomic_write_folder(self.out, names) as new:
            found.save(new, title=title, **vars(self.figures))
            if mask is not None:
                mask.save(new)
        show({"attributions": self.out, **_summary(found, mask), **skipped}, self.as_json)
        if found.doubts:
            raise typer.Exit(EXIT_INCONCLUSIVE)

    def _check(self) -> None:
        """Refuse options that do not go together."""
        self.figures.check()
        if self.scope not in (None, "all"):
            raise InputError(f"'{self.scope}': give all, or one method by --method")
        for name in self._compared:
            if name not in ATTRIBUTION_METHODS:
                raise unknown_choice("method", name, ATTRIBUTION_METHODS)
        if self.scope == "all":
            reject_options(self.context, ["method", "mask"], "'all'")
        else:
            refused = ["methods", *(() if self.method == DIFFMASK else ("mask",))]
            reject_options(self.context, refused, f"'{self.method}'")
        taken = {
            option.name for name in self._compared for option in ATTRIBUTION_METHODS[name].options
        }
        others = [name for name in option_names(AttributionOptions) if name not in taken]
        reject_options(self.context, others, f"'{self.methods or self.method}'")
        if self.mask is not None:
            reject_options(self.context, option_names(AttributionOptions), "a fitted --mask")
        given = [self.pairs, self.corpus or self.reading.text]
        if sum(each is not None for each in given) != 1:
            raise InputError("give texts by one of --text, --pairs and --corpus")
        if self.corpus is None:
            reject_options(self.context, OF_CORPORA, "--text or --pairs")
        if self.pairs is None:
            reject_options(self.context, ["condition", "template"], "--text or --corpus")
        for name in ("corpus", "pairs", "neuron", "ranking"):
            if getattr(self, name):
                reject_options(self.context, ["contexts"], f"--{name}")
        if not self.neuron:
            reject_options(self.context, ["site"], "a command without --neuron")
        if not self.ranking:
            reject_options(self.context, ["top"], "a command without --ranking")
        if self.neuron and self.ranking:
            raise InputError("--neuron and --ranking both name neurons; give one of them")
        if (self.neuron or self.ranking) and self.pairs:
            raise InputError("neurons fire on texts; give --text or --corpus instead of --pairs")

    def _read(self) -> tuple[Any, dict[str, Any]]:
        """Texts, a corpus or minimal pairs, and what is shown of lines that were skipped."""
        from neurox_lite.corpora.reading import read_corpus
        from neurox_lite.corpora.text_files import read_lines

        if self.corpus:
            options, labels = self.reading.of_corpus(), self.reading.labels
            corpus = read_corpus(self.corpus, labels=labels[0] if labels else None, **options)
            first = range(min(self.limit or len(corpus), len(corpus)))
            return corpus.select(first), skipped_lines(corpus)
        if self.pairs:
            pairs = read_all_pairs(self.pairs, self.reading.skip_bad_lines)
            chosen = chosen_pairs(pairs, self.condition, self.template)
            return chosen[: self.limit], skipped_lines(pairs)
        lines = read_lines(self.reading.text, blank_lines=not self.contexts)  # type: ignore[arg-type]
        return lines[: self.limit], {}

    def _read_contexts(self) -> list[str] | None:
        """The context of each question that is explained."""
        from neurox_lite.corpora.text_files import read_lines

        if self.contexts is None:
            return None
        files = (str(self.reading.text), self.contexts)
        questions, contexts = (read_lines(path, blank_lines=False) for path in files)
        if len(questions) != len(contexts):
            raise InputError(
                f"{self.contexts}: {len(contexts)} contexts for {len(questions)} questions; give "
                "one for each, on the same line"
            )
        return contexts[: self.limit]

    def _explained(self, texts: Any) -> ExplainedTexts:
        from neurox_lite.interventions.explained_texts import ExplainedTexts
        from neurox_lite.models.loading import load_model
        from neurox_lite.models.location import Location
        from neurox_lite.neurons import check_revision
        from neurox_lite.results.ranking import NeuronRanking

        if self.pairs:
            return ExplainedTexts.of_pairs(self.model, texts)
        if self.ranking:
            ranking, loaded = NeuronRanking.load(self.ranking), load_model(self.model)
            check_revision(ranking.space, loaded.revision, self.ranking)
            if ranking.space.groups is not None:
                raise InputError(
                    f"{self.ranking}: ranks {ranking.space.unit_name}, and what is explained are "
                    "neurons; give a ranking of neurons"
                )
            where = Location.of_space(ranking.space)
            return ExplainedTexts.of_neurons(loaded, texts, ranking.top(self.top), where)
        if self.neuron:
            return ExplainedTexts.of_neurons(self.model, texts, self.neuron, Location(self.site))
        return ExplainedTexts.of_texts(self.model, texts, contexts=self._read_contexts())

    @property
    def _compared(self) -> list[str]:
        """Names of the methods that are run."""
        if self.scope is None:
            return [self.method]
        if self.methods is not None:
            return [name.strip() for name in self.methods.split(",")]
        return [row.name for row in ATTRIBUTION_METHODS.values() if row.is_installed]

    def _options_of(self, method: str) -> dict[str, Any]:
        """The options that a method takes, but for those that it has a default of its own for."""
        given = {**vars(self.options), "seed": self.seed}
        names = [option.name for option in ATTRIBUTION_METHODS[method].options]
        return {name: given[name] for name in names if given[name] is not None}

    def _attribute(self, explained: ExplainedTexts) -> tuple[TokenMask | None, TokenAttributions]:
        """What the one method gives, and of diffmask its mask."""
        from neurox_lite.attribution.methods import attribute_by
        from neurox_lite.masking.token_mask import TokenMask

        options = self._options_of(self.method)
        if self.method != DIFFMASK:
            return None, attribute_by(self.method, explained, **options)
        mask = TokenMask.load(self.mask) if self.mask else TokenMask(**options).fit(explained)
        return mask, mask.explain(explained)


def _summary(found: AttributionComparison, mask: TokenMask | None) -> dict[str, Any]:
    """What a command shows of attributions."""
    faith = found.faithfulness
    shown: dict[str, Any] = {"texts": faith.n_texts}
    if mask is not None:
        shown["status"] = mask.status
    elif found.doubts:
        shown["status"] = found.doubts
    if len(found.attributions) == 1:
        first = found.attributions[0]
        most = zip(first.said, first.most_attributed(), strict=True)
        shown["top tokens"] = [f"{said}: {' '.join(tokens)}" for said, tokens in list(most)[:3]]
    rows = zip(faith.methods, faith.comprehensiveness, faith.sufficiency, strict=True)
    shown |= {
        method: {"comprehensiveness": round(without.value, 6), "sufficiency": round(only.value, 6)}
        for method, without, only in rows
    }
    for first, seconds in zip(found.attributions, found.seconds, strict=True):
        if not isnan(seconds):
            shown[first.method]["seconds per text"] = round(seconds, 6)
    if found.left_out:
        shown["left out"] = dict(found.left_out)
    return shown
