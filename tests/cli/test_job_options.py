"""What `run`, a job file and the functions in Python say about the same option is the same.

Also of ``neurox_lite.cli.extraction_options``.
"""

from __future__ import annotations

from dataclasses import fields
from inspect import Parameter, signature
from typing import Any

import pytest

import neurox_lite as nx
from neurox_lite.cli import main as main_module
from neurox_lite.cli import run_job
from neurox_lite.cli.commands import option_names
from neurox_lite.cli.run_job import Run
from neurox_lite.corpora.reading import read_corpus
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.evaluation.minimal_set import minimal_set
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.pipeline.job import AblateOptions, Job, ProbeOptions

OF_FILES_ONLY = {"ablate", "attribute", "describe", "models", "tags"}
"""Keys of a job that are no options of the command, which takes several as --model and --tag."""

SECTIONS = {"words": WordSelection, "extract": ExtractOptions, "probe": ProbeOptions}
ON_THE_COMMAND_LINE = {"pattern": "words", "file": "words_from"}
"""Of the words that are used, whose keys stand under ``words`` in a file."""


def defaults_of(function: Any) -> dict[str, Any]:
    parameters = signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not Parameter.empty}


def test_a_command_with_no_options_is_a_job_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []
    monkeypatch.setattr(run_job, "run", lambda job, as_json: jobs.append(job))
    command = ["run", "--model", "m", "--corpus", "c", "--tag", "t", "--out", "o"]
    assert main_module.main(command) == 0
    assert jobs == [Job("m", "c", "t", "o")]


def test_every_key_of_a_job_is_an_option() -> None:
    keys = {field.name for field in fields(Job)} - OF_FILES_ONLY - set(SECTIONS)
    for section in SECTIONS.values():
        keys |= {ON_THE_COMMAND_LINE.get(field.name, field.name) for field in fields(section)}
    of_the_command = {"context", "job", "dry_run", "as_json", "debug"}
    assert keys == set(option_names(Run)) - of_the_command


def test_defaults_are_those_of_the_functions() -> None:
    said = vars(ProbeOptions()) | vars(AblateOptions())
    plain = [field for field in fields(Job) if field.name not in (*SECTIONS, *OF_FILES_ONLY)]
    said |= {field.name: field.default for field in plain}
    meant = nx.ElasticNetProbe().get_params() | defaults_of(read_corpus)
    meant |= defaults_of(nx.ablate) | {"delta": defaults_of(minimal_set)["delta"]}
    shared = said.keys() & meant.keys()
    assert len(shared) > 15
    for name in shared:
        value = list(meant[name]) if name == "shares" else meant[name]
        assert said[name] == value, name
