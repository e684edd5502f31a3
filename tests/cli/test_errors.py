"""Errors of the command line: one line, and with --json one object."""

import json

import pytest

from neurox_lite.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inspect", "nothing.h5"], "nothing.h5: no such activation store"),
        (["inspect"], "Missing argument"),
        (["probe"], "Missing option '--store'"),
        (["probe", "--stor", "x"], "Possible options: --json, --store"),
        (["prbe"], "Did you mean 'probe'?"),
        (["rank", "probles", "--store", "s", "--out", "r.json"], "did you mean 'probeless'?"),
        (["correlate", "--store", "s", "--method", "max_cor", "--out", "r.json"], "'max-corr'?"),
        (["extract", "--batch-tokens", "many"], "'--batch-tokens'"),
        (["run"], "give a job file"),
        (["inspect", "a\nb\x1b[2J\u202e.h5"], "a\\nb\\x1b[2J\\u202e.h5: no such"),
        (["rank", "x\ny", "--store", "s", "--out", "r.json"], "unknown method 'x\\ny'"),
        (["x\x1b[2J\ny"], "x\\x1b[2J\\ny"),
    ],
)
def test_an_error_is_one_line_and_with_json_one_object(arguments, said, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("neurox-lite: error: ") and said in err
    assert len(err.splitlines()) == 1
    assert main([*arguments[:1], "--json", *arguments[1:]]) == 2
    out, err_again = capsys.readouterr()
    assert len(out.splitlines()) == 1
    found = json.loads(out)
    assert set(found) == {"error", "exit_code"} and found["exit_code"] == 2
    assert "\x1b" not in out + err_again


def test_a_bug_is_one_object_too(monkeypatch, capsys):
    def broken(*_args, **_kwargs):
        raise RuntimeError("a\nb\x1b")

    monkeypatch.setattr("neurox_lite.activations.convert.convert", broken)
    assert main(["convert", "a", "b", "--json"]) == 1
    out, err = capsys.readouterr()
    message = "RuntimeError: a b\x1b (--debug shows where)"
    assert json.loads(out) == {"error": message, "exit_code": 1}
    assert err == "neurox-lite: error: RuntimeError: a b\\x1b (--debug shows where)\n"


def test_warnings_stay_on_stderr(monkeypatch, capsys):
    import warnings

    def warns(*_args, **_kwargs):
        warnings.warn("careful\n\x1b[2J", stacklevel=1)
        return "out\x1b.h5"

    monkeypatch.setattr("neurox_lite.activations.convert.convert", warns)
    assert main(["convert", "a", "b", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"written": "out\x1b.h5"}
    assert err == "neurox-lite: warning: careful\\n\\x1b[2J\n"
    assert main(["convert", "a", "b"]) == 0
    assert capsys.readouterr().out == "written  out\\x1b.h5\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["rank", "iou", "--help"], ["--version"]])
def test_help_is_help(arguments, capsys):
    assert main(arguments) == (0 if arguments else 2)
    out, err = capsys.readouterr()
    assert out + err
