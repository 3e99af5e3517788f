"""Code has colours, JSON has readable lines, and both stay the text that they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect
from web_pages import PIPELINE

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

FILES = '''
    import json
    from pathlib import Path
    import assetgraph as dg

    @dg.asset
    def shapes(context) -> Path:
        """Shapes, from:

        ```sql
        SELECT count(*) FROM shapes -- all
        WHERE name <> 'it''s' LIMIT 10
        ```
        """
        ring = [[-73.97 + n / 100, 40.72] for n in range(40)]
        features = [{"type": "Feature", "name": f"<b>{n}</b>", "ring": ring} for n in range(40)]
        text = json.dumps({"month": "2023-03", "features": features}, separators=(",", ":"))
        Path("shapes.geojson").write_text(text)
        context.add_output_metadata({"facts": dg.MetadataValue.json({"on": True, "n": [1, 2]})})
        return Path("shapes.geojson")

    @dg.asset
    def by_hand() -> Path:
        Path("by_hand.json").write_text('{"a":\\n      1}')
        return Path("by_hand.json")

    @dg.asset
    def notes() -> Path:
        Path("notes.md").write_text("# Title\\n\\nSome *text*.")
        return Path("notes.md")

    @dg.asset
    def settings() -> dict[str, list[int]]:
        return {"long": list(range(60))}

    @dg.asset
    def rates() -> Path:
        cells = "a,12.5%,$1,b 1.5,nan,2023-03-01"
        Path("rates.csv").write_text(f"name,share,price,text,part,day\\n{cells}\\n" * 1
            + 'b,7%,"$2,000.50",2,1e-3,2023-03-02\\n')
        return Path("rates.csv")

    @dg.asset
    def fails():
        for name in ("a",):
            raise KeyError(name)  # the reason
'''
BARE = r"""t.replace(/"(?:[^"\\]|\\.)*"?|\s+/g, (part) => part[0] === '"' ? part : '')"""


def _words(page: Page, box: str, kind: str) -> list[str]:
    return page.locator(f"{box} .code-{kind}").all_inner_texts()


