"""The reference pages say what the code says, and the site has every page."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import assetgraph

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["python.md", "commands.md", "addresses.md"])
def test_a_page_of_the_reference_is_what_the_code_says(reference: ModuleType, name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == reference.pages()[name], "write it anew: python docs/make_reference.py"


def test_every_public_name_is_in_the_reference_with_what_it_is() -> None:
    text = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    _, *parts = text.split("\n### `")
    said = {part.partition("`")[0]: part.partition("\n")[2].split("\n## ")[0] for part in parts}
    assert set(said) == set(assetgraph.__all__) - {"__version__"}
    assert [name for name, what in said.items() if not _words(what)] == []


@pytest.mark.parametrize("page", ["commands.md", "addresses.md"])
def test_every_command_and_every_address_is_described(page: str) -> None:
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    _, *parts = text.split("\n## `")
    assert [part.partition("`")[0] for part in parts if not _words(part.partition("\n")[2])] == []


def test_the_site_has_every_page_of_the_documentation() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    listed = list(_pages(site["nav"]))
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert set(listed) == there
    assert len(listed) == len(there)


def _pages(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for page in entry.values():
            yield from _pages(page) if isinstance(page, list) else [page]


def _words(text: str) -> bool:
    """Whether something is said outside of blocks of code, tables and headings."""
    outside = "".join(text.split("```")[::2]).splitlines()
    marks = ("|", "#", "Parameters: ")
    return any(line.strip() and not line.startswith(marks) for line in outside)
