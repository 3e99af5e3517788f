"""What the page's own files may not hold, so that hostile text stays text and the policy holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assetgraph import web
from assetgraph.pictures.theme import DARK, LIGHT, LOOKS
from assetgraph.states import AssetState

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")

from assetgraph.web.http.static_files import StaticFiles, theme_css

FOLDER = Path(web.__file__).parent
SCRIPTS = sorted((FOLDER / "static").rglob("*.js"))
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))

FORBIDDEN_IN_SCRIPTS = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
    "srcdoc", "createContextualFragment", "DOMParser", "parseFromString", "setHTML",
    "cssText", "new Worker", "import(",
)  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_or_code_of_text(script: Path) -> None:
    text = script.read_text(encoding="utf-8")

    assert not [word for word in FORBIDDEN_IN_SCRIPTS if word in text]
    assert "'style'," not in text.replace("name === 'style'", "")  # set by properties only


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_loads_anything_from_elsewhere(script: Path) -> None:
    addresses = set(re.findall(r"https?://[^\s'\"`)]+", script.read_text(encoding="utf-8")))

    assert addresses <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_code_no_style_and_nothing_unescaped(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert "|safe" not in text.replace(" ", "")
    assert "autoescape false" not in text
    assert not re.search(r"\son\w+=", text)
    assert not re.search(r"\sstyle=", text)
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


def test_every_module_that_a_script_imports_is_there() -> None:
    files = StaticFiles()

    for script in SCRIPTS:
        if script.name != "theme_early.js":
            files.modules_of(script.relative_to(FOLDER / "static").as_posix())


def test_the_modules_of_a_page_are_known_before_it_runs() -> None:
    modules = StaticFiles().modules_of("pages/assets.js")

    assert {"dom.js", "shell.js", "tab_stream.js"} <= set(modules)
    assert "pages/assets.js" not in modules


def test_the_colours_of_the_theme_are_those_of_the_terminal_and_the_pictures() -> None:
    css = theme_css()

    for look in LOOKS.values():
        assert look.light in css
        assert look.dark_tint in css
    assert LIGHT.accent in css
    assert DARK.accent in css


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_every_colour_of_text_can_be_read_on_every_surface_it_stands_on() -> None:
    for palette, colour, tint in ((LIGHT, "light", "light_tint"), (DARK, "dark", "dark_tint")):
        for surface in (palette.background, palette.surface):
            for text in (palette.text, palette.muted, palette.accent):
                assert _contrast(text, surface) >= 4.5
        for look in LOOKS.values():
            for surface in (palette.surface, palette.background, getattr(look, tint)):
                assert _contrast(getattr(look, colour), surface) >= 4.5


def test_every_colour_of_code_can_be_read_on_every_surface_it_stands_on() -> None:
    light, dark = (FOLDER / "static/styles/code.css").read_text(encoding="utf-8").split("dark")
    for css, palette, colour in ((light, LIGHT, "light_tint"), (dark, DARK, "dark_tint")):
        found = re.findall(r"--code-\w+: (#\w+);", css)
        assert len(found) == 4
        failed = getattr(LOOKS[AssetState.FAILED], colour)
        for text in (*found, palette.muted):
            for surface in (palette.background, palette.surface, failed):
                assert _contrast(text, surface) >= 4.5
