"""neurox-lite describe: what neurons are about, and the words and sentences they fire on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.corpus_options import ReadingOptions
from neurox_lite.cli.options import (
    Corpus,
    Debug,
    FigureOptions,
    Json,
    Seed,
    Store,
    reject_options,
)
from neurox_lite.cli.output import quiet_transformers, show, skipped_lines
from neurox_lite.cli.output_claims import claim_folder
from neurox_lite.cli.parsing import by_split
from neurox_lite.errors import InputError
from neurox_lite.outputs import atomic_write_folder

if TYPE_CHECKING:
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.descriptions.neuron_description import NeuronDescriptions
    from neurox_lite.descriptions.neuron_tokens import TokensWritten
    from neurox_lite.descriptions.proposals import Propose
    from neurox_lite.neurons import NeuronSpace

NAMES = ("descriptions.json", "descriptions.html", "descriptions.csv", "descriptions.tex",
         "descriptions.png", "descriptions.pdf", "descriptions.svg", "tokens_written.json",
         "tokens_written.csv")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Describe:
    """Describe neurons: what the sentences and words they fire on have more often than others.

    At most two descriptions for the largest activations of a neuron and for the smallest, or none,
    with scores on held-out sentences; and the sentences and words themselves, as a page.

    Descriptors are the labels, forms and positions of words, and the keywords and noun phrases of
    sentences; or of sentences those of a file, of an instruct model, or of an OpenAI-compatible
    endpoint, to which the sentences are sent.

    Example: neurox-lite describe --store bert.h5 --corpus my.conllu --ranking ranking.json -k 50
    --out descriptions

    Example: neurox-lite describe --store gpt2.h5 --corpus my.conllu --neuron 3:17 --model gpt2
    --out neuron
    """

    context: typer.Context
    store: Store
    corpus: Corpus
    reading: ReadingOptions
    out: Annotated[str, typer.Option("--out", help="Folder for descriptions, and their page.")]
    ranking: Annotated[
        str | None, typer.Option("--ranking", help="Describe the first neurons of this ranking.")
    ] = None
    k: Annotated[
        int, typer.Option("-k", min=1, help="How many neurons of the ranking to describe.")
    ] = 50
    neuron: Annotated[
        list[str] | None,
        typer.Option("--neuron", help="Describe this neuron, such as 3:17; may be repeated."),
    ] = None
    descriptors: Annotated[
        str | None, typer.Option("--descriptors", help="File with a descriptor on each line.")
    ] = None
    generator: Annotated[
        str | None,
        typer.Option("--generator", help="Instruct model that names descriptors of sentences."),
    ] = None
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint",
            help="Address of an OpenAI-compatible API that all sentences are sent to, such as "
            "http://localhost:8000/v1; its key is read from OPENAI_API_KEY.",
        ),
    ] = None
    endpoint_model: Annotated[
        str | None, typer.Option("--endpoint-model", help="Name of the model at the endpoint.")
    ] = None
    answers: Annotated[
        str | None,
        typer.Option("--answers", help="Folder for the endpoint's answers, to go on after a stop."),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Causal language model of the store: also tell which tokens the neurons write "
            "(of site mlp or attention_heads).",
        ),
    ] = None
    share: Annotated[
        float, typer.Option("--share", help="Of the sentences that are exemplars of a neuron.")
    ] = 0.01
    min_count: Annotated[
        int,
        typer.Option("--min-count", min=1, help="Sentences of each half that a descriptor needs."),
    ] = 10
    figures: FigureOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results.")] = False
    seed: Seed = 0
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.activations.store import ActivationStore
        from neurox_lite.corpora.reading import read_files
        from neurox_lite.descriptions.describe import describe

        self._check()
        inputs = (
            *(self.store, self.corpus, self.reading.labels, self.ranking),
            *(self.descriptors, self.model),
        )
        claim_folder(self.context, self.out, NAMES, self.overwrite, *inputs)
        propose = self._propose()
        files, labels = by_split(self.corpus), by_split(self.reading.labels)
        corpus = read_files(files, labels=labels, **self.reading.of_corpus())
        with ActivationStore(self.store) as store:
            neurons = self._neurons(store)
            written = self._tokens_written(store.space, neurons)
            found = describe(
                store,
                corpus,
                neurons,
                propose=propose,
                # A list says itself what is one.
                embed=None if self.descriptors else "letters",
                share=self.share,
                min_count=self.min_count,
                seed=self.seed,
            )
        with atomic_write_folder(self.out, NAMES) as new:
            self.figures.save(found, new / "descriptions.json")
            found.save(new / "descriptions.csv")
            found.save_page(new / "descriptions.html", written)
            if written:
                written.save(new / "tokens_written.json")
                written.save(new / "tokens_written.csv")
        shown = {"descriptions": self.out, **_summary(found), **skipped_lines(corpus)}
        show(shown, self.as_json)

    def _check(self) -> None:
        """Refuse options that do not go together."""
        self.figures.check()
        if self.ranking and self.neuron:
            raise InputError("--neuron and --ranking both name neurons; give one of them")
        if not self.ranking:
            reject_options(self.context, ["k"], "a command without --ranking")
        if sum(each is not None for each in (self.descriptors, self.generator, self.endpoint)) > 1:
            raise InputError("give one of --descriptors, --generator and --endpoint")
        if self.endpoint is None:
            reject_options(
                self.context, ["endpoint_model", "answers"], "a command without --endpoint"
            )
        elif self.endpoint_model is None:
            raise InputError("--endpoint needs the name of its model; give --endpoint-model")

    def _propose(self) -> Propose | None:
        """Who names descriptors of sentences; None for the corpus itself."""
        if self.descriptors:
            from neurox_lite.descriptions.proposals import read_descriptors

            return read_descriptors(self.descriptors)
        if self.generator:
            from neurox_lite.descriptions.instruct_model import InstructModel

            quiet_transformers()
            return InstructModel(self.generator)
        if self.endpoint and self.endpoint_model:
            from neurox_lite.descriptions.endpoint import Endpoint

            return Endpoint(self.endpoint, self.endpoint_model, folder=self.answers)
        return None

    def _tokens_written(self, space: NeuronSpace, neurons: Any) -> TokensWritten | None:
        """Of the neurons to describe, before that is done."""
        if self.model is None:
            return None
        from neurox_lite.descriptions.tokens_written import tokens_written
        from neurox_lite.models.location import Location

        quiet_transformers()
        written = tokens_written(self.model, neurons, Location.of_space(space))
        written.require_space(space)
        return written

    def _neurons(self, store: ActivationStore) -> Any:
        """Those to describe; None for all."""
        from neurox_lite.results.ranking import NeuronRanking, require_space

        if self.ranking is None:
            return self.neuron
        ranking = NeuronRanking.load(self.ranking)
        require_space(ranking, store.space.select(ranking.space.layers))
        return ranking.top(self.k)


def _summary(found: NeuronDescriptions) -> dict[str, Any]:
    """What the command shows."""
    described = [one for one in found.neurons if one.descriptions]
    return {
        "neurons": len(found.exemplars),
        "described": len({one.neuron for one in described}),
        "same in both halves": found.jaccard and round(found.jaccard, 6),
        "described when shuffled": round(found.described_by_chance, 6),
        "first": [f"{one.neuron} {one.sign}: {', '.join(one.texts)}" for one in described[:5]],
    }
