"""A graph as an SVG picture for a file or a notebook, light or dark like the reader's system."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from assetgraph.pictures.gist import gist
from assetgraph.pictures.layout import arranged, worth_frames
from assetgraph.pictures.text_width import ems, fitted
from assetgraph.pictures.theme import DARK, LIGHT, LOOKS, state_word
from assetgraph.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from assetgraph.pictures.layout import Box, Layout, Point
    from assetgraph.pictures.picture_card import Card
    from assetgraph.pictures.theme import Palette
    from assetgraph.records import AssetState

MARGIN = 24
PADDING = 12
CORNER = 10
NARROWEST, USUAL, WIDEST = 120, 216, 272
NAME_SIZE, TEXT_SIZE, NOTE_SIZE = 13, 12, 11
FRAME_NAME_SIZE = 15
FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def graph_svg(
    cards: Sequence[Card],
    edges: Iterable[tuple[str, str]],
    *,
    place: Callable[..., Layout] = arranged,
) -> str:
    """The graph as a complete SVG document.

    `edges` are (upstream, downstream) ids. `place` stands for `arranged`, and may remember its
    answers.
    """
    shape = _Shape.of(cards)
    edges = list(edges)
    groups = {card.id: card.group for card in cards}
    sizes = {card.id: (shape.width, shape.height) for card in cards}
    placed = place(sizes, edges, group_of=groups if worth_frames(edges, groups) else None)
    ends = dict.fromkeys(route[-1] for route in placed.routes.values())
    width, height = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
    role = "group" if any(card.link for card in cards) else "img"
    count = "1 asset" if len(cards) == 1 else f"{len(cards)} assets"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="assetgraph" role="{role}"'
        f' viewBox="0 0 {_px(width)} {_px(height)}" width="{_px(width)}" height="{_px(height)}">',
        f"<title>Lineage of {count}</title>",
        f"<style>{_style()}</style>",
        f'<clipPath id="{shape.clip}"><rect width="{shape.width}" height="{shape.height}"/>'
        "</clipPath>",
        '<rect class="ground" width="100%" height="100%" rx="8"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
        *(_frame(group, box) for group, box in placed.frames.items()),
        *(f'<path class="edge" d="{_curve(route)}"/>' for route in placed.routes.values()),
        *(f'<path class="tip" d="{_tip(end)}"/>' for end in ends),
        *(shape.drawn(card, placed.positions[card.id]) for card in cards),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Shape:
    """The size and rows that all cards of a picture share: each row that any of them needs."""

    width: int
    with_description: bool
    with_group: bool
    with_state: bool

    @staticmethod
    def of(cards: Sequence[Card]) -> _Shape:
        names = max((ems(card.id) * NAME_SIZE * 1.05 for card in cards), default=0)
        with_description = any(gist(card.description) for card in cards)
        with_state = any(card.state is not None for card in cards)
        least = USUAL if with_description or with_state else NARROWEST
        return _Shape(
            min(max(least, int(names) + 2 * PADDING), WIDEST),
            with_description,
            len({card.group for card in cards}) > 1,
            with_state,
        )

    @property
    def height(self) -> int:
        return 40 + 19 * self.with_description + 24 * (self.with_group or self.with_state)

    @property
    def clip(self) -> str:
        return f"assetgraph-{self.width}-{self.height}"

    def drawn(self, card: Card, corner: Point) -> str:
        x, y = corner
        parts = [
            f'<g transform="translate({_px(x)} {_px(y)})" clip-path="url(#{self.clip})">',
            f"<title>{_escaped(_summary(card))}</title>",
            f'<rect class="card" x=".5" y=".5" width="{self.width - 1}"'
            f' height="{self.height - 1}" rx="8"/>',
            self._text("name", 25, card.id, NAME_SIZE * 1.05),
        ]
        if self.with_description:
            parts.append(self._text("about", 44, gist(card.description), TEXT_SIZE))
        parts += self._footer(card)
        drawn = "".join([*parts, "</g>"])
        return f'<a href="{_escaped(card.link)}">{drawn}</a>' if card.link else drawn

    def _text(self, kind: str, y: float, text: str, size: float) -> str:
        shown = _escaped(fitted(printable(text), (self.width - 2 * PADDING) / size))
        return f'<text class="{kind}" x="{PADDING}" y="{y}">{shown}</text>'

    def _footer(self, card: Card) -> Iterator[str]:
        base = self.height - 14
        x = float(PADDING)
        if card.state is not None:
            glyph, word = LOOKS[card.state].glyph, state_word(card.state, card.made)
            width = round((ems(word) + 2.6) * NOTE_SIZE, 1)
            yield (
                f'<g class="{card.state}"><rect class="pill" x="{_px(x - 2)}" y="{base - 12.5}"'
                f' width="{_px(width)}" height="18" rx="9"/>'
                f'<text class="state" x="{_px(x + 6)}" y="{base}">{glyph} {word}</text>'
                "</g>"
            )
            x += width + 6
        if self.with_group:
            room = (self.width - PADDING - x) / NOTE_SIZE
            group = _escaped(fitted(printable(card.group), room))
            yield f'<text class="group" x="{self.width - PADDING}" y="{base}">{group}</text>'


def _summary(card: Card) -> str:
    state = state_word(card.state, card.made) if card.state is not None else ""
    words = [printable(card.id), printable(card.group), state, gist(card.description)]
    return " · ".join(word for word in words if word)


def _frame(group: str, box: Box) -> str:
    x, y, width, height = box
    name = fitted(printable(group), (width - 32) / FRAME_NAME_SIZE)
    return (
        f'<rect class="frame" x="{_px(x)}" y="{_px(y)}" width="{_px(width)}"'
        f' height="{_px(height)}" rx="12"/>'
        f'<text class="frame-name" x="{_px(x + 16)}" y="{_px(y + 26)}">{_escaped(name)}</text>'
    )


def _curve(route: Sequence[Point]) -> str:
    """An SVG path along `route`: lines with round corners, and S-curves where it climbs."""
    x, y = route[0]
    steps = [f"M{_px(x)} {_px(y)}"]
    for n, ((x1, y1), (x2, y2)) in enumerate(pairwise(route), 2):
        turns = n < len(route) and (x1 == x2 or route[n][0] == x2)
        if turns:
            (x3, y3) = route[n]
            before, after = _towards((x2, y2), (x1, y1)), _towards((x2, y2), (x3, y3))
            steps.append(f"L{before}Q{_px(x2)} {_px(y2)} {after}")
        elif y1 == y2:
            steps.append(f"H{_px(x2)}")
        elif x1 == x2:
            steps.append(f"V{_px(y2)}")
        else:
            middle = (x1 + x2) / 2
            steps.append(f"C{_px(middle)} {_px(y1)} {_px(middle)} {_px(y2)} {_px(x2)} {_px(y2)}")
    return "".join(steps)


def _towards(corner: Point, other: Point) -> str:
    """The point on the way from `corner` to `other` where the round corner begins."""
    (x, y), (to_x, to_y) = corner, other
    far = max(abs(to_x - x), abs(to_y - y))
    share = min(CORNER, far / 2) / far
    return f"{_px(x + (to_x - x) * share)} {_px(y + (to_y - y) * share)}"


def _tip(end: Point) -> str:
    x, y = end
    return f"M{_px(x)} {_px(y)}l-7 -3.5v7z"


def _style() -> str:
    """The CSS of the picture, with its class in each rule: a notebook around it is unaffected."""
    fixed = {
        "text": f"font:{TEXT_SIZE}px {FONT}",
        ".state,.assetgraph .group": f"font-size:{NOTE_SIZE}px",
        ".group": "text-anchor:end",
    }
    light = {state: (look.light, look.light_tint) for state, look in LOOKS.items()}
    dark = {state: (look.dark, look.dark_tint) for state, look in LOOKS.items()}
    return (
        _rules(fixed | _colours(LIGHT, light))
        + f"@media(prefers-color-scheme:dark){{{_rules(_colours(DARK, dark))}}}"
    )


def _colours(palette: Palette, states: Mapping[AssetState, tuple[str, str]]) -> dict[str, str]:
    rules = {
        ".ground": f"fill:{palette.background}",
        ".card": f"fill:{palette.surface};stroke:{palette.line}",
        ".name": f"fill:{palette.text};font-size:{NAME_SIZE}px;font-weight:600",
        ".about,.assetgraph .group": f"fill:{palette.muted}",
        ".frame": f"fill:{palette.surface};fill-opacity:.55;stroke:{palette.edge}",
        ".frame-name": f"fill:{palette.muted};font-size:{FRAME_NAME_SIZE}px;font-weight:600",
        ".edge": f"fill:none;stroke:{palette.edge};stroke-width:1.5",
        ".tip": f"fill:{palette.edge}",
    }
    for state, (colour, tint) in states.items():
        rules |= {f".{state} .pill": f"fill:{tint}", f".{state} .state": f"fill:{colour}"}
    return rules


def _rules(rules: Mapping[str, str]) -> str:
    return "".join(f".assetgraph {place}{{{rule}}}" for place, rule in rules.items())


def _px(length: float) -> str:
    return f"{length:.1f}".removesuffix(".0")


def _escaped(text: str) -> str:
    return printable(text).translate(_ENTITIES)


_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
