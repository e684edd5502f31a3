"""Measure the embedded models on held-out sentences and write the table of data/README.md.

    python data/measure_models.py [--number-agreement DIR]

``--number-agreement`` also evaluates the templates of Lakretz et al. (2019) in DIR, which are not
part of this repository.
"""

from __future__ import annotations

import argparse
import gzip
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

import neurox_lite.models.lstm  # noqa: F401 (registers the LSTM)
from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_number_agreement, read_pairs

DATA = Path(__file__).resolve().parent
MODELS = ("lstm-0", "lstm-1", "lstm-2", "bert", "gpt2")


def read_sentences(split: str) -> list[str]:
    """The sentences of an embedded split as plain text."""
    with gzip.open(DATA / "corpora" / f"english-{split}.conllu.gz", "rt", encoding="utf-8") as file:
        return [line[9:-1] for line in file if line.startswith("# text = ")]


def held_out_pairs() -> dict[str, list[MinimalPair]]:
    """The embedded minimal pairs."""
    folder = DATA / "corpora"
    return {name: read_pairs(folder / f"{name}-pairs.tsv") for name in ("number", "gender")}


@torch.no_grad()
def measure(name: str, number_agreement: Path | None) -> dict[str, str]:
    """Everything the table says about a model."""
    folder = DATA / "models" / name
    auto = AutoModelForMaskedLM if name == "bert" else AutoModelForCausalLM
    model = auto.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    megabytes = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    row = {"parameters": f"{model.num_parameters():,}", "MB": f"{megabytes:.2f}"}

    sentences = [text for split in ("dev", "test") for text in read_sentences(split)]
    perplexity, accuracy = word_prediction(model, tokenizer, sentences)
    row |= {"perplexity": f"{perplexity:.2f}", "word accuracy (%)": f"{accuracy:.1f}"}

    pairs = held_out_pairs()
    right = log_odds(model, tokenizer, pairs["number"]) > 0
    row["number, all (%)"] = percentage(right)
    attracted = [has_attractor(pair) for pair in pairs["number"]]
    row["number, attractors (%)"] = percentage(right[torch.tensor(attracted)])
    for template in dict.fromkeys(pair.template for pair in pairs["number"]):
        chosen = torch.tensor([pair.template == template for pair in pairs["number"]])
        row[f"number, {template} (%)"] = percentage(right[chosen])
    for path in sorted(number_agreement.glob("*.txt")) if number_agreement else []:
        odds = log_odds(model, tokenizer, read_number_agreement(path))
        row[f"Lakretz, {path.stem} (%)"] = percentage(odds > 0)

    right = log_odds(model, tokenizer, pairs["gender"]) > 0
    for condition in dict.fromkeys(pair.condition for pair in pairs["gender"]):
        chosen = torch.tensor([pair.condition == condition for pair in pairs["gender"]])
        row[f"gender, {condition.replace('_', ' ')} (%)"] = percentage(right[chosen])
    for she, group in prompts_by_stereotype().items():
        row[f"*she* where the grammar has {100 * she:.0f} % (%)"] = percentage(
            log_odds(model, tokenizer, group).sigmoid()
        )
    return row


def has_attractor(pair: MinimalPair) -> bool:
    """Whether a noun between the subject and the verb has the other number."""
    subject, *others = pair.condition.split("_")
    return pair.template != "conjunction" and any(other != subject for other in others)


def prompts_by_stereotype() -> dict[float, list[MinimalPair]]:
    """For every share of *she* in the lexicon: "The nurse said that" she / he, per noun."""
    prompts: dict[float, list[MinimalPair]] = {}
    for noun in Grammar().lexicon.people:
        pair = MinimalPair(("The", noun.singular, "said", "that"), "she", "he")
        prompts.setdefault(noun.she, []).append(pair)
    return dict(sorted(prompts.items(), reverse=True))


def percentage(values: torch.Tensor) -> str:
    """The mean in percent."""
    return f"{100 * values.float().mean().item():.1f}"


def log_odds(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, pairs: Sequence[MinimalPair]
) -> torch.Tensor:
    """Log-probability of the right word minus that of the wrong one; shape (n_pairs,).

    A masked model reads the prefix, a mask and the suffix, any other model the prefix.
    """
    mask = tokenizer.mask_token
    odds = []
    for start in range(0, len(pairs), 256):
        some = pairs[start : start + 256]
        texts = [" ".join([*p.prefix, mask, *p.suffix] if mask else p.prefix) for p in some]
        encoded = tokenizer(texts, padding=True, return_tensors="pt")
        logits = model(**encoded).logits
        if mask:
            position = (encoded["input_ids"] == tokenizer.mask_token_id).int().argmax(1)
        else:
            position = encoded["attention_mask"].sum(1) - 1
        rows = torch.arange(len(some))
        right = torch.tensor([word_id(tokenizer, pair.right) for pair in some])
        wrong = torch.tensor([word_id(tokenizer, pair.wrong) for pair in some])
        odds.append(logits[rows, position, right] - logits[rows, position, wrong])
    return torch.cat(odds)


def word_id(tokenizer: PreTrainedTokenizerFast, word: str) -> int:
    """The token of a word inside of a sentence; every word of the lexicon is one token."""
    return tokenizer(f". {word}", add_special_tokens=False)["input_ids"][1]


def word_prediction(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]
) -> tuple[float, float]:
    """Perplexity per word, and the share of words predicted exactly.

    A masked model predicts one word at a time from both sides (pseudo-perplexity).
    """
    loss, n_right, n_words = 0.0, 0, 0
    for sentence in sentences:
        ids = tokenizer(sentence, return_tensors="pt")["input_ids"]
        if tokenizer.mask_token:
            positions = torch.arange(1, ids.shape[1] - 1)
            rows = ids.repeat(len(positions), 1)
            rows[torch.arange(len(positions)), positions] = tokenizer.mask_token_id
            logits = model(input_ids=rows).logits[torch.arange(len(positions)), positions]
            labels = ids[0, positions]
        else:
            logits, labels = model(input_ids=ids).logits[0, :-1], ids[0, 1:]
        loss += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        n_right += int((logits.argmax(1) == labels).sum())
        n_words += len(labels)
    return math.exp(loss / n_words), 100 * n_right / n_words


def table(rows: dict[str, dict[str, str]]) -> str:
    """The results as a Markdown table, one column per model."""
    lines = [f"| | {' | '.join(rows)} |", f"|---|{'---:|' * len(rows)}"]
    for key in rows[MODELS[0]]:
        lines.append(f"| {key} | {' | '.join(row[key] for row in rows.values())} |")
    return "\n".join(lines)


def main() -> None:
    """Measure every model and rewrite the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number-agreement", type=Path, metavar="DIR")
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = table({name: measure(name, options.number_agreement) for name in MODELS})
    readme = DATA / "README.md"
    before, marker, _ = readme.read_text(encoding="utf-8").partition("<!-- measured -->\n")
    readme.write_text(f"{before}{marker}\n{result}\n", encoding="utf-8")
    print(result)


if __name__ == "__main__":
    main()
