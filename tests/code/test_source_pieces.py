"""A long text is parsed in pieces, which must give what the whole gives."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import assetgraph
from assetgraph.code import source_pieces
from assetgraph.code.source_pieces import pieces_of, summary_of_pieces
from assetgraph.code.summarize import summarize

FILES = sorted(Path(assetgraph.__file__).parent.rglob("*.py"))[::9]
IN_TEXT = '''
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


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch):
    monkeypatch.setattr(source_pieces, "_LEAST", 40)


@pytest.mark.parametrize("source", [*(p.read_bytes() for p in FILES), IN_TEXT])
def test_pieces_give_what_the_whole_text_gives(source):
    assert summary_of_pieces(source, "a.py") == summarize([ast.parse(source)])


def test_most_texts_have_several_pieces():
    assert sum(len(pieces_of(path.read_bytes())) > 3 for path in FILES) > len(FILES) / 2


def test_a_definition_inside_a_text_begins_no_statement():
    with pytest.raises(SyntaxError):
        ast.parse(pieces_of(IN_TEXT)[0])
