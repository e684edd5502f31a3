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
from itertools import cycle

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import BertConfig, BertForSequenceClassification

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts
from neurox_lite.masking import TokenMask
from neurox_lite.masking.gate_network import TokenGates
from neurox_lite.masking.masked_texts import IntactTexts
from neurox_lite.masking.placeholder_fit import fit_placeholders
from neurox_lite.masking.token_search import search_gates
from neurox_lite.models.loading import LoadedModel
from tests.benchmarks.extraction import row, seconds

BATCH_SIZE, ROUNDS, N_TEXTS, N_WORDS = 32, 5, 160, 20
# Whole batches, as many as there are steps, and of the four fifths that a mask trains on, too.
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
    words = sorted(word for word in tokenizer.get_vocab() if word.isalpha())
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

    Of five steps of the gates with the one in which the placeholder learns alone before them; and
    of these five less that one, which is timed by itself.
    """
    model = explained.states.loaded.model
    n_steps, states = 5, list(range(explained.n_states))
    rows = torch.arange(N_TEXTS)
    batches = list(rows.repeat(len(states)).split(BATCH_SIZE))
    bare = bare_steps(explained, batches)
    for variant in ("hidden", "input"):
        is_input = variant == "input"
        intact = IntactTexts(explained, [0, *states], keep_states=is_input)
        starts = [intact.means[0]] if is_input else intact.means[1:]
        gates = TokenGates(is_input, intact.means, intact.stds, starts)
        searched = explained, gates, states, intact
        generator = torch.Generator().manual_seed(0)
        search = partial(
            search_gates,
            *searched,
            rows,
            epsilon=0.5,
            size="log",
            estimator="hard-concrete",
            learn_placeholder=True,
            n_steps=n_steps,
            batch_size=BATCH_SIZE,
            generator=generator,
        )
        alone = partial(fit_placeholders, *searched, cycle(batches), n_steps=1, generator=generator)
        search()
        times = []
        for _ in range(ROUNDS):
            frozen = seconds(bare) / len(batches)
            whole, first = seconds(search), seconds(alone)
            model.requires_grad_(True)
            trainable = seconds(bare) / len(batches)
            model.requires_grad_(False)
            gates_only, both = (whole - first) / len(batches), whole / len(batches)
            times.append({"gates": gates_only, "with the placeholder's": both,
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
