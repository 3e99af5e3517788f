"""The promise of `--stale`, on generated projects. After any sequence of edits, failures, deleted
values, files changed from outside and partial runs, it leaves everything as if materialized from
scratch, and runs nothing that is current."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from code_projects import remove_importer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_of_assets import plan_of

from assetgraph import AssetKey
from assetgraph.code import importer
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.project.settings import find_project
from assetgraph.records import EventType
from assetgraph.run.runner import run_plan

EXAMPLES = int(os.environ.get("ASSETGRAPH_EXAMPLES", "15"))
PADDING = "x" * 5000
Value = tuple[int, bool]
SOURCES = ("source_0", "source_1")


@dataclass(frozen=True)
class Made:
    """An asset as the generated project defines it: (constant + helper(sum of parents)) % modulus.
    A large value is stored in its own file."""

    parents: tuple[str, ...]
    constant: int
    helper: int
    modulus: int
    large: bool
    broken: bool

    def code(self, name: str) -> str:
        total = " + ".join(f"number({parent})" for parent in self.parents) or "0"
        body = f"(shared.C{self.constant} + shared.h{self.helper}({total})) % {self.modulus}"
        lines = [f"@dg.asset\ndef {name}({', '.join(self.parents)}):"]
        if self.broken:
            lines.append("    raise RuntimeError('broken')")
        lines.append(f"    n = {body}")
        lines.append(f"    return {{'n': n, 'pad': {PADDING!r}}}" if self.large else "    return n")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Code:
    """The contents of the project's files. `helpers` are the multipliers of shared functions, each
    of which calls the one before it."""

    assets: dict[str, Made] = field(default_factory=dict)
    constants: tuple[int, ...] = (1, 2)
    helpers: tuple[int, ...] = (3, 4)

    def write(self, comment: str) -> None:
        shared = [f"C{i} = {value}" for i, value in enumerate(self.constants)]
        for i, factor in enumerate(self.helpers):
            inner = f"h{i - 1}(x)" if i else "x"
            shared.append(f"def h{i}(x):\n    # {comment}\n    return {inner} * {factor}")
        Path("pipe/shared.py").write_text("\n".join(shared) + "\n")
        lines = ["import assetgraph as dg", "from pathlib import Path", "from pipe import shared"]
        lines.append(
            "def number(value):\n"
            "    if isinstance(value, Path):\n        return int(value.read_text())\n"
            "    return value['n'] if isinstance(value, dict) else value"
        )
        lines += [f"@dg.asset\ndef {s}():\n    return Path('{s}.txt')\n" for s in SOURCES]
        lines += [made.code(name) for name, made in self.assets.items()]
        Path("pipe/assets.py").write_text("\n".join(lines))

    def meaning(self, name: str) -> Any:
        """What the asset's code means, however it is written."""
        if name in SOURCES:
            return name
        made = self.assets[name]
        helpers = self.helpers[: made.helper + 1]
        return replace(made, constant=-1), self.constants[made.constant], helpers

    def value(self, name: str, parents: list[int]) -> int:
        made = self.assets[name]
        total = sum(parents)
        for factor in self.helpers[: made.helper + 1]:
            total *= factor
        return (self.constants[made.constant] + total) % made.modulus


@dataclass
class Model:
    """What should be on record for each asset: the meaning of its code, what it read, and its value.

    A value is a number, and whether that number is wrapped in something large.
    """

    current: dict[str, tuple[Any, dict[str, Value], Value]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def run(
        self, code: Code, files: dict[str, int], steps: list[str], forced: set[str]
    ) -> set[str]:
        """Run `steps` in order, and return the names of those that should run."""
        ran: set[str] = set()
        failed: set[str] = set()
        for name in steps:
            parents = () if name in SOURCES else code.assets[name].parents
            if failed & set(parents):
                failed.add(name)
                continue
            read = {parent: self.value(parent, files) for parent in parents}
            known = self.current.get(name)
            fresh = known is not None and known[:2] == (code.meaning(name), read)
            fresh = fresh and name not in self.gone
            fresh = fresh and (name not in SOURCES or known[2][0] == files[name])  # type: ignore[index]
            if fresh and name not in forced:
                continue
            ran.add(name)
            if name in SOURCES:
                value = (files[name], False)
            elif code.assets[name].broken:
                failed.add(name)
                continue
            else:
                number = code.value(name, [read[parent][0] for parent in parents])
                value = (number, code.assets[name].large)
            self.current[name] = (code.meaning(name), read, value)
            self.gone.discard(name)
        return ran

    def value(self, name: str, files: dict[str, int]) -> Value:
        return (files[name], False) if name in SOURCES else self.current[name][2]


names = st.sampled_from([f"a{i}" for i in range(7)])


@st.composite
def made(draw: st.DrawFn, name: str) -> Made:
    earlier = [*SOURCES, *(f"a{i}" for i in range(int(name[1:])))]
    return Made(
        parents=tuple(draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True))),
        constant=draw(st.integers(0, 1)),
        helper=draw(st.integers(0, 1)),
        modulus=draw(st.sampled_from([2, 3, 1009])),
        large=draw(st.booleans()),
        broken=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def projects(draw: st.DrawFn) -> Code:
    return Code({f"a{i}": draw(made(f"a{i}")) for i in range(7)})


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(projects(), st.data())
def test_stale_makes_everything_as_from_scratch_and_runs_nothing_that_is_current(
    code: Code, data: st.DataObject
) -> None:
    with project_folder():
        files = dict.fromkeys(SOURCES, 1)
        model = Model()
        for turn in range(5):
            for _ in range(data.draw(st.integers(0, 2))):
                code = change(code, files, model, data)
            write(code, files, comment=f"turn {turn}")
            if data.draw(st.booleans()):
                wanted = {data.draw(names)}
                ran, steps = materialize(wanted, stale_only=False)
                assert ran == model.run(code, files, steps, forced=wanted)
            ran, _ = materialize(None, stale_only=True)
            everything = [*SOURCES, *sorted(code.assets)]
            assert ran == model.run(code, files, everything, forced=set())
            assert_as_from_scratch(code, files)
            again, _ = materialize(None, stale_only=True)
            assert again == model.run(code, files, everything, forced=set())


