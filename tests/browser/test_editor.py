"""Code opens in the user's editor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

FILES = """
    import assetgraph as dg

    @dg.asset
    def fails():
        raise ValueError("no")
"""


@pytest.fixture
def no_editor(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    return monkeypatch


def test_a_definition_and_a_failed_line_open_in_the_editor_that_was_chosen(
    no_editor: pytest.MonkeyPatch, serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES})
    server.terminal("materialize", "--all")
    file = server.root / "pipeline.py"
    page = open_page(f"{server.url}/assets/fails?tab=code")
    link = page.locator("#open-in-editor")
    expect(link).to_have_text("Open in VS Code")
    expect(link).to_have_attribute("href", f"vscode://file{file}:4")
    place = page.get_by_role("region", name="Facts").get_by_role("link", name="pipeline.py:4")
    expect(place).to_have_attribute("href", f"vscode://file{file}:4")

    page.get_by_role("button", name="Choose the editor").press("Enter")
    dialog = page.get_by_role("dialog", name="Open code in")
    expect(dialog.get_by_role("radio", name="VS Code")).to_be_focused()
    dialog.get_by_role("radio", name="PyCharm").check()
    page.keyboard.press("Escape")
    expect(link).to_have_text("Open in PyCharm")
    expect(link).to_have_attribute("href", f"pycharm://open?file={file}&line=4")

    visit(page, f"{server.url}/runs/latest")
    tool = page.get_by_role("link", name="Open in PyCharm: pipeline.py:6")
    expect(tool).to_have_attribute("href", f"pycharm://open?file={file}&line=6")


def test_another_editor_is_named_by_its_address_which_never_runs_code(
    no_editor: pytest.MonkeyPatch, serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES})
    page = open_page(f"{server.url}/assets/fails?tab=code")
    page.get_by_role("button", name="Choose the editor").click()
    address = page.get_by_label("Address for another editor")
    address.fill("mine://go?at={path}+{line}")
    page.keyboard.press("Escape")
    link = page.locator("#open-in-editor")
    expect(link).to_have_text("Open in the editor")
    expect(link).to_have_attribute("href", f"mine://go?at={server.root}/pipeline.py+4")

    for hostile in (
        "javascript:alert(1)//{path}",
        " JavaScript:alert(1)",
        "data:text/html,{path}",
        "java\tscript:alert(1)",
        "//elsewhere/{path}",
        "\x01javascript:alert(1)",
    ):
        page.evaluate(
            "(text) => localStorage.setItem('assetgraph-editor', `other ${text}`)", hostile
        )
        visit(page, f"{server.url}/assets/fails?tab=code")
        expect(link).to_have_attribute("href", f"vscode://file{server.root}/pipeline.py:4")


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"EDITOR": "vim"}, "VS Code"),
        ({"EDITOR": "vim", "VISUAL": "/usr/bin/zed --wait"}, "Zed"),
        ({"EDITOR": "subl -w"}, "Sublime Text"),
        ({"EDITOR": "constructor"}, "VS Code"),
    ],
)
def test_the_editor_of_the_environment_is_the_first_choice_if_it_has_an_address(
    no_editor: pytest.MonkeyPatch,
    serve: Callable[..., Server],
    open_page: Callable[..., Page],
    variables: dict[str, str],
    name: str,
) -> None:
    for variable, value in variables.items():
        no_editor.setenv(variable, value)
    page = open_page(f"{serve({'pipeline.py': FILES}).url}/assets/fails?tab=code")
    expect(page.locator("#open-in-editor")).to_have_text(f"Open in {name}")
