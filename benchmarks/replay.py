"""Write stores with earlier commits, and plan with the present code: nothing must be stale.

    python benchmarks/replay.py COMMIT … [--keep FOLDER]

The project has an asset for each idiom of tests/support/oracle that needs no library. With --keep
it has one for every fourth, and the project and the store of the last commit stay in FOLDER, with
the names of this machine replaced, as in tests/support/store_of_idioms.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from oracle.idioms import Idiom, read_idioms  # noqa: E402

SETTINGS = '[tool.assetgraph]\nmodule = "pipeline"\nstore = "store"\n'
PLACE = "/srv/pipeline"


def write_project(folder: Path, idioms: list[Idiom]) -> None:
    """Write a package with a module and an asset for each idiom."""
    (folder / "pipeline").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "pipeline" / "__init__.py").write_text("", encoding="utf-8")
    for idiom in idioms:
        name = re.sub(r"\W+", "_", idiom.title.lower())
        lines = ["import assetgraph as dg", *idiom.code, "@dg.asset", f"def {name}__value():"]
        text = "\n".join([*lines, f"    return {idiom.use}", ""])
        (folder / "pipeline" / f"{name}__part.py").write_text(text, encoding="utf-8")


def run(package: Path, folder: Path, *arguments: str) -> str:
    """What a command of the assetgraph in `package` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "assetgraph", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def unpack(commit: str, folder: Path) -> Path:
    """The tree of a commit."""
    archive = subprocess.run(
        ["git", "archive", commit, "assetgraph"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def keep(folder: Path, to: Path) -> None:
    """Copy a project with its store, without what names this machine."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("__pycache__", ".gitignore", "cache"))
    replaced = {str(folder): PLACE, platform.node(): "host", getpass.getuser(): "user"}
    for file in (to / "store").rglob("*.json*"):
        text = file.read_text(encoding="utf-8")
        for name, other in replaced.items():
            text = text.replace(f'"{name}', f'"{other}')
        file.write_text(re.sub(r'"pid":\s?\d+', '"pid":1', text), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commits", nargs="+", metavar="COMMIT")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    idioms = [i for i in read_idioms() if not (i.needs or i.data or i.data_edits or i.limit)]
    if given.keep is not None:
        idioms = idioms[::4]
    stale = False
    with tempfile.TemporaryDirectory(prefix="replay-") as home:
        for number, commit in enumerate(given.commits):
            folder = Path(home) / str(number)
            write_project(folder, idioms)
            run(unpack(commit, Path(home) / f"{number}-code"), folder, "materialize", "--all")
            if given.keep is not None:
                keep(folder, given.keep)
            steps = json.loads(run(ROOT, folder, "plan", "--json"))
            stale = stale or bool(steps)
            print(f"{commit}: {len(idioms)} assets, {len(steps)} of them stale")
            for step in steps:
                print(f"  {step['key']}: {'; '.join(reason['text'] for reason in step['reasons'])}")
    sys.exit(stale)


if __name__ == "__main__":
    main()
