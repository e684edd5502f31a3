"""Which files neurox_lite wrote, recognised by their content."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

HEADS = {
    ".json": re.compile(
        rb'\{\s*("kind": "[^"]*",\s*)?"checksum": "|\[\s*\{\s*"method": |'
        rb'\{\s*"[^"\n]*": \{\s*"folder": "\d{3}"|'
        # Without a checksum, as versions before it wrote them.
        rb'\{\s*"kind": "(ablation curves|agreement of rankings|elastic-net (probe|regression)|'
        rb"layer scores|layer similarity|learning curve|mask fit|mask overlaps|method table|"
        rb"neuron (clusters|mask|ranking)|online code|rank intervals|regularisation search|"
        rb'seed spread|side effects|steering curves)"|'
        rb'\{\s*"(test_accuracy|test_R2)": |\{\s*"task_accuracy": [^\n]*\s*"control_accuracy": '
    ),
    ".md": re.compile(rb"# [^\n]*: which neurons of "),
    ".csv": re.compile(
        rb"rank,layer,unit,score|layer,unit,(cluster|direction|gate|rank|in_first|sign)|"
        rb"[^,\n]+,count,expected,|property,model,|label,predicted,words|"
        rb"method,([^,\n]+,count|other,overlap|retrained,replacement|share,accuracy),|"
        rb"method,seconds per text,|"
        rb"method,(?P<c>[^,\n]+),(?P=c) low,(?P=c) high|"
        rb"layer,separate,cumulative,|layer,other_layer,similarity|"
        rb"label,(precision,recall|folder,test_accuracy),|split,R2|"
        rb"task_accuracy,control_accuracy,|set,method,share,accuracy,|"
        rb"share,n_words,accuracy_mean,|block_end,bits|first,second,both,only_first,|"
        rb"status,objective,alpha,size,|l1,l2,scores,|metric,data,intact,masked,|"
        rb"text,position,token,state,value|label,n_tokens,state,|"
        rb"description,(n_examples,n_sentences|layer,unit,n_sentences),|n_active,n_inactive,|sign,what,rank,|"
        rb"neuron,category,sparseness,|neuron,rank,twin,|neuron,sign,level,description,"
    ),
}
"""How files of neurox_lite begin that do not name it."""

MARK = b"neurox_lite"
EMPTY = (b"", b"{}", b"[]")


def is_ours(path: str | Path) -> bool:
    """Whether neurox_lite wrote a file, as its content says; of an empty one nothing is lost."""
    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if path.suffix in HEADS:
            head = file.read(4096)
            return head.strip() in EMPTY or bool(HEADS[path.suffix].match(head))
        return _names_us(file) or _is_of_old_result(path)


def _is_of_old_result(path: Path) -> bool:
    """Whether the JSON beside a figure or arrays is ours and of a version that did not name it."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return False
    with beside.open("rb") as file:
        head = file.read(4096)
    return b'"checksum"' not in head and bool(HEADS[".json"].match(head))


def _names_us(file: BinaryIO) -> bool:
    """Whether there is the name of neurox_lite in a file, or nothing."""
    last, is_empty = b"", True
    while block := file.read(1 << 20):
        if MARK in last + block:
            return True
        last, is_empty = block[-len(MARK) :], False
    return is_empty
