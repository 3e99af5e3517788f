"""The graph as Mermaid and DOT, including names that are special there."""

from __future__ import annotations

import re

import pytest

from assetgraph.pictures.exports import dot, mermaid
from assetgraph.pictures.picture_card import Card
from assetgraph.records import AssetState

CARDS = [
    Card("end", "raw", "The first.\nMore."),
    Card("b/택시", "raw", state=AssetState.STALE),
    Card("c", "marts"),
]
EDGES = [("end", "b/택시"), ("b/택시", "c"), ("c", "elsewhere")]


def test_mermaid_has_groups_edges_and_colours_of_states() -> None:
    assert mermaid(CARDS, EDGES) == (
        "flowchart LR\n"
        '    subgraph g0["raw"]\n'
        '        a0["end"]\n'
        '        a1["b/택시"]\n'
        "    end\n"
        '    subgraph g1["marts"]\n'
        '        a2["c"]\n'
        "    end\n"
        "    a0 --> a1\n"
        "    a1 --> a2\n"
        "    classDef stale fill:#fff4dc,stroke:#955500,color:#1b1f27\n"
        "    class a1 stale\n"
    )


def test_dot_has_groups_edges_and_colours_of_states() -> None:
    lines = [line.strip() for line in dot(CARDS, EDGES).splitlines()]
    assert lines[0] == "digraph assets {"
    assert lines[-1] == "}"
    assert '"end" [tooltip="The first."]' in lines
    assert '"b/택시" [fillcolor="#fff4dc", color="#955500"]' in lines
    assert [line for line in lines if "->" in line] == ['"end" -> "b/택시"', '"b/택시" -> "c"']
    assert sum(line.startswith("subgraph cluster_") for line in lines) == 2


@pytest.mark.parametrize("export", [mermaid, dot])
def test_a_single_group_is_not_drawn(export) -> None:
    assert "subgraph" not in export([Card("a"), Card("b")], [("a", "b")])


HOSTILE = ['a"];b', "<script>", "a&quot;b", "#quot;", "a\\", "`*a*`", "a\nb --> c", "\u202ea\x1b[m"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_inside_its_quotes(name: str) -> None:
    cards = [Card(name, name, name), Card("b")]
    mermaid_texts = re.findall(r'\["(.*)"\]', mermaid(cards, []))
    assert mermaid_texts[0] == mermaid_texts[1]
    assert not set('"<>&`*\\\n\x1b\u202e') & set(mermaid_texts[0])
    decoded = re.sub(r"#(\d+);", lambda entity: chr(int(entity[1])), mermaid_texts[0])
    assert decoded == name.replace("\n", " ").replace("\u202e", "").replace("\x1b", " ")
    for line in dot(cards, []).splitlines():
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
        assert not set(outside) & set('"<>&\\`*#\x1b\u202e')
