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
N_TRAIN, N_TEST = 16_000, 800
LEAST_ACCURACY = 0.99
Example = LabelledText | Question


def train_examples(task: str, count: int = N_TRAIN) -> list[Example]:
    """Examples that are not among those of :func:`test_examples`."""
    held_out = {words_of(example) for example in test_examples(task)}
    drawn = _draw(task, count, TRAIN_SEED)
    return [example for example in drawn if words_of(example) not in held_out]


def test_examples(task: str, count: int = N_TEST) -> list[Example]:
    return _draw(task, count, TEST_SEED)


def _draw(task: str, count: int, seed: int) -> list[Example]:
    if task == "sentiment":
        return list(sentiment_texts(count, seed))
    return list(questions(count, seed))


def words_of(example: Example) -> tuple[str, ...]:
    if isinstance(example, Question):
        return example.question + example.context
    return example.words


def trained_model(task: str, seed: int, folder: Path) -> Path:
    """The folder of a model of a task, which is trained when it is not there."""
    path = folder / f"{task}-{seed}"
    if not (path / "config.json").is_file():
        model, tokenizer = train(task, train_examples(task), seed)
        reached = accuracy(model, tokenizer, test_examples(task))
        print(f"{path.name}: accuracy {reached:.4f}", file=sys.stderr, flush=True)
        if reached < LEAST_ACCURACY:
            raise SystemExit(f"{path.name}: accuracy {reached:.4f}, less than {LEAST_ACCURACY}")
        tokenizer.save_pretrained(path)
        model.save_pretrained(path)
    return path


def train(
    task: str, examples: Sequence[Example], seed: int, *, epochs: int = 4, rate: float = 5e-4
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """All layers, by AdamW, in batches of 64."""
    torch.manual_seed(seed)
    base = nx.embedded_path("models/bert")
    logging.set_verbosity_error()
    model: PreTrainedModel
    if task == "sentiment":
        model = BertForSequenceClassification.from_pretrained(
            base, id2label=dict(enumerate(LABELS)), num_labels=len(LABELS)
        )
    else:
        model = BertForQuestionAnswering.from_pretrained(base)
    tokenizer = AutoTokenizer.from_pretrained(base)
    batches_per_epoch = -(-len(examples) // 64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, epochs=epochs, steps_per_epoch=batches_per_epoch, pct_start=0.1
    )
    model.train()
    for _ in tqdm(range(epochs), desc=task, unit="epoch", disable=None):
        for rows in torch.randperm(len(examples)).split(64):
            chosen = [examples[row] for row in rows.tolist()]
            parts, right = predictions(model, tokenizer, chosen)
            loss = sum(map(nn.functional.cross_entropy, parts, right))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return model.eval(), tokenizer


def predictions(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Logits of each part of the output, and what is right: a class, or where the answer is."""
    if isinstance(examples[0], LabelledText):
        texts = [joined(words_of(example)) for example in examples]
        batch = tokenizer(texts, padding=True, return_tensors="pt")
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
    parts, right = predictions(model, tokenizer, examples)
    hits = [each.argmax(-1) == truth for each, truth in zip(parts, right, strict=True)]
    return torch.stack(hits).all(0).double().mean().item()
