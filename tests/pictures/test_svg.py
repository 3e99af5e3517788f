"""The graph as an SVG picture."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from assetgraph.definitions.decorator import asset
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.pictures.picture_card import Card
from assetgraph.pictures.svg import graph_svg
from assetgraph.pictures.theme import DARK, LIGHT, LOOKS, Palette
from assetgraph.records import AssetState

SVG = "{http://www.w3.org/2000/svg}"
CARDS = [
    Card("trips", "raw", "Trips of the TLC.\nMore of it.", AssetState.FRESH, "/assets/trips"),
    Card("manhattan/fares", "marts", None, AssetState.FAILED),
]


def drawn(*cards: Card, edges: list[tuple[str, str]] | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(graph_svg(cards, edges or []))


def texts(picture: ElementTree.Element, kind: str) -> list[str | None]:
    return [t.text for t in picture.iter(f"{SVG}text") if t.get("class") == kind]


def test_a_card_says_name_description_state_and_group() -> None:
    picture = drawn(*CARDS, edges=[("trips", "manhattan/fares")])
    assert texts(picture, "name") == ["trips", "manhattan/fares"]
    assert texts(picture, "about") == ["Trips of the TLC.", None]
    assert texts(picture, "state") == ["✓ materialized", "✕ failed"]
    assert texts(picture, "group") == ["raw", "marts"]
    titles = [title.text for title in picture.iter(f"{SVG}title")]
    assert titles[:2] == ["Lineage of 2 assets", "trips · raw · materialized · Trips of the TLC."]
    assert [a.get("href") for a in picture.iter(f"{SVG}a")] == ["/assets/trips"]


def test_an_edge_is_a_line_with_a_tip_at_the_card_it_leads_to() -> None:
    picture = drawn(*CARDS, edges=[("trips", "manhattan/fares")])
    paths = {path.get("class"): path.get("d", "") for path in picture.iter(f"{SVG}path")}
    end = paths["edge"].rpartition("H")[2]
    assert paths["tip"].startswith(f"M{end} ")


def test_a_card_has_no_row_that_is_empty_on_every_card() -> None:
    picture = drawn(Card("a"), Card("b"))
    assert {t.get("class") for t in picture.iter(f"{SVG}text")} == {"name"}
    plain, full = (float(drawn(card).get("height", 0)) for card in (Card("a"), CARDS[0]))
    assert plain < full


HOSTILE = [
    "<script>alert(1)</script>",
    "]]>",
    "a\x00b\ud800\ufffe",
    '" onload="x',
    "&lt;",
    "\u202eabc",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    picture = drawn(Card(text, text, text, link=text), Card("b"))
    elements = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert elements == {"svg", "title", "style", "clipPath", "rect", "g", "a", "text"}
    assert not [element for element in picture.iter() if element.get("onload")]
    shown = "".join(picture.itertext())
    assert not set(shown) & set("\x00\ud800\ufffe\u202e")


def test_text_too_wide_for_its_card_ends_in_an_ellipsis() -> None:
    long, wide = "long_" * 40, "택시운행" * 12
    name, wide_name = texts(drawn(Card(long), Card(wide)), "name")
    assert name is not None
    assert wide_name is not None
    assert name.endswith("…")
    assert wide_name.endswith("…")
    assert long.startswith(name[:-1])
    assert len(wide_name) < len(name)


def test_the_picture_has_both_themes_and_the_colours_of_every_state() -> None:
    light, _, dark = graph_svg(CARDS, []).partition("@media(prefers-color-scheme:dark)")
    for look in LOOKS.values():
        assert look.light in light
        assert look.dark in dark
    assert LIGHT.background in light
    assert DARK.background in dark


def test_a_graph_without_assets_is_an_empty_picture() -> None:
    assert drawn().find(f"{SVG}title").text == "Lineage of 0 assets"


def test_a_graph_shows_itself_in_a_notebook() -> None:
    trips = asset(name="trips", description="Each trip.")(lambda: None)
    fares = asset(name="fares")(lambda trips: None)
    picture = ElementTree.fromstring(AssetGraph([fares, trips])._repr_svg_())
    assert texts(picture, "name") == ["trips", "fares"]
    assert texts(picture, "about") == ["Each trip.", None]
    assert len([p for p in picture.iter(f"{SVG}path") if p.get("class") == "edge"]) == 1


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("state", AssetState)
def test_every_state_is_readable_on_its_tint_and_on_a_card(state: AssetState) -> None:
    look = LOOKS[state]
    for colour, grounds in (
        (look.light, (look.light_tint, LIGHT.surface)),
        (look.dark, (look.dark_tint, DARK.surface)),
    ):
        assert all(contrast(colour, ground) >= 4.5 for ground in grounds)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_is_readable_on_every_surface(palette: Palette) -> None:
    for colour in (palette.text, palette.muted, palette.accent):
        assert contrast(colour, palette.surface) >= 4.5
        assert contrast(colour, palette.background) >= 4.5
