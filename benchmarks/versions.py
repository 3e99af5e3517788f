"""Measure the cost of code versions with and without a cache, for two sizes of a project.

    python benchmarks/versions.py [--sizes 1000 10000] [--repeat 5]

`dense` has assets that use 200 helpers, which call each other; `simple` has assets without helpers.
Every measurement runs in its own process, which imports the project before the clock starts. The
best of several counts. `parse` is the time of `ast.parse` alone for the same sources, `table` the
time to build the table of definitions, and `why` the time to find what changed in every asset after
an edit of one helper (in `simple`, of one asset).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PER_FILE = 50
HELPERS = 200
CALLS = 12

MEASURE = """
import ast, sys, time
from pathlib import Path
import msgspec
sys.path[:0] = [{root!r}, "."]
from assetgraph.code import importer
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.definitions.registry import current_registry
from assetgraph.code import CodeVersions, Node
from assetgraph.storage.keyed_files import FolderCache
importer.install(".")
for file in sorted(Path(".").glob("part_*.py")):
    __import__(file.stem)
assets = list(current_registry())
start = time.perf_counter()
codes = CodeVersions(Path.cwd(), FolderCache("cache"))
with paused_collector():  # as a plan does
    versions = [codes.version(asset.function) for asset in assets]
spent = time.perf_counter() - start
assert len(set(versions)) == len(assets)
recorded = Path("recorded")
if "why" in sys.argv:
    old = msgspec.json.decode(recorded.read_bytes(), type=tuple[list[str], dict[str, Node]])
start = time.perf_counter()
if "table" in sys.argv:
    table = codes.table()
elif "parse" in sys.argv:
    for file in Path(".").glob("*.py"):
        ast.parse(file.read_bytes())
elif "why" in sys.argv:
    for asset, version in zip(assets, old[0]):
        codes.changes(asset.function, version, old[1])
print(spent, time.perf_counter() - start)
if "table" in sys.argv:
    recorded.write_bytes(msgspec.json.encode((versions, table)))
"""


def write_dense(folder: Path, size: int) -> None:
    """Write helpers that call twelve others each, so that each asset reaches nearly all of them."""
    for first in range(0, HELPERS, PER_FILE):
        lines = [f"import kit_{n}" for n in range(0, HELPERS, PER_FILE)]
        lines += [_helper(i) for i in range(first, first + PER_FILE)]
        (folder / f"kit_{first}.py").write_text("\n".join(lines))
    for first in range(0, size, PER_FILE):
        lines = ["import assetgraph as dg", "import json", "from pathlib import Path"]
        lines += [f"import kit_{n}" for n in range(0, HELPERS, PER_FILE)]
        for i in range(first, min(first + PER_FILE, size)):
            lines.append(_asset(i, [(i * 7 + k * 31) % HELPERS for k in range(3)]))
        (folder / f"part_{first}.py").write_text("\n".join(lines))


def write_simple(folder: Path, size: int) -> None:
    for first in range(0, size, PER_FILE):
        lines = ["import assetgraph as dg"]
        lines += [
            f"@dg.asset\ndef asset_{i}():\n    return {i} * 2 + 1\n"
            for i in range(first, min(first + PER_FILE, size))
        ]
        (folder / f"part_{first}.py").write_text("\n".join(lines))


def _helper(i: int) -> str:
    calls = [(i * 3 + k * 17) % HELPERS for k in range(CALLS)]
    terms = " + ".join(f"kit_{c // PER_FILE * PER_FILE}.helper_{c}(x, depth - 1)" for c in calls)
    return textwrap.dedent(f'''
        LIMIT_{i} = {i} + 1

        def helper_{i}(x: float, depth: int = 0) -> float:
            """The helper of number {i}."""
            if depth <= 0 or x > LIMIT_{i}:
                return x * {i}
            total = {terms}
            return total if total else 0.0
        ''')


def _asset(i: int, helpers: list[int]) -> str:
    calls = " + ".join(f"kit_{h // PER_FILE * PER_FILE}.helper_{h}(row)" for h in helpers)
    return textwrap.dedent(f"""
        @dg.asset(group_name="group_{i % 9}", description="The asset of number {i}.")
        def asset_{i}() -> str:
            rows = [row * {i} for row in range(10) if row % 2]
            return json.dumps([{calls} for row in rows])
        """)


def measure(folder: Path, *options: str) -> tuple[float, float]:
    program = MEASURE.format(root=str(ROOT))
    command = [sys.executable, "-c", program, *options]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(ran.stderr)
    first, second = map(float, ran.stdout.split())
    return first, second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print("graph    assets   source     cold     warm    table      why    parse")
    for name, write in (("dense", write_dense), ("simple", write_simple)):
        for size in options.sizes:
            with tempfile.TemporaryDirectory() as made:
                folder = Path(made)
                write(folder, size)
                print(row(name, size, folder, options.repeat))


def row(name: str, size: int, folder: Path, repeat: int) -> str:
    source = sum(file.stat().st_size for file in folder.glob("*.py"))
    cold, parse = [], []
    for _ in range(repeat):
        for cached in (folder / "cache").glob("*"):
            cached.unlink()
        spent, parsed = measure(folder, "parse")
        cold.append(spent)
        parse.append(parsed)
    warm = [measure(folder, "table") for _ in range(repeat)]
    edited = next(path for path in (folder / "kit_0.py", folder / "part_0.py") if path.exists())
    edited.write_text(edited.read_text().replace(" * 0", " * 7").replace("return 0 ", "return -1 "))
    why = [measure(folder, "why")[1] for _ in range(repeat)]
    best = [min(cold), min(w for w, _ in warm), min(t for _, t in warm), min(why), min(parse)]
    figures = " ".join(f"{seconds:7.3f}s" for seconds in best)
    return f"{name:<8} {size:>6} {source // 1024:>5} KB {figures}"


if __name__ == "__main__":
    main()
