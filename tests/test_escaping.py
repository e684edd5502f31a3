"""Names from outside are shown, and command nothing, in every kind of output.

Also of ``neurox_lite.report.markdown``.
"""

import csv
import io
import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.escaping import (
    OneLineFormatter,
    csv_cell,
    csv_text,
    figure_text,
    html,
    json_line,
    latex,
    markdown,
    terminal,
)

REAL = [
    "NOUN",
    "-LRB-",
    "''",
    "``",
    "#",
    "$",
    ",",
    "PRP$",
    "اسم",
    "名词",
    "😀",
    "👩\u200d🔬",
    "می\u200cخواهم",
]
ANY_TEXT = st.text(st.characters(codec=None), max_size=20)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("red\x1b[31m", "red\\x1b[31m"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("\t\x00\x07\x7f\x9b", "\\t\\x00\\x07\\x7f\\x9b"),
        ("a\u2028b\u2029c\x85", "a\\u2028b\\u2029c\\x85"),
        ("\u202eevil\u202c \u2066x\u2069", "\\u202eevil\\u202c \\u2066x\\u2069"),
        ("zero\u200bwidth\ufeff\u2060", "zero\\u200bwidth\\ufeff\\u2060"),
        ("N\u200dN N\u200cN", "N\\u200dN N\\u200cN"),
        ("\U000e0041", "\\U000e0041"),
        ("lone \ud800", "lone \\ud800"),
        ("soft\u00adhyphen", "soft\\xadhyphen"),
        ("\u3164", "\\u3164"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_shown(text: str, shown: str) -> None:
    assert terminal(text) == shown


@pytest.mark.parametrize("text", REAL)
def test_real_labels_stay_as_they_are(text: str) -> None:
    assert terminal(text) == text
    assert csv_text(csv_cell(text)) == text
    assert json.loads(json_line([text])) == [text]


@given(ANY_TEXT)
def test_one_visible_line(text: str) -> None:
    for shown in (terminal(text), json_line([text]), str(InputError(text))):
        assert len(shown.splitlines()) <= 1
        assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs"}
        assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2069\u200b\ufeff")


@given(st.recursive(ANY_TEXT | st.integers() | st.none(), st.lists, max_leaves=5))
def test_json_reads_back_the_same(data: object) -> None:
    assert json.loads(json_line(data)) == data


def test_errors_are_one_line() -> None:
    for kind in (InputError, UnfinishedError):
        assert str(kind("model 'a\nb\x1b[2J': gone")) == "model 'a\\nb\\x1b[2J': gone"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", " =", "'=", "＝"])
def test_no_cell_is_a_formula(sign: str) -> None:
    label = f"{sign}HYPERLINK(1)"
    cell = csv_cell(label)
    assert cell.lstrip(" ")[0] not in "=+-@＝"
    assert csv_text(cell) == terminal(label)


@pytest.mark.parametrize("number", [-1.5, 3, "-1.5", "+2", "-.5e-3", float("-inf"), None, True])
def test_numbers_stay_numbers(number: object) -> None:
    assert csv_cell(number) == number


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=8))
def test_labels_read_back_from_csv(label: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerow([csv_cell(label), 1])
    ((cell, _),) = csv.reader(io.StringIO(text.getvalue()))
    assert csv_text(cell) == terminal(label)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a|b", "a\\|b"),
        ("`x` *y* _z_ ~w~", "\\`x\\` \\*y\\* \\_z\\_ \\~w\\~"),
        ("[text](http://e.com)", "\\[text\\](http\\://e.com)"),
        ("![i](x)", "!\\[i\\](x)"),
        ("# title", "\\# title"),
        ("#", "\\#"),
        ("- item", "\\- item"),
        ("---", "\\---"),
        ("1. item", "1\\. item"),
        ("&lt;", "&amp;lt;"),
        ("\\x", "\\\\x"),
        ("a\nb", "a\\\\nb"),
        ("$x$", "\\$x\\$"),
        ("-LRB-", "-LRB-"),
        ("''", "''"),
        ("-1.5", "-1.5"),
        ("اسم", "اسم"),
    ],
)
def test_markdown(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_html() -> None:
    assert html("<b a=\"1\" c='2'>&\n") == "&lt;b a=&quot;1&quot; c=&#x27;2&#x27;&gt;&amp;\\n"


def test_latex() -> None:
    assert latex("PRP$ 50% a_b #1 {x} A&B") == r"PRP\$ 50\% a\_b \#1 \{x\} A\&B"
    assert latex("\\input{x}") == r"\textbackslash{}input\{x\}"
    assert latex("~^<|>") == (
        r"\textasciitilde{}\textasciicircum{}\textless{}\textbar{}\textgreater{}"
    )
    assert latex("''") == "'{}'"
    assert latex("*a [b]") == "{*}a {[}b]"
    assert latex("-LRB-") == "-LRB-"


def test_figures_show_dollars_and_no_formula() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    for name in ("PRP$ $", "$x^2$", "\\$", "$$", "\\frac{", "# -LRB- ''"):
        text = figure.text(0, 0, figure_text(name))
        shown, is_formula = text._preprocess_math(text.get_text())
        assert (shown, is_formula) == (name, False)


def test_figures_show_codes_for_what_is_not_seen() -> None:
    assert figure_text("é اسم Привет") == "é اسم Привет"
    assert figure_text("line\nbreak \U0010ffff") == "line\\nbreak \\U0010ffff"


def test_long_names_in_figures_are_cut() -> None:
    assert figure_text("x" * 50, most=10) == "x" * 9 + "…"
    assert figure_text("x" * 10, most=10) == "x" * 10
    assert figure_text("ア" * 9, most=10).endswith("…")


def test_log_records_are_one_line() -> None:
    record = logging.LogRecord("n", 20, "f", 1, "%s: done\x1b[0m", ("a\nb",), None)
    assert OneLineFormatter("%(message)s").format(record) == "a\\nb: done\\x1b[0m"
