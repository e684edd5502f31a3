"""Attributions of a classifier of real sentences: MiniLM with a sentiment head, trained here.

    python -m tests.benchmarks.sentiment_sst --model out/minilm --data ../shared/data/sst
        [--treebank ../shared/data/ewt/en_ewt-ud-dev.conllu.gz] [--json]

The head and the last blocks are trained on the treebank's train split, where they are missing, and
kept under ``--out``. The first table has the figures of ERASER for all methods, with 95 % intervals
over sentences of the dev split: how far the probability of what the model said falls without the
top tokens (comprehensiveness, more is better), with these only (sufficiency, less is better). The
second, with ``--treebank``, says what share of the words of each part of speech DiffMask keeps in
each state, in sentences that are annotated.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import neurox_lite as nx
from neurox_lite.attribution import faithfulness, kept_by
from neurox_lite.attribution.faithfulness import MEASURED
from neurox_lite.interventions.explained_texts import ExplainedTexts
from tests.benchmarks.attribution_runs import (
    ESTIMATORS,
    PER_TEXT,
    fit_mask,
    one_thread,
    parser_of,
    print_kept,
    run_methods,
    say,
)
from tests.benchmarks.deciding_models import accuracy, train
from tests.benchmarks.deciding_texts import LabelledText, joined

SEED = 0
N_FIT = 4000
N_TAGGED = 300
MASK_OPTIONS = {"epsilon": 0.1, "n_steps": 400, "batch_size": 16}
FIT_EACH = {"n_steps": 100}
"""Fewer steps than by default, since a pass through MiniLM takes long on one core."""


def read_examples(path: Path) -> list[LabelledText]:
    """Labelled sentences; which words decide is not known."""
    corpus = nx.read_corpus(path, text_column="sentence", label_column="label")
    return [
        LabelledText(tuple(words), int(labels[0]), (), "")
        for words, labels in zip(corpus.sentences, corpus.tags["label"], strict=True)
    ]


def classifier(base: Path, data: Path, out: Path, *, n_blocks: int, epochs: int) -> Path:
    """The folder of the classifier, which is trained when it is not there."""
    path = out / f"minilm-{n_blocks}-{epochs}"
    if not (path / "config.json").is_file():
        model, tokenizer = train(
            "sentiment",
            read_examples(data / "train.csv.gz"),
            SEED,
            base=base,
            n_blocks=n_blocks,
            epochs=epochs,
            rate=1e-4,
        )
        say(f"accuracy on dev {accuracy(model, tokenizer, read_examples(data / 'dev.csv.gz')):.4f}")
        tokenizer.save_pretrained(path)
        model.save_pretrained(path)
    return path


def main() -> None:
    parser = parser_of(__doc__, has_seeds=False)
    parser.add_argument("--model", type=Path, required=True, help="MiniLM, or another BERT")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--treebank", type=Path, help="CoNLL-U, for shares by part of speech")
    parser.add_argument("--out", type=Path, default=Path("out/sst"))
    parser.add_argument("--blocks", type=int, default=2, help="how many of the last are trained")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--sentences", type=int, default=50, help="explained")
    arguments = parser.parse_args()
    one_thread()
    path = classifier(
        arguments.model,
        arguments.data,
        arguments.out,
        n_blocks=arguments.blocks,
        epochs=arguments.epochs,
    )
    train_texts, dev_texts = (
        [joined(each.words) for each in read_examples(arguments.data / f"{split}.csv.gz")]
        for split in ("train", "dev")
    )
    to_fit = ExplainedTexts.of_texts(path, drawn(train_texts, N_FIT))
    to_explain = ExplainedTexts.of_texts(path, drawn(dev_texts, arguments.sentences))
    options: dict[str, dict[str, Any]] = {
        **dict.fromkeys(ESTIMATORS, MASK_OPTIONS),
        **{name: {"epsilon": 0.1, **FIT_EACH} for name in PER_TEXT},
        "information-bottleneck": FIT_EACH,
        "noise": FIT_EACH,
    }
    found, seconds = [], []
    masks = []
    if "diffmask" in arguments.methods:
        start = time.perf_counter()
        masks = [fit_mask("diffmask", to_fit, SEED, MASK_OPTIONS)]
        found = [masks[0].explain(to_explain)]
        seconds = [(time.perf_counter() - start) / len(to_explain)]
    others = [name for name in arguments.methods if name != "diffmask"]
    for _, attributions, each in run_methods(others, to_fit, to_explain, SEED, options):
        found.append(attributions)
        seconds.append(each)
    faithful = faithfulness(to_explain, found)
    if arguments.json:
        print(
            json.dumps(
                {
                    method: {name: getattr(faithful, name)[row].as_json() for name in MEASURED}
                    for row, method in enumerate(faithful.methods)
                }
            )
        )
        return
    print(f"| method | {' | '.join(MEASURED)} | seconds |")
    print(f"|{' --- |' * (len(MEASURED) + 2)}")
    for row, method in enumerate(faithful.methods):
        cells = [str(getattr(faithful, name)[row]) for name in MEASURED]
        each = f"{seconds[row]:.3g}" if row < len(seconds) else "-"
        print(f"| {method} | {' | '.join(cells)} | {each} |")
    for mask in masks if arguments.treebank else ():
        corpus = nx.read_conllu(arguments.treebank)
        some = corpus.section(range(N_TAGGED))
        upos = corpus.labels("upos")[: some.n_words].tolist()
        masked = mask.explain(ExplainedTexts.of_texts(path, some))
        print_kept("Parts of speech", kept_by(masked, upos))


def drawn(texts: list[str], count: int) -> list[str]:
    """Some of them at random, the same each time."""
    rows = np.random.default_rng(SEED).permutation(len(texts))[:count]
    return [texts[row] for row in rows]


if __name__ == "__main__":
    main()
