"""Classifiers of sentiment and readers of questions, trained from the embedded BERT-style model.

Trained where they are missing, in minutes on one core, and kept in a folder.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm
from transformers import (
    AutoTokenizer,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

import neurox_lite as nx
from tests.benchmarks.deciding_texts import (
    LABELS,
    LabelledText,
    Question,
    joined,
    questions,
    sentiment_texts,
)

TRAIN_SEED, TEST_SEED = 1000, 1
BATCH = 64
N_TRAIN, N_TEST = 16_000, 800
LEAST_ACCURACY = 0.99
TASKS = ("sentiment", "questions")
EPOCHS = {"sentiment": 3, "questions": 8}
"""It takes longest to learn to find words of a question again."""

Example = LabelledText | Question


def train_examples(task: str, count: int = N_TRAIN) -> list[Example]:
    """Examples that are not among those of :func:`test_examples`."""
    held_out = {words_of(example) for example in test_examples(task)}
    drawn = _draw(task, count, TRAIN_SEED, may_be_easy=True)
    return [example for example in drawn if words_of(example) not in held_out]


def test_examples(task: str, count: int = N_TEST) -> list[Example]:
    return _draw(task, count, TEST_SEED)


def _draw(task: str, count: int, seed: int, *, may_be_easy: bool = False) -> list[Example]:
    if task == "sentiment":
        return list(sentiment_texts(count, seed))
    return list(questions(count, seed, may_be_easy=may_be_easy))


def words_of(example: Example) -> tuple[str, ...]:
    if isinstance(example, Question):
        return example.question + example.context
    return example.words


def trained_model(task: str, seed: int, folder: Path) -> Path:
    """The folder of a model of a task, which is trained when it is not there.

    One that is not right in 99 % of the test is trained anew for twice as long.
    """
    path = folder / f"{task}-{seed}"
    if (path / "config.json").is_file():
        return path
    for epochs in (EPOCHS[task], 2 * EPOCHS[task]):
        model, tokenizer = train(task, train_examples(task), seed, epochs=epochs)
        reached = accuracy(model, tokenizer, test_examples(task))
        print(f"{path.name}, {epochs} epochs: accuracy {reached:.4f}", file=sys.stderr, flush=True)
        if reached >= LEAST_ACCURACY:
            tokenizer.save_pretrained(path)
            model.save_pretrained(path)
            return path
    raise SystemExit(f"{path.name}: accuracy {reached:.4f}, less than {LEAST_ACCURACY}")


def train(
    task: str,
    examples: Sequence[Example],
    seed: int,
    *,
    base: Path | None = None,
    n_blocks: int | None = None,
    epochs: int,
    rate: float = 5e-4,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A head on a BERT-style model, by AdamW, in batches of 64.

    Parameters
    ----------
    task : {"sentiment", "questions"}
    examples : sequence
    seed : int
        Of the head and the order of examples.
    base : Path, optional
        Of the model; the embedded one, if not given.
    n_blocks : int, optional
        How many of the last blocks are trained with the head, all and the embeddings by default.
    epochs, rate
        The learning rate falls along a cosine, after a tenth of the steps.
    """
    torch.manual_seed(seed)
    base = base or nx.embedded_path("models/bert")
    logging.set_verbosity_error()
    tokenizer = AutoTokenizer.from_pretrained(base)
    model: PreTrainedModel
    if task == "sentiment":
        model = BertForSequenceClassification.from_pretrained(
            base, id2label=dict(enumerate(LABELS)), num_labels=len(LABELS)
        )
    else:
        model = BertForQuestionAnswering.from_pretrained(base)
    if n_blocks is not None:
        blocks = model.bert.encoder.layer
        for frozen in (model.bert.embeddings, *blocks[: len(blocks) - n_blocks]):
            frozen.requires_grad_(False)
    trained = [each for each in model.parameters() if each.requires_grad]
    n_steps = epochs * -(-len(examples) // BATCH)
    optimizer = torch.optim.AdamW(trained, lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, n_steps, pct_start=0.1)
    model.train()
    with tqdm(total=n_steps, desc=task, unit="step", disable=None) as progress:
        for _ in range(epochs):
            for rows in shuffled_batches([len(words_of(each)) for each in examples]):
                chosen = [examples[row] for row in rows.tolist()]
                parts, right = predictions(model, tokenizer, chosen)
                loss = sum(map(nn.functional.cross_entropy, parts, right))
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(trained, 1.0)
                optimizer.step()
                schedule.step()
                progress.update()
    return model.eval(), tokenizer


def shuffled_batches(lengths: Sequence[int]) -> list[torch.Tensor]:
    """Rows in random order, but so that those of a batch are of similar lengths."""
    of = torch.tensor(lengths)
    batches: list[torch.Tensor] = []
    for some in torch.randperm(len(of)).split(20 * BATCH):
        batches += some[of[some].argsort(stable=True)].split(BATCH)
    return [batches[place] for place in torch.randperm(len(batches)).tolist()]


def predictions(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Logits of each part of the output, and what is right: a class, or where the answer is."""
    if isinstance(examples[0], LabelledText):
        texts = [joined(words_of(example)) for example in examples]
        batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        return [model(**batch).logits], [torch.tensor([each.label for each in examples])]
    batch = tokenizer(
        [joined(each.question) for each in examples],
        [joined(each.context) for each in examples],
        padding=True,
        return_tensors="pt",
    )
    output = model(**batch)
    # [CLS], the question and [SEP] stand before the context; every word is one token.
    first = [len(each.question) + 2 for each in examples]
    right = [
        torch.tensor([n + each.answer[end] for n, each in zip(first, examples, strict=True)])
        for end in (0, 1)
    ]
    padding = batch["attention_mask"] == 0
    least = torch.finfo(torch.float32).min
    logits = [output.start_logits, output.end_logits]
    return [each.masked_fill(padding, least) for each in logits], right


@torch.no_grad()
def accuracy(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> float:
    """Share of examples of which all parts are right."""
    n_right = 0
    for first in range(0, len(examples), BATCH):
        parts, right = predictions(model, tokenizer, examples[first : first + BATCH])
        hits = [each.argmax(-1) == truth for each, truth in zip(parts, right, strict=True)]
        n_right += int(torch.stack(hits).all(0).sum())
    return n_right / len(examples)
