"""A job: what `neurox-lite run` is told, checked key by key."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.choices import did_you_mean, unknown_choice
from neurox_lite.corpora.column_formats import column_format
from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.sentence_text import check_text
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.errors import InputError
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.input_files import read_yaml
from neurox_lite.models.neuron_spaces import UNITS
from neurox_lite.output_formats import check_formats
from neurox_lite.results.sweep import SHARES

SEVERAL = {"model": "models", "tag": "tags"}
"""Keys, and what several of them are called."""


@dataclass(frozen=True)
class ProbeOptions:
    """Options of the probe; see :class:`neurox_lite.ElasticNetProbe`.

    With ``search`` the penalties are those of :func:`neurox_lite.regularisation_search`, and ``l1``
    and ``l2`` are not used.
    """

    l1: float = 1e-3
    l2: float = 1e-3
    standardize: bool = True
    tol: float = 1e-4
    max_iter: int = 2000
    search: bool = False
    min_count: int | None = None
    class_weight: str | None = None


@dataclass(frozen=True)
class AblateOptions:
    """Options of the ablation and of the minimal set; see :func:`neurox_lite.ablate`."""

    shares: list[float] = field(default_factory=lambda: list(SHARES))
    replacement: str = "zero"
    retrain: bool = True
    n_random: int = 5
    delta: float = 0.01


@dataclass(frozen=True)
class AttributeOptions:
    """Which tokens decide: methods of :mod:`neurox_lite.attribution`, on sentences of test.

    Without methods nothing is attributed. What is explained is what the top ``neurons`` of the
    ranking do, or, if this is 0, what the model says of a sentence, which takes a head. Options are
    those of :data:`neurox_lite.attribution.ATTRIBUTION_METHODS`, by the name of the method.
    """

    methods: list[str] = field(default_factory=list)
    options: dict[str, dict[str, int | float | str]] = field(default_factory=dict)
    neurons: int = 1
    n_texts: int = 100


@dataclass(frozen=True)
class DescribeOptions:
    """What the top ``neurons`` of the ranking are about; see :func:`neurox_lite.describe`.

    With 0 nothing is described. By default they are 20 in a study of words, and 0 otherwise.
    """

    neurons: int | None = None
    share: float = 0.01
    min_count: int = 10


@dataclass(frozen=True)
class Job:
    """What to run, from a model and a corpus to a report.

    Paths are relative to the working directory, and may be ``Path`` objects. The options of a stage
    may be a dict, as in a job file: ``describe={"neurons": 20}``.

    Attributes
    ----------
    model : str
        Folder, or name on the hub; empty with ``models``.
    corpus : str or dict
        One file, split at random, or a file for each of train, dev and test; without one for dev,
        it is taken from train.
    tag : str
        The tag whose labels are analysed; empty with ``tags``.
    out : str
        Folder of results.
    labels, format, match
        How the corpus is read; see :func:`neurox_lite.read_splits`.
    seed : int
    columns, comment, text, text_column, label_column, skip_bad_lines
        How its files are read; see :func:`neurox_lite.read_corpus`.
    strip_bio : bool
    label_map : list of str
        What is done to the labels before all else; see :class:`neurox_lite.LabelRules`.
    words : WordSelection
        The words to use, of those that have a label.
    extract : ExtractOptions
        Labels of sentences (formats sentences, csv and tsv) mean ``pooling: mean``, unless there is
        another pooling.
    study : bool
        Also score the layers, look for redundant sets of neurons, measure description length and
        learning curve, and resample sentences: some fifty probes more.
    figure_format : {"png", "pdf", "svg"}
    table_format : {"csv", "latex"}, optional
        To write results as tables, too.
    units : {"neurons", "heads"}
        What is ranked and ablated. Heads are of ``extract: site: attention_heads``; layers,
        redundancy and description length of a study stay those of neurons.
    models, tags : list of str
        Several, each to be analysed and all to be compared, in the place of ``model`` or ``tag``.

    Raises
    ------
    InputError
        When a value is out of range: better now than after hours of extraction.
    """

    model: str
    corpus: str | dict[str, str]
    tag: str
    out: str
    labels: str | dict[str, str] | None = None
    format: str | None = None
    match: str | None = None
    seed: int = 0
    columns: str | list[str] | None = None
    comment: str | None = None
    text: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    skip_bad_lines: bool = False
    strip_bio: bool = False
    label_map: list[str] = field(default_factory=list)
    words: WordSelection = field(default_factory=WordSelection)
    study: bool = False
    figure_format: str = "png"
    table_format: str | None = None
    extract: ExtractOptions = field(default_factory=ExtractOptions)
    probe: ProbeOptions = field(default_factory=ProbeOptions)
    ablate: AblateOptions = field(default_factory=AblateOptions)
    attribute: AttributeOptions = field(default_factory=AttributeOptions)
    describe: DescribeOptions = field(default_factory=DescribeOptions)
    units: str = "neurons"
    models: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("model", "corpus", "out", "labels", "models"):
            object.__setattr__(self, name, _as_text(getattr(self, name)))
        for name, kind in get_type_hints(Job).items():
            if is_dataclass(kind) and isinstance(getattr(self, name), dict):
                object.__setattr__(self, name, _build(kind, getattr(self, name), name))
        for one, several in SEVERAL.items():
            self._choose(one, several)
        probe, ablate, attribute = self.probe, self.ablate, self.attribute
        LabelRules(self.strip_bio, self.label_map)
        column_format(self.columns)
        if self.text is not None:
            check_text(self.text)
        checks = {
            "seed: give a number of at least 0": self.seed >= 0,
            "probe: l1: give a number of at least 0": 0 <= probe.l1 < float("inf"),
            "probe: l2: give a number of at least 0": 0 <= probe.l2 < float("inf"),
            "probe: tol: give a number above 0": probe.tol > 0,
            "probe: max_iter: give at least 1": probe.max_iter >= 1,
            "probe: min_count: give at least 1": probe.min_count is None or probe.min_count >= 1,
            "probe: class_weight: give balanced or null": probe.class_weight in (None, "balanced"),
            "ablate: shares: give numbers above 0 and up to 1": bool(ablate.shares)
            and all(0 < share <= 1 for share in ablate.shares),
            "ablate: replacement: give zero or mean": ablate.replacement in ("zero", "mean"),
            "ablate: n_random: give at least 1": ablate.n_random >= 1,
            "ablate: delta: give a number from 0 to 1": 0 <= ablate.delta <= 1,
            "attribute: neurons: give a number of at least 0": attribute.neurons >= 0,
            "attribute: n_texts: give at least 1": attribute.n_texts >= 1,
            "attribute: methods: give each once": len(set(attribute.methods))
            == len(attribute.methods),
            "describe: neurons: give a number of at least 0": (self.describe.neurons or 0) >= 0,
            "describe: share: give a number above 0 and up to 0.2": 0 < self.describe.share <= 0.2,
            "describe: takes a row per word; leave out extract: pooling": not self.describe.neurons
            or self.extract.pooling is None,
            "describe: min_count: give at least 1": self.describe.min_count >= 1,
        }
        if self.units not in UNITS:
            raise unknown_choice("units", self.units, UNITS)
        if self.units == "heads":
            explained = bool(attribute.methods) and attribute.neurons > 0
            checks |= {
                "units: heads are of the site attention_heads; extract with --site "
                "attention_heads": self.extract.site == "attention_heads",
                "units: heads are not described or attributed; leave out describe: neurons, and "
                "give attribute: neurons: 0": not explained and not self.describe.neurons,
            }
        for message, holds in checks.items():
            if not holds:
                raise InputError(message)
        for name in attribute.methods:
            if name not in ATTRIBUTION_METHODS:
                raise unknown_choice("method", name, ATTRIBUTION_METHODS)
        for name, options in attribute.options.items():
            if name not in attribute.methods:
                raise InputError(f"attribute: options: '{name}' is not among the methods")
            known = {option.name: option for option in ATTRIBUTION_METHODS[name].options}
            for key, value in options.items():
                if key not in known:
                    raise unknown_choice(f"option of {name}", key, known)
                _checked(value, type(known[key].default), f"attribute: options: {name}: {key}")
        check_formats(self.figure_format, self.table_format)

    def _choose(self, one: str, several: str) -> None:
        """One key or the other; a list of one is one."""
        given = getattr(self, several)
        for value in given:
            if given.count(value) > 1:
                raise InputError(f"{several}: '{value}' is there twice; give each once")
        if given and getattr(self, one):
            raise InputError(f"give {one} or {several}, not both")
        if "" in given:
            raise InputError(f"{several}: one is empty; give a name for each")
        if len(given) == 1:
            object.__setattr__(self, one, given[0])
            object.__setattr__(self, several, [])

    @property
    def is_several(self) -> bool:
        """Whether it is of more than one tag or model."""
        return bool(self.models or self.tags)

    @classmethod
    def read(cls, path: str | Path) -> Job:
        """Read a job from a YAML file.

        Raises
        ------
        InputError
            When the file is missing or not YAML (see :func:`neurox_lite.input_files.read_yaml`), a
            key is unknown or missing, or a value has the wrong type.
        """
        return _build(cls, read_yaml(path), str(path))

    def to_yaml(self) -> str:
        """The job with every option spelled out."""
        keys = asdict(self)
        for one, several in SEVERAL.items():
            del keys[one if keys[several] else several]
        return yaml.safe_dump(keys, sort_keys=False, allow_unicode=True)


def _as_text(paths: Any) -> Any:
    """Paths as strings, also in a list or dict; all else as it is."""
    if isinstance(paths, dict):
        return {key: _as_text(path) for key, path in paths.items()}
    if isinstance(paths, list):
        return [_as_text(path) for path in paths]
    return str(paths) if isinstance(paths, Path) else paths


def _fields_of(kind: Any) -> tuple[Any, ...]:
    return fields(kind) if is_dataclass(kind) else ()


def _build(cls: Any, data: Any, where: str) -> Any:
    """Make a dataclass from a mapping, refusing what it does not know."""
    if not isinstance(data, Mapping):
        keys = ", ".join(f.name for f in fields(cls))
        such = "such as 'model: bert-base-cased'" if cls is Job else f"with some of the keys {keys}"
        raise InputError(f"{where}: expected keys and values, {such}")
    known = {f.name: f for f in fields(cls)}
    hints = get_type_hints(cls)
    for key in data:
        if key not in known:
            of_sections = {f.name: name for name in known for f in _fields_of(hints[name])}
            hint = did_you_mean(key, known) or f"; known keys: {', '.join(known)}"
            if key in of_sections:
                hint = f"; it belongs under '{of_sections[key]}'"
            raise InputError(f"{where}: unknown key '{key}'{hint}")
    values = {}
    for name in ("tag", "model"):
        if isinstance(data.get(name), list) and f"{name}s" in known:
            raise InputError(f"{where}: {name}: {data[name]!r} is a list; write {name}s: instead")
    tag = data.get("tag")
    if "tags" in known and isinstance(tag, str) and "," in tag:
        names = ", ".join(name.strip() for name in tag.split(","))
        raise InputError(f"{where}: tag: '{tag}' is several names; write tags: [{names}]")
    for name, value in data.items():
        if is_dataclass(hints[name]):
            values[name] = _build(hints[name], value, f"{where}: {name}")
        else:
            values[name] = _checked(value, hints[name], f"{where}: {name}")
    for one, several in SEVERAL.items():
        if values.get(several):
            values.setdefault(one, "")
    try:
        return cls(**values)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except TypeError:
        missing = [n for n in ("model", "corpus", "tag", "out") if n in known and n not in values]
        raise InputError(f"{where}: missing key '{missing[0]}'; add it") from None


def _checked(value: Any, hint: Any, where: str) -> Any:
    """``value`` if it is of the annotated type; a whole number is a fine float."""
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise InputError(f"{where}: too large a number; give a smaller one") from None
    if isinstance(value, str) and "\0" in value:
        raise InputError(f"{where}: {value!r} holds a NUL character; take it out")
    if isinstance(value, str) and hint is float:
        # YAML 1.1 reads 1e-3, without a point, as text.
        try:
            return float(value)
        except ValueError:
            pass
    if get_origin(hint) in (Union, types.UnionType):
        for option in get_args(hint):
            try:
                return _checked(value, option, where)
            except InputError:
                continue
    elif get_origin(hint) is list:
        if isinstance(value, list):
            return [_checked(item, get_args(hint)[0], where) for item in value]
    elif get_origin(hint) is dict:
        if isinstance(value, dict):
            return {str(k): _checked(v, get_args(hint)[1], where) for k, v in value.items()}
    elif isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise InputError(f"{where} is {value!r}; give {_in_words(hint)}")


IN_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    type(None): "null",
    list[str]: "a list, as [a, b]",
    list[int]: "a list, as [0, 6]",
    list[float]: "a list, as [0.1, 0.2]",
}
"""What a person is to write for a type."""


def _in_words(hint: Any) -> str:
    """``dict[str, str | list[str]]`` -> ``"keys, each with a text or a list, as [a, b]"``."""
    inner = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return ", or ".join(map(_in_words, inner))
    if get_origin(hint) is dict:
        return f"keys, each with {_in_words(inner[1])}"
    return IN_WORDS[hint]