def change(code: Code, files: dict[str, int], model: Model, data: st.DataObject) -> Code:
    """One edit, or one thing that happens to the store or the files."""
    kind = data.draw(
        st.sampled_from(["asset", "asset", "mend", "constant", "helper", "file", "value"])
    )
    if kind == "asset":
        name = data.draw(names)
        return replace(code, assets={**code.assets, name: data.draw(made(name))})
    if kind == "mend":
        return replace(code, assets={n: replace(a, broken=False) for n, a in code.assets.items()})
    if kind == "constant":
        at, value = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 5))
        return replace(code, constants=_with(code.constants, at, value))
    if kind == "helper":
        at, value = data.draw(st.integers(0, 1)), data.draw(st.integers(1, 5))
        return replace(code, helpers=_with(code.helpers, at, value))
    if kind == "file":
        files[data.draw(st.sampled_from(SOURCES))] = data.draw(st.integers(0, 99))
        return code
    name = data.draw(names)
    folder = Path(".assetgraph/values") / name
    if folder.exists():
        shutil.rmtree(folder)
        if name in model.current and model.current[name][0][0].large:
            model.gone.add(name)
    return code


def materialize(wanted: set[str] | None, *, stale_only: bool) -> tuple[set[str], list[str]]:
    """Materialize, and return the names of the steps that started and of those that were planned."""
    project = find_project()
    importer.forget(project.root)
    graph = project.load().graph.require_valid()
    store = project.open_store()
    state = StoreFacts(graph, store)
    keys = [key for key in graph.order if wanted is None or key.text in wanted]
    plan = plan_of(state, keys, stale_only=stale_only)
    outcome = run_plan(plan, state)
    events = store.runs.events(outcome.record.run_id)
    started = {e.step for e in events if e.type is EventType.STEP_START and e.step}
    return started, [step.id for step in plan.steps]


def assert_as_from_scratch(code: Code, files: dict[str, int]) -> None:
    store = find_project().open_store()
    expected: dict[str, int | None] = {source: files[source] for source in SOURCES}
    for name in sorted(code.assets):
        parents = [expected[parent] for parent in code.assets[name].parents]
        if code.assets[name].broken or None in parents:
            expected[name] = None
            continue
        expected[name] = code.value(name, [parent for parent in parents if parent is not None])
        current, _ = store.history.current(Target(AssetKey(name)))
        assert current is not None
        value = store.values.load(current.value)
        assert (value["n"] if isinstance(value, dict) else value) == expected[name]


def write(code: Code, files: dict[str, int], comment: str) -> None:
    code.write(comment)
    for source, value in files.items():
        path = Path(f"{source}.txt")
        if not path.exists() or path.read_text() != str(value):
            path.write_text(str(value))


@contextmanager
def project_folder() -> Iterator[None]:
    before, path = Path.cwd(), list(sys.path)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipe"\n')
        Path("pipe").mkdir()
        Path("pipe/__init__.py").touch()
        try:
            yield
        finally:
            importer.forget(folder)
            remove_importer(folder)
            os.chdir(before)
            sys.path[:] = path


def _with(values: tuple[int, ...], at: int, value: int) -> tuple[int, ...]:
    return (*values[:at], value, *values[at + 1 :])
