"""A page of the report with made data: every kind of block, hostile, right-to-left and CJK text."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.report.page import page

HOSTILE = '<img src=x onerror="document.title=1">'
HEBREW = ("הוא", "קרא", "את", "הספר", "אתמול")
ENGLISH = ("the", "cat", "sat", "on", "the", "mat")
CHINESE = ("他", "昨天", "读", "了", "书")
TAGS = ("NOUN", "VERB", "ADJ", "PRON", HOSTILE)
PER_CHUNK = 64


def made_sections(model: str = HOSTILE) -> list[dict[str, Any]]:
    """One of every kind of block; links lead to neurons of a model."""
    shares = [0.001, 0.01, 0.05, 0.2, 1.0]
    curve = {
        "kind": "lines",
        "title": "Accuracy of the first neurons",
        "x_label": "share of the neurons",
        "y_label": "test accuracy",
        "x": shares,
        "x_scale": "log",
        "x_ticks": ["0.1 %", "1 %", "5 %", "20 %", "100 %"],
        "percent": True,
        "series": [
            {
                "name": name,
                "y": [start + (0.93 - start) * step / 4 for step in range(5)],
                "low": [start + (0.93 - start) * step / 4 - 0.02 for step in range(5)],
                "high": [start + (0.93 - start) * step / 4 + 0.02 for step in range(5)],
                "style": style,
            }
            for name, start, style in (
                ("linguistic correlation, top", 0.5, "solid"),
                ("random", 0.3, "dashed"),
                (HOSTILE, 0.2, "dotted"),
            )
        ],
        "references": [{"name": "majority class", "y": 0.17}],
    }
    heat = {
        "kind": "heat",
        "title": "Weight of classes by layer",
        "row_label": "layer",
        "column_label": "class",
        "rows": [str(layer) for layer in range(3)],
        "columns": list(TAGS),
        "values": [[0.1 * i - 0.15 * j for j in range(len(TAGS))] for i in range(3)],
        "low": -0.6,
        "high": 0.6,
        "diverging": True,
        "format": "number",
    }
    bars = {
        "kind": "bars",
        "title": "Neurons per layer",
        "x_label": "neurons",
        "y_label": "layer",
        "labels": ["0", "1", "2"],
        "values": [12, 40, 7],
        "low": [8, 30, None],
        "high": [15, 48, None],
        "format": "count",
    }
    tokens = {
        "kind": "texts",
        "title": "Which tokens decide",
        "signed": True,
        "texts": [
            {
                "said": "positive",
                "largest": 2.0,
                "tokens": [["[CLS]", 0.0, True], ["good", 2.0, False], [HOSTILE, -1.0, False]],
            },
            {
                "said": "negative",
                "largest": 1.0,
                "tokens": [[word, 0.3, False] for word in HEBREW],
            },
        ],
    }
    figures = {
        "kind": "figures",
        "items": [
            {
                "label": "test accuracy",
                "value": "93.1 %",
                "interval": "92.8 to 93.4 %",
                "note": "majority class 17.2 %",
            },
            {"label": "minimal set", "value": "27 neurons"},
        ],
    }
    table = {
        "kind": "table",
        "caption": "Class by class",
        "head": ["class", "F1", "first neurons"],
        "rows": [[tag, "91.2 %", {"neurons": ["0:1", "1:3"], "model": model}] for tag in TAGS],
        "align": ["left", "right", "left"],
    }
    return [
        _section("encoded", "Is it encoded?", figures, {**table, "fold": "Class by class"}),
        _section("ablation", "How many neurons does it take?", curve),
        _section("layers", "Where are they?", bars, heat),
        _section("tokens", "Which tokens decide?", tokens, {"kind": "note", "text": HOSTILE}),
        {**_section("shared", "Shared between properties", bars, table), "group": "compare"},
    ]


def _section(name: str, title: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    text = ["What is shown here, in a sentence or two."]
    return {"id": name, "title": title, "text": text, "blocks": [*blocks], "group": "overview"}


def made_page(n_neurons: int = 300, models: tuple[str, ...] = (HOSTILE,)) -> str:
    """A page with so many neurons of each model."""
    rng = np.random.default_rng(0)
    sentences = [HEBREW, CHINESE, (HOSTILE, "is", "text"), ENGLISH]
    sentences += [tuple(f"word{i}" for i in rng.integers(500, size=20)) for _ in range(50)]
    tables, details = [], []
    for number, model in enumerate(models):
        other = models[number - 1] if len(models) > 1 else "other model"
        table = _table(rng, n_neurons, model)
        tables.append(table)
        every = [_neuron(rng, sentences, table["ids"], other) for _ in range(n_neurons)]
        details.append([every[i : i + PER_CHUNK] for i in range(0, n_neurons, PER_CHUNK)])
    data = {
        "title": f"upos in {HOSTILE}",
        "answer": [
            "27 of 300 neurons are enough for 92.9 % of the words (92.5 to 93.3 %), where all "
            "reach 93.1 % and as many random ones 61.0 %."
        ],
        "provenance": [["model", HOSTILE], ["corpus", "made"]],
        "warnings": ["the control probe did not converge"],
        "sections": made_sections(models[-1]),
        "neurons": tables,
    }
    return page(data, details=details, sentences=sentences)


def _table(rng: np.random.Generator, n_neurons: int, model: str) -> dict[str, Any]:
    width = -(-n_neurons // 3)
    order = rng.permutation(n_neurons)
    ids = [f"{column // width}:{column % width}" for column in order.tolist()]
    return {
        "unit_name": "neurons",
        "model": model,
        "ordered_by": "linguistic-correlation",
        "ids": ids,
        "layers": [int(each.split(":")[0]) for each in ids],
        "columns": made_columns(rng, n_neurons),
        "classes": [{"of": "", "names": list(TAGS), "values_are": "weight in the probe"}],
        "source": HOSTILE,
        "of": n_neurons + 5,
    }


def made_columns(rng: np.random.Generator, n_neurons: int) -> list[dict[str, Any]]:
    """Columns of every kind; the second rank is the first upside down."""
    ranks = list(range(1, n_neurons + 1))
    return [
        {
            "key": "linguistic_correlation",
            "title": "rank by linguistic-correlation",
            "help": "by the weights of the probe",
            "kind": "rank",
            "values": ranks,
            "low": [max(rank - 3, 1) for rank in ranks],
            "high": [rank + 3 for rank in ranks],
        },
        {
            "key": "probeless",
            "title": "rank by probeless",
            "help": "",
            "kind": "rank",
            "values": ranks[::-1],
        },
        {
            "key": "density",
            "title": "density",
            "help": "",
            "kind": "percent",
            "values": [round(value, 4) for value in rng.random(n_neurons).tolist()],
        },
        {
            "key": "class",
            "title": "first class",
            "help": "",
            "kind": "text",
            "values": [TAGS[number % len(TAGS)] for number in range(n_neurons)],
        },
        {
            "key": "description",
            "title": "description",
            "help": "",
            "kind": "text",
            "values": [
                "the past tense of verbs" if number == 5 else None if number % 7 else HOSTILE
                for number in range(n_neurons)
            ],
        },
    ]


def _neuron(
    rng: np.random.Generator, sentences: list[Any], ids: list[str], other: str
) -> dict[str, Any]:
    chosen = [0, 1, 2, 3, *rng.choice(len(sentences), 3).tolist()]
    examples = []
    for number in chosen:
        levels = rng.integers(-45, 46, size=min(len(sentences[number]), 12)).tolist()
        levels[len(levels) // 2] = 45
        text = "".join(chr(80 + level) for level in levels)
        examples.append([number, len(levels) // 2, 0, text, 2.503])
    described = {"text": HOSTILE, "level": "word", "auprc": 0.71, "low": 0.6, "high": 0.8}
    return {
        "category": "dense",
        "facts": [["kind", "dense"], ["sparseness", "0.62"]],
        "median": 0.25,
        "scale": 0.05,
        "histogram": {
            "counts": rng.integers(0, 300, size=40).tolist(),
            "low": -2.0,
            "high": 2.5,
        },
        "bands": [{"name": "Highest", "examples": examples}, {"name": "Lowest", "examples": []}],
        "words": {"highest": [[HOSTILE, "VERB", 12, 1.5, 1.2, 1.8]], "lowest": []},
        "descriptions": {
            "highest": {"found": [{**described, "chance": 0.1}], "none": ""},
            "lowest": {"found": [], "none": "nothing more often than by chance"},
        },
        "tokens": {"raises": ["was", HOSTILE], "lowers": ["is"]},
        "weights": [[0.4, -0.3, 0.0, 0.1, 0.05]],
        "effects": [["probability of the word", -0.12, -0.2, -0.05]],
        "twins": [[ids[0], 0.91], [ids[1], -0.72]],
        "others": [[other, "2:5", 0.55, other != "other model"], [other, "9:9", 0.5, False]],
    }
