"""A graph as text for other tools: Mermaid for Markdown pages, DOT for Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.pictures.gist import gist
from assetgraph.pictures.theme import LIGHT, LOOKS
from assetgraph.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assetgraph.pictures.picture_card import Card


def mermaid(cards: Sequence[Card], edges: Iterable[tuple[str, str]]) -> str:
    """The graph as a Mermaid flowchart, with a subgraph for each group if there are several.

    `edges` are (upstream, downstream) ids. Nodes get numbers as their ids, because words such as
    `end` are reserved in Mermaid.
    """
    ids = {card.id: f"a{number}" for number, card in enumerate(cards)}
    lines = ["flowchart LR"]
    for number, (group, members) in enumerate(_grouped(cards)):
        nodes = [f"{ids[card.id]}[{_mermaid_text(card.id)}]" for card in members]
        if group is None:
            lines += [f"    {node}" for node in nodes]
        else:
            lines.append(f"    subgraph g{number}[{_mermaid_text(group)}]")
            lines += [f"        {node}" for node in nodes]
            lines.append("    end")
    lines += [f"    {ids[a]} --> {ids[b]}" for a, b in edges if a in ids and b in ids]
    for state, look in LOOKS.items():
        inside = ",".join(ids[card.id] for card in cards if card.state == state)
        if inside:
            colours = f"fill:{look.light_tint},stroke:{look.light},color:{LIGHT.text}"
            lines += [f"    classDef {state} {colours}", f"    class {inside} {state}"]
    return "\n".join(lines) + "\n"


def dot(cards: Sequence[Card], edges: Iterable[tuple[str, str]]) -> str:
    """The graph as a Graphviz digraph, with a cluster for each group if there are several.

    `edges` are (upstream, downstream) ids. Nodes are named by the ids of their cards.
    """
    known = {card.id for card in cards}
    lines = [
        "digraph assets {",
        "    rankdir=LR",
        f'    node [shape=box, style="rounded,filled", fillcolor="{LIGHT.surface}",'
        f' color="{LIGHT.edge}", fontcolor="{LIGHT.text}", fontname="sans-serif"]',
        f'    edge [color="{LIGHT.edge}"]',
    ]
    for number, (group, members) in enumerate(_grouped(cards)):
        nodes = [f"{_dot_text(card.id)}{_dot_attributes(card)}" for card in members]
        if group is None:
            lines += [f"    {node}" for node in nodes]
        else:
            label = f'label={_dot_text(group)}, color="{LIGHT.line}", fontname="sans-serif"'
            lines += [f"    subgraph cluster_{number} {{", f"        graph [{label}]"]
            lines += [f"        {node}" for node in nodes]
            lines.append("    }")
    pairs = ((a, b) for a, b in edges if a in known and b in known)
    lines += [f"    {_dot_text(a)} -> {_dot_text(b)}" for a, b in pairs]
    return "\n".join([*lines, "}"]) + "\n"


def _grouped(cards: Sequence[Card]) -> Iterator[tuple[str | None, list[Card]]]:
    """Groups with their cards, in order of appearance; a single group has no name."""
    groups: dict[str, list[Card]] = {}
    for card in cards:
        groups.setdefault(card.group, []).append(card)
    for group, members in groups.items():
        yield (group if len(groups) > 1 else None), members


def _dot_attributes(card: Card) -> str:
    pairs = {"tooltip": gist(card.description)}
    if card.state is not None:
        look = LOOKS[card.state]
        pairs |= {"fillcolor": look.light_tint, "color": look.light}
    shown = ", ".join(f"{name}={_dot_text(text)}" for name, text in pairs.items() if text)
    return f" [{shown}]" if shown else ""


def _dot_text(text: str) -> str:
    """`text` as a DOT string: `&` and backslash are escaped because Graphviz interprets them."""
    escaped = printable(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mermaid_text(text: str) -> str:
    """`text` as a Mermaid string: all but letters, digits and `_ /-.` become numbered entities."""
    return '"' + "".join(_mermaid_character(c) for c in printable(text)) + '"'


def _mermaid_character(character: str) -> str:
    plain = character.isalnum() or character in "_ /-." or ord(character) > 127
    return character if plain else f"#{ord(character)};"
