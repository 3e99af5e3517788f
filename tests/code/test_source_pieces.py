"""A long text is parsed in pieces, which must give what the whole gives."""

from __future__ import annotations

import ast
from pathlib import Path
from types import CodeType

import pytest

import assetgraph
from assetgraph.code import source_pieces
from assetgraph.code.source_codes import Codes
from assetgraph.code.source_pieces import pieces_of, summary_of_pieces
from assetgraph.code.summarize import summarize

FILES = sorted(Path(assetgraph.__file__).parent.rglob("*.py"))[::9]
IN_TEXT = '''
from __future__ import annotations
import os

def before(value):
    return value + 1

NOTE = """

def inside(a):
    return a
"""

@staticmethod
def last():
    return NOTE
'''


def _functions(code):
    """The code of every function and class in some code."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*inner, *(one for constant in inner for one in _functions(constant))}


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch):
    monkeypatch.setattr(source_pieces, "_LEAST", 40)


@pytest.mark.parametrize("source", [*(p.read_bytes() for p in FILES), IN_TEXT])
def test_pieces_give_what_the_whole_text_gives(source):
    codes = Codes(source, "a.py")
    assert summary_of_pieces(source, "a.py", codes) == summarize([ast.parse(source)])
    for code in _functions(compile(source, "a.py", "exec", dont_inherit=True)):
        assert code in codes
    assert not codes.is_whole


def test_most_texts_have_several_pieces():
    assert sum(len(pieces_of(path.read_bytes())) > 3 for path in FILES) > len(FILES) / 2


def test_a_definition_inside_a_text_begins_no_statement():
    with pytest.raises(SyntaxError):
        ast.parse(pieces_of(IN_TEXT)[1])


def test_the_whole_text_is_compiled_for_code_that_its_pieces_lack():
    source = "def first(x):\n    return x + 12345678901234\n\ndef last():\n    return os.getcwd()\n"
    source += "\ndef end():\n    pass\n\nimport os\n"
    whole = compile(source, "a.py", "exec", dont_inherit=True)
    _, last, end = [code for code in whole.co_consts if isinstance(code, CodeType)]
    codes = Codes(source, "a.py")
    summary_of_pieces(source, "a.py", codes)
    assert end in codes
    assert last in codes
    assert last.replace(co_consts=(None, 1)) not in codes