def test_source_queries_and_failed_lines_have_colours(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": FILES}, "materialize --all")
    page = open_page(f"{server.url}/assets/shapes?tab=code")
    source = '[aria-label="Source"]'
    expect(page.locator(source)).to_contain_text('features = [{"type": "Feature"')
    assert _words(page, source, "mark") == ["@dg.asset"]
    assert _words(page, source, "name") == ["shapes"]
    assert {"def", "for", "in", "return"} <= set(_words(page, source, "keyword"))
    assert '"shapes.geojson"' in _words(page, source, "string")
    assert "count(*)" not in " ".join(_words(page, source, "keyword"))
    page.get_by_role("link", name="Overview").last.click()
    query = ".asset-about .markdown pre"
    expect(page.locator(query)).to_be_visible()
    assert _words(page, query, "keyword") == ["SELECT", "FROM", "WHERE", "LIMIT"]
    assert _words(page, query, "comment") == ["-- all"]
    assert _words(page, query, "string") == ["'it''s'"]

    visit(page, f"{server.url}/runs/latest")
    expect(page.locator(".frame-main [aria-current]")).to_contain_text("raise KeyError(name)")
    assert _words(page, ".frame-main", "comment") == ["# the reason"]
    assert _words(page, ".frame-main [aria-current]", "keyword") == ["raise"]


def test_json_is_shown_in_readable_lines_and_nothing_else_of_it_changes(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": FILES}, "materialize --all")
    page = open_page(f"{server.url}/assets/shapes")
    text = page.locator(".preview pre").inner_text()
    assert text.startswith('{\n  "month": "2023-03",\n  "features": [\n    {\n')
    assert "        [-73.97, 40.72], [-73.96, 40.72]" in text
    assert max(map(len, text.split("\n"))) <= 84
    assert '"<b>0</b>"' in _words(page, ".preview", "string")
    written = (server.root / "shapes.geojson").read_text()
    assert "".join(text.split()) == written[:16384].replace(" ", "")[: len("".join(text.split()))]
    expect(page.locator(".metadata pre").first).to_have_text('{"on": true, "n": [1, 2]}')

    visit(page, f"{server.url}/assets/by_hand")
    assert page.locator(".preview pre").inner_text() == '{"a":\n      1}'
    visit(page, f"{server.url}/assets/settings")
    assert page.locator(".preview pre").inner_text().startswith('{\n  "long": [\n    0, 1, 2, 3')
    visit(page, f"{server.url}/assets/notes")
    expect(page.locator(".preview").get_by_role("heading")).to_have_text("Title")
    visit(page, f"{server.url}/assets/rates")
    heads = page.locator(".preview th")
    expect(heads).to_have_count(6)
    kinds = [head.get_attribute("class") or "" for head in heads.all()]
    assert kinds == ["", "number", "number", "", "number", ""]


ODD: list[Any] = [
    {}, [], {"": ""}, {"a": {"b": [[], {}, [[1]]]}}, ['"', "\\", "\n", "<i>", " "], [None] * 50,
    [1e300, -2.5e-7, 2**70], {"k" * 100: "v" * 200}, [[1, 2], {"a": [3]}, "x"], [[[[0.5, 1]]] * 9],
]  # fmt: skip


def test_every_beginning_of_a_json_text_keeps_all_of_its_signs(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(look_at({"pipeline.py": PIPELINE}).url)
    texts = [json.dumps(value, separators=(",", ":")) for value in [*ODD, ODD]]
    broken = ["[1,,2]", "{1}}", '{"a":1,}', "[1 2]", "{}{}", '{"a":1}\n{"a":2}', "x", "[}", ":"]
    wrong = page.evaluate(
        f"""async ([texts, broken]) => {{
          const {{laidOut}} = await import('/static/any/json_layout.js');
          const bare = (t) => {BARE}.replace(/[,:]+$/, '');
          const cut = texts.flatMap((text) => [...text].map((_, end) => text.slice(0, end + 1)));
          return [...cut.filter((text) => bare(laidOut(text)) !== bare(text)),
            ...texts.filter((text) => JSON.stringify(JSON.parse(laidOut(text))) !== JSON.stringify(JSON.parse(text))),
            ...broken.filter((text) => laidOut(text) !== text)];
        }}""",
        [texts, broken],
    )
    assert wrong == []


@pytest.mark.parametrize("language", ["python", "sql", "json"])
def test_the_colours_of_any_text_leave_it_as_it_is_and_cost_little(
    look_at: Callable[..., Server], open_page: Callable[..., Page], language: str
) -> None:
    page = open_page(look_at({"pipeline.py": PIPELINE}).url)
    signs = [
        '"',
        "'",
        "1",
        "1_",
        ".1",
        '"""',
        "'''",
        "/*",
        "--",
        "@a.",
        "\\",
        '\\"',
        'rb"',
        "_",
        "#",
        "[",
        "{",
        "0x",
        "1e",
        " ",
        "\n",
        "é",
        "<b>",
        "😀",
    ]
    slow = page.evaluate(
        """async ([signs, language]) => {
          const {code, codeLines} = await import('/static/any/code.js');
          const {laidOut} = await import('/static/any/json_layout.js');
          const box = document.createElement('pre');
          return signs.filter((sign) => {
            const text = sign.repeat(100_000 / sign.length);
            const spend = (text) => {
              const begun = performance.now();
              box.replaceChildren(...code(text, language));
              laidOut(text);
              return performance.now() - begun;
            };
            // Perhaps other work held it up: a quarter of the text takes a quarter of the time.
            const best = (text) => Math.min(spend(text), spend(text), spend(text));
            let slow = spend(text) > 2000;
            if (slow) {
              const part = best(text.slice(0, 25_000));
              slow = best(text) > Math.max(2000, 8 * part);
            }
            const lines = codeLines(text.slice(0, 999).split('\\n'), language).map((parts) => {
              box.lastLine ??= document.createElement('p');
              box.lastLine.replaceChildren(...parts);
              return box.lastLine.textContent;
            });
            return box.textContent !== text || lines.join('\\n') !== text.slice(0, 999) || slow;
          });
        }""",
        [signs, language],
    )
    assert slow == []


OFTEN = """
    import assetgraph as dg

    @dg.asset
    def often(context):
        facts = {f"name_{n}": [n, n + 1] for n in range(200)}
        context.add_output_metadata({"facts": dg.MetadataValue.json(facts), "n": 1})
        return facts
"""


def test_details_of_past_attempts_are_drawn_only_while_they_are_open(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": OFTEN})
    for _ in range(3):
        server.terminal("materialize", "often")
    page = open_page(f"{server.url}/assets/often?tab=history")
    expect(page.locator(".attempt")).to_have_count(3)
    expect(page.locator(".attempt-body")).to_have_count(0)
    page.locator(".attempt summary").nth(1).press("Enter")
    expect(page.locator(".attempt-body")).to_have_count(1)
    expect(page.locator(".attempt").nth(1)).to_contain_text("name_199")

    server.terminal("materialize", "often")
    expect(page.locator(".attempt")).to_have_count(4)
    expect(page.locator(".attempt").nth(2).locator(".attempt-body")).to_be_visible()
    page.locator(".attempt summary").nth(2).press("Enter")
    expect(page.locator(".attempt-body")).to_have_count(0)


CLOSE_BEFORE_A_DRAWING = """() => {
    const [first, second] = document.querySelectorAll('.attempt summary');
    // A frame calls in order: this click, and then the drawing that the first one asks for.
    const close = () => requestAnimationFrame(() => second.click());
    document.addEventListener('toggle', close, {capture: true, once: true});
    first.click();
}"""


def test_what_is_closed_just_before_the_page_is_drawn_stays_closed(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": OFTEN})
    for _ in range(2):
        server.terminal("materialize", "often")
    page = open_page(f"{server.url}/assets/often?tab=history")
    page.locator(".attempt summary").nth(1).press("Enter")
    expect(page.locator(".attempt-body")).to_have_count(1)
    page.evaluate(CLOSE_BEFORE_A_DRAWING)
    expect(page.locator(".attempt").nth(0).locator(".attempt-body")).to_be_visible()
    expect(page.locator(".attempt-body")).to_have_count(1)
