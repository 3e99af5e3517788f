"""What steps read, against a plain reading of it. Assets read files, folders, patterns and variables;
those are edited, deleted, touched, set and unset. What `--stale` runs is each time just what met
something else than at its last run, and every value is as if computed from scratch."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from code_projects import remove_importer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_of_assets import plan_of

from assetgraph.code import importer
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.project.settings import find_project
from assetgraph.records import EventType
from assetgraph.run.runner import run_plan

EXAMPLES = int(os.environ.get("ASSETGRAPH_EXAMPLES", "15"))
FILES = ("f0.txt", "sub/f1.txt", "f2.txt")
VARIABLES = ("OBSERVED_A", "OBSERVED_B")
BOX = ("one.txt", "two.txt", "three.csv")

# The ways to read: the code in a body, and what it makes of the world.
READS = {
    **{f"text({name!r})": name for name in FILES},
    **{f"opened({name!r})": name for name in FILES},
    "os.path.exists('f2.txt')": "f2.txt?",
    **{f"os.environ.get({name!r}, '')": name for name in VARIABLES},
    "os.environ['OBSERVED_A'] if 'OBSERVED_A' in os.environ else ''": "OBSERVED_A",
    "sorted(os.listdir('box')) if os.path.isdir('box') else ''": "box",
    "sorted(glob.glob('box/*.txt'))": "box/*.txt",
}
HEAD = """
import glob, os
from pathlib import Path
import assetgraph as dg
from helpers import opened

def text(name):
    try:
        return Path(name).read_text()
    except FileNotFoundError:
        return ''

def number(*read):
    return sum(map(ord, repr(read)))
"""
HELPERS = """
def opened(name):
    try:
        with open(name) as file:
            return file.read()
    except OSError:
        return ''
"""


@dataclass
class World:
    """The files, by name; the variables; and the names in the folder `box`."""

    files: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    box: frozenset[str] = frozenset()

    def seen(self, what: str) -> object:
        """What a way to read makes of it."""
        if what in FILES:
            return self.files.get(what, "")
        if what == "f2.txt?":
            return "f2.txt" in self.files
        if what in VARIABLES:
            return self.variables.get(what, "")
        if what == "box":
            return sorted(self.box) if self.box else ""
        return sorted(f"box/{name}" for name in self.box if name.endswith(".txt"))

    def told(self, what: str) -> object:
        """What tells whether that may differ: a variable that is empty is not one that is unset."""
        if what in VARIABLES:
            return self.variables.get(what)
        return self.files.get(what) if what in FILES else self.seen(what)


@dataclass(frozen=True)
class Made:
    """An asset: what it reads, and what it is made from."""

    reads: tuple[str, ...]
    parents: tuple[str, ...]
    modulus: int

    def code(self, name: str) -> str:
        values = ", ".join([*self.reads, *self.parents])
        return (
            f"@dg.asset\ndef {name}({', '.join(self.parents)}):\n"
            f"    return number({values}) % {self.modulus}\n"
        )

    def value(self, world: World, parents: list[int]) -> int:
        read = (*(world.seen(READS[code]) for code in self.reads), *parents)
        return sum(map(ord, repr(read))) % self.modulus

    def met(self, world: World, parents: list[int]) -> object:
        return [world.told(READS[code]) for code in self.reads], parents


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Made]:
    made: dict[str, Made] = {}
    for at in range(6):
        reads = st.lists(st.sampled_from(list(READS)), max_size=3, unique=True)
        parents = st.lists(st.sampled_from(list(made)), max_size=2, unique=True) if made else (
            st.just([])
        )  # fmt: skip
        modulus = draw(st.sampled_from([2, 3, 1009]))
        made[f"a{at}"] = Made(tuple(draw(reads)), tuple(draw(parents)), modulus)
    return made


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(graphs(), st.data())
def test_stale_runs_just_what_met_something_else_when_it_last_ran(
    assets: dict[str, Made], data: st.DataObject
) -> None:
    with project_folder(assets):
        world, known = World(), dict[str, object]()
        for _ in range(4):
            for _ in range(data.draw(st.integers(0, 3))):
                change(world, data)
            values: dict[str, int] = {}
            expected = set()
            for name, made in assets.items():
                parents = [values[parent] for parent in made.parents]
                values[name] = made.value(world, parents)
                if known.get(name) != made.met(world, parents):
                    known[name] = made.met(world, parents)
                    expected.add(name)
            assert run_stale() == expected
            assert recorded(assets) == values
            assert run_stale() == set()


def change(world: World, data: st.DataObject) -> None:
    """One edit of what assets may read, in the model and on disk."""
    kind = data.draw(st.sampled_from(["write", "write", "delete", "touch", "set", "unset", "box"]))
    name = data.draw(st.sampled_from(FILES))
    if kind == "write":
        world.files[name] = data.draw(st.sampled_from(["", "1", "2", "long" * 3000]))
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(world.files[name])
    elif kind == "delete":
        world.files.pop(name, None)
        Path(name).unlink(missing_ok=True)
    elif kind == "touch" and name in world.files:
        os.utime(name, (1, data.draw(st.integers(1, 9))))
    elif kind in ("set", "unset"):
        variable = data.draw(st.sampled_from(VARIABLES))
        world.variables.pop(variable, None)
        os.environ.pop(variable, None)
        if kind == "set":
            world.variables[variable] = os.environ[variable] = data.draw(
                st.sampled_from(["", "1", "2"])
            )
    elif kind == "box":
        world.box = data.draw(st.frozensets(st.sampled_from(BOX)))
        shutil.rmtree("box", ignore_errors=True)
        for inner in world.box:
            Path("box").mkdir(exist_ok=True)
            Path("box", inner).touch()


def run_stale() -> set[str]:
    """Run what is stale, as a new process would, and return what ran."""
    project = find_project()
    importer.forget(project.root)
    graph = project.load().graph.require_valid()
    store = project.open_store()
    facts = StoreFacts(graph, store)
    plan = plan_of(facts, graph.order, stale_only=True)
    outcome = run_plan(plan, facts)
    events = store.runs.events(outcome.record.run_id)
    return {e.step for e in events if e.type is EventType.STEP_START and e.step}


def recorded(assets: dict[str, Made]) -> dict[str, object]:
    store = find_project().open_store()
    found: dict[str, object] = {}
    for name in assets:
        made = store.history.known(Target(AssetKey(name)))
        assert made is not None
        found[name] = store.values.load(made.value)
    return found


@contextmanager
def project_folder(assets: dict[str, Made]) -> Iterator[None]:
    before, path = Path.cwd(), list(sys.path)
    with TemporaryDirectory() as folder, patch.dict(os.environ):
        os.chdir(folder)
        for name in VARIABLES:
            os.environ.pop(name, None)
        Path("pyproject.toml").write_text('[tool.assetgraph]\nmodule = "reads_pipe"\n')
        Path("helpers.py").write_text(HELPERS)
        codes = "\n".join(made.code(name) for name, made in assets.items())
        Path("reads_pipe.py").write_text(HEAD + codes)
        try:
            yield
        finally:
            importer.forget(folder)
            remove_importer(folder)
            for name in ("reads_pipe", "helpers"):
                sys.modules.pop(name, None)
            os.chdir(before)
            sys.path[:] = path
