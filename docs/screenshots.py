"""Pictures of the page, of the taxi project and of the tutorial's.

    python docs/screenshots.py            those that the documentation shows, into docs/images
    python docs/screenshots.py --all DIR  every page in both themes

The project is copied to a temporary folder, materialized, and broken as in the course's exercise.
Where the sources of the taxi project cannot be reached the embedded sample is shown. The letters
are those of the machine's own font for `system-ui`. It needs the extras taxi, ui and test, and a
Chromium.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
IMPORT = "from nyc_taxi import constants"


class Picture(NamedTuple):
    """A picture of the page at `address`, after `act`; the README shows it in `kept` themes."""

    name: str
    address: str
    act: Callable[[Page], None] | None = None
    kept: tuple[str, ...] = ()
    width: int = 1360
    height: int = 850


def launch_dialog(page: Page) -> None:
    page.get_by_role("button", name="Materialize").click()
    page.get_by_role("dialog").wait_for()


def to_the_log(page: Page) -> None:
    page.locator(".log").scroll_into_view_if_needed()


PICTURES = (
    Picture("overview", "/"),
    Picture("assets", "/assets"),
    Picture("lineage", "/lineage?selected=manhattan%2Fmanhattan_stats", kept=("light",)),
    Picture("asset", "/assets/manhattan/manhattan_map"),
    Picture("table", "/assets/taxi_trips"),
    Picture("launch", "/assets/taxi_trips_file", launch_dialog),
    Picture("runs", "/runs"),
    Picture("failure", "/runs/{failed}", kept=("light",)),
    Picture("log", "/runs/latest", to_the_log),
    Picture("definitions", "/definitions"),
    Picture("phone-lineage", "/lineage", width=360, height=740),
    Picture("phone-failure", "/runs/{failed}", width=360, height=740),
)
TUTORIAL = Picture("tutorial", "/lineage?selected=revenue", kept=("light",), height=620)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--all", type=Path, metavar="DIR", help="every page, into this folder")
    options = parser.parse_args()
    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("there is no Chromium: apt-get install chromium")
    folder = options.all or IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        project = Path(place) / "taxi"
        failed = make_project(project)
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = driver.chromium.launch(executable_path=executable, args=arguments)
        with served(project) as url:
            for picture in PICTURES:
                for theme in ("light", "dark") if options.all else picture.kept:
                    take(browser, url, picture, theme, failed, folder)
        play_tutorial(Path(place) / "cafe")
        with served(Path(place) / "cafe") as url:
            take(browser, url, TUTORIAL, "light", "", folder)
        browser.close()


def take(
    browser: Browser, url: str, picture: Picture, theme: str, failed: str, folder: Path
) -> None:
    size = {"width": picture.width, "height": picture.height}
    context = browser.new_context(
        viewport=size, color_scheme=theme, reduced_motion="reduce"
    )  # fmt: skip
    page = context.new_page()
    page.goto(url + picture.address.format(failed=failed))
    page.locator("body[data-ready]").wait_for()
    page.wait_for_load_state("load")
    if picture.act:
        picture.act(page)
    page.locator(".skeleton").first.wait_for(state="detached")
    file = folder / f"{picture.name}-{theme}.png"
    page.screenshot(path=file)
    print(file)
    context.close()


def make_project(root: Path) -> str:
    """The taxi project with a past; the id of its failed run."""
    shutil.copytree(ROOT / "nyc_taxi", root / "nyc_taxi")
    (root / "pyproject.toml").write_text('[tool.assetgraph]\nmodule = "nyc_taxi"\n')
    for month in ("2023-01", "2023-02"):
        asked = "--partition", month, "--tag", "reason=monthly"
        command(root, "materialize", "+taxi_trips", *asked)
    command(root, "materialize", "--all", "--all-partitions")
    trips = root / "nyc_taxi" / "assets" / "trips.py"
    trips.write_text(trips.read_text().replace(IMPORT, f"# {IMPORT}"))
    command(root, "materialize", "taxi_trips_file", "taxi_trips", "trips_by_week")
    return max(file.parent.name for file in root.rglob("run.json"))


def play_tutorial(root: Path) -> None:
    """The café as it is at the end of the tutorial."""
    sys.path.append(str(ROOT / "tests" / "support"))
    from played_pages import play

    def assetgraph(*words: str) -> tuple[int, str]:
        done = command(root, *words)
        return done.returncode, done.stdout + done.stderr

    root.mkdir()
    play(ROOT / "docs" / "tutorial.md", root, assetgraph)


def command(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assetgraph", *arguments],
        cwd=root, env=environment(), check=False, capture_output=True, text=True,
    )  # fmt: skip


@contextmanager
def served(root: Path) -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "assetgraph", "dev", "--port", "0"],
        cwd=root, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found
        yield found[0]
    finally:
        server.kill()
        server.wait()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    main()
