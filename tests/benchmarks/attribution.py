"""Speed of token masks: rows of what, ours, reference, ratio.

On a classifier of four blocks with random weights, whose speed is that of a trained one. Run it
through `make bench`, on a machine that does nothing else.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import BertConfig, BertForSequenceClassification

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts
from neurox_lite.masking import TokenMask
from neurox_lite.models.loading import LoadedModel
from tests.benchmarks.extraction import row, seconds

BATCH_SIZE, ROUNDS, N_TEXTS, N_WORDS = 32, 3, 160, 20
# Of 160 texts, four fifths are trained on: whole batches.
FEW, MANY = 500, 2000
"""Texts explained, to compare memory."""


def classified(n_texts: int) -> ExplainedTexts:
    """Texts of 20 words of the embedded BERT's vocabulary."""
    tokenizer = nx.load_model(nx.embedded_path("models/bert"), head="language").tokenizer
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
        max_position_embeddings=64,
        initializer_range=0.1,
    )
    torch.manual_seed(0)
    model = BertForSequenceClassification(config).eval().requires_grad_(False)
    words = [word for word in tokenizer.get_vocab() if word.isalpha()]
    order = torch.randint(len(words), (n_texts, N_WORDS)).tolist()
    texts = [" ".join(words[number] for number in numbers) for numbers in order]
    return ExplainedTexts.of_texts(LoadedModel(model, tokenizer, "random", "none"), texts)


def bare_steps(explained: ExplainedTexts, batches: list[torch.Tensor]) -> Callable[[], None]:
    """Forward and backward passes without any hook, to whatever asks for gradients.

    Of a frozen model to its word embeddings.
    """
    model = explained.states.loaded.model

    def run() -> None:
        for rows in batches:
            batch = dict(explained.inputs.batch(rows))
            if not any(weights.requires_grad for weights in model.parameters()):
                ids = batch.pop("input_ids")
                batch["inputs_embeds"] = model.get_input_embeddings()(ids).requires_grad_()
            model(**batch).logits.log_softmax(-1)[:, 0].mean().backward()
        model.zero_grad()

    return run


def training_steps(explained: ExplainedTexts) -> None:
    """Steps of both variants, all states in turn, by what a bare step of the same batch takes.

    They are differences of longer and shorter fits. In the five steps from 1 to 6 the placeholder
    once learns alone, in those from 6 to 10 never.
    """
    model = explained.states.loaded.model
    n_steps, n_states = 5, explained.n_states
    batches = list(
        torch.arange(n_steps * n_states * BATCH_SIZE).remainder(N_TEXTS).split(BATCH_SIZE)
    )
    bare = bare_steps(explained, batches)
    for variant in ("hidden", "input"):

        def fit(steps: int, variant: str = variant) -> None:
            TokenMask(variant, n_steps=steps, batch_size=BATCH_SIZE).fit(explained)

        fit(1)
        times = []
        for _ in range(ROUNDS):
            one, six, ten = (seconds(partial(fit, steps)) for steps in (1, 6, 10))
            frozen = seconds(bare) / len(batches)
            model.requires_grad_(True)
            trainable = seconds(bare) / len(batches)
            model.requires_grad_(False)
            gates, both = (ten - six) / (4 * n_states), (six - one) / len(batches)
            times.append({"gates": gates, "with the placeholder's": both,
                          "trainable": trainable, "frozen": frozen})  # fmt: skip
        for ours in ("gates", "with the placeholder's"):
            for theirs in ("trainable", "frozen"):
                row(
                    f"token mask, {variant}, a step of {BATCH_SIZE} texts, {ours} (ms)",
                    f"{1000 * statistics.median(each[ours] for each in times):.1f}",
                    f"{1000 * statistics.median(each[theirs] for each in times):.1f} "
                    f"forward + backward, {theirs}",
                    statistics.median(each[ours] / each[theirs] for each in times),
                )


def explaining(explained: ExplainedTexts) -> None:
    """All states of all texts, by a forward pass of the same batches."""
    mask = TokenMask(n_steps=2, batch_size=BATCH_SIZE).fit(explained)
    model = explained.states.loaded.model

    @torch.no_grad()
    def bare() -> None:
        for rows in explained.batches():
            model(**explained.inputs.batch(rows))

    bare()
    times = [(seconds(lambda: mask.explain(explained)), seconds(bare)) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(column) / N_TEXTS for column in zip(*times, strict=True))
    row(
        "token mask, one more text explained (ms)",
        f"{1000 * mine:.2f}",
        f"{1000 * theirs:.2f} forward pass",
        statistics.median(a / b for a, b in times),
    )


def memory() -> None:
    """Peak memory of processes that explain few texts and many."""
    peaks = []
    for n_texts in (FEW, MANY):
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, str(n_texts)],
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(float(done.stdout.split()[-1]))
    few, many = peaks
    row(
        f"token mask, peak memory, {MANY:,} texts explained (MB)",
        f"{many:.0f}",
        f"{few:.0f} of {FEW:,}",
        many / few,
    )


def peak_of(n_texts: int) -> float:
    """Of this process, MB, after it explained so many texts by a mask of 64."""
    mask = TokenMask(n_steps=2, batch_size=BATCH_SIZE).fit(classified(64))
    mask.explain(classified(n_texts))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    torch.set_num_threads(1)
    if sys.argv[1:]:
        print(peak_of(int(sys.argv[1])))
        return
    explained = classified(N_TEXTS)
    explaining(explained)
    training_steps(explained)
    memory()


if __name__ == "__main__":
    main()
