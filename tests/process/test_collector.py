"""The garbage collector during a run: older objects are left alone, new garbage is freed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest
from conftest import ProjectFolder

import assetgraph as dg
from assetgraph.process.garbage_collector import heap_left_alone, paused_collector


@pytest.fixture(autouse=True)
def _nothing_frozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


class Ring:
    def __init__(self) -> None:
        self.me = self


def test_a_run_ignores_older_objects_and_collects_its_own_garbage() -> None:
    seen: list[object] = []

    @dg.asset
    def litter() -> None:
        seen.append(gc.get_freeze_count() > 0)
        gone = weakref.ref(Ring())
        gc.collect()
        seen.append(gone())

    dg.materialize([litter])
    assert seen == [True, None]
    assert gc.get_freeze_count() == 0


def test_the_collector_is_off_while_a_run_is_planned_and_on_while_it_runs() -> None:
    seen: list[bool] = []

    class Watched(dg.AssetGraph):
        def require_valid(self) -> dg.AssetGraph:
            seen.append(gc.isenabled())
            return super().require_valid()

    @dg.asset
    def step() -> None:
        seen.append(gc.isenabled())

    dg.materialize(Watched([step]))
    assert seen == [False, True]
    assert gc.isenabled()


def test_the_collector_works_again_when_no_run_can_be_planned() -> None:
    with pytest.raises(dg.AssetGraphError):
        dg.materialize([], selection="nothing")
    assert gc.isenabled()


def test_the_heap_is_unfrozen_when_a_run_fails() -> None:
    @dg.asset
    def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        dg.materialize([broken])
    assert gc.get_freeze_count() == 0


def test_a_program_that_froze_its_heap_keeps_it_frozen() -> None:
    gc.freeze()
    with paused_collector(), heap_left_alone():
        assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_versions_leave_no_garbage_that_only_the_collector_can_free(
    project: Callable[..., ProjectFolder],
) -> None:
    """Such garbage would stay until the run ends. It is counted in a separate process, because the
    threads of the Dask cluster in other tests leave garbage too."""
    counted = project({}).python("""
        import gc
        import assetgraph as dg

        names = {"__name__": "pipeline"}
        for number in range(100):
            exec(f"def step_{number}(): return {number}", names)
        assets = [dg.asset(names[f"step_{number}"]) for number in range(100)]
        store = dg.Instance("store").store
        store.code.version(assets[0])  # makes what all of them share
        gc.collect()
        gc.disable()
        for asset in assets:
            store.code.version(asset)
        print(gc.collect())
        """)
    assert int(counted.stdout) < 100, counted.stderr


MAIN = "from assetgraph.cli import main\nmain()\n"


def test_a_command_collects_nothing_until_it_runs_something(
    project: Callable[..., ProjectFolder],
) -> None:
    folder = project(
        {
            "pipeline.py": """
            import gc
            import assetgraph as dg
            found = [gc.isenabled()]
            @dg.asset
            def a():
                return [*found, gc.isenabled()]
            """
        }
    )
    folder.python("import sys\nsys.argv[1:] = ['materialize', 'a']\n" + MAIN)
    shown = folder.python("import assetgraph as dg; print(dg.load('a'))").stdout
    assert shown == "[False, True]\n"


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("doctor --deep", "assetgraph.storage.doctor:examine"),
        ("observe", "assetgraph.run.observe:observe"),
        ("runs logs latest --follow", "assetgraph.cli.commands.follow_logs:follow_run"),
        ("dev", "assetgraph.web.http.server:serve"),
    ],
)
def test_a_command_that_goes_on_collects_its_garbage(
    typed: str, called: str, project: Callable[..., ProjectFolder]
) -> None:
    folder = project({"pipeline.py": "import assetgraph as dg\n@dg.asset\ndef a(): return 1\n"})
    folder.python("import sys\nsys.argv[1:] = ['materialize', 'a']\n" + MAIN)
    module, _, name = called.partition(":")
    ended = folder.python(
        f"import gc, sys, {module} as module\n"
        f"sys.argv[1:] = {typed.split()!r}\n"
        f"def seen(*given, **named):\n    print(gc.isenabled())\n    sys.exit(0)\n"
        f"module.{name} = seen\n" + MAIN
    )
    assert ended.stdout == "True\n", ended.stderr
