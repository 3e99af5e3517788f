"""Retries, timeouts and pools, and the order in which steps start."""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path

import pytest
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.definitions.retries import LONGEST_S, retry_delay
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.queries.run_views import run_details
from assetgraph.records import EventType, StepState
from assetgraph.run.channel import RunChannel, StepChannel
from assetgraph.run.executors import make
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.ready_queue import ReadyQueue
from assetgraph.run.run_setup import RunSetup
from assetgraph.run.runner import run_plan


def flaky(failures: int, **options: object) -> dg.Asset:
    """An asset that succeeds after this many failures."""
    tries = []

    @dg.asset(name="flaky", **options)  # type: ignore[call-overload]
    def function(context: dg.AssetExecutionContext) -> int:
        tries.append(context.retry_number)
        if len(tries) <= failures:
            print(f"attempt {len(tries)}")
            raise ConnectionError("no answer")
        return len(tries)

    return function


def materialize(instance: dg.Instance, *assets: dg.Asset, executor: str = "serial") -> dg.RunResult:
    return dg.materialize(assets, instance=instance, executor=executor, raise_on_error=False)


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_step_runs_again_until_it_succeeds(executor: str, instance: dg.Instance) -> None:
    policy = dg.RetryPolicy(max_retries=3)
    result = materialize(instance, flaky(2, retry_policy=policy), executor=executor)
    assert result.value("flaky") == 3
    assert [e.type for e in result.events if e.step == "flaky"] == [
        EventType.STEP_START,
        EventType.STEP_UP_FOR_RETRY,
        EventType.STEP_RESTARTED,
        EventType.STEP_UP_FOR_RETRY,
        EventType.STEP_RESTARTED,
        EventType.STEP_OUTPUT,
        EventType.ASSET_MATERIALIZATION,
        EventType.STEP_SUCCESS,
    ]
    step = run_details(instance.store, result.run_id).steps[0]
    assert (step.state, step.attempt) == (StepState.SUCCESS, 3)
    outputs = instance.store.runs.outputs(result.run_id)
    printed = {attempt: Path(path).read_text() for _, attempt, _, path in outputs}
    assert printed == {1: "attempt 1\n", 2: "attempt 2\n"}


def test_a_step_without_retries_left_is_one_failure_in_the_history(
    instance: dg.Instance,
) -> None:
    result = materialize(instance, flaky(9, retry_policy=dg.RetryPolicy(max_retries=2)))
    assert result.failures["flaky"].message == "no answer"
    assert result.outcome.record.failed_steps == ("flaky",)
    failures = [e for e in result.events if e.type is EventType.STEP_FAILURE]
    assert [e.data["attempt"] for e in failures] == [3]
    assert len(list(instance.store.history.newest_first(dg.AssetKey("flaky")))) == 1


def test_an_asset_can_request_a_retry(instance: dg.Instance) -> None:
    tries = []

    @dg.asset
    def asks() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise dg.RetryRequested(max_retries=2)
        return len(tries)

    assert materialize(instance, asks).value("asks") == 3


def test_a_step_without_a_policy_runs_once(instance: dg.Instance) -> None:
    assert not materialize(instance, flaky(1)).success


def test_others_run_while_a_step_waits_for_its_retry(instance: dg.Instance) -> None:
    order = []

    @dg.asset(retry_policy=dg.RetryPolicy(delay=0.2))
    def first(context: dg.AssetExecutionContext) -> None:
        order.append("first")
        if context.retry_number == 0:
            raise ConnectionError

    @dg.asset
    def second() -> None:
        order.append("second")

    assert materialize(instance, first, second).success
    assert order == ["first", "second", "first"]


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (dg.RetryPolicy(max_retries=3), [0, 0, 0, None]),
        (dg.RetryPolicy(max_retries=2, delay=2), [2, 2, None]),
        (dg.RetryPolicy(max_retries=3, delay=2, backoff=dg.Backoff.LINEAR), [2, 4, 6, None]),
        (dg.RetryPolicy(max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL), [2, 6, 14, None]),
    ],
)
def test_the_delay_grows_as_the_policy_says(
    policy: dg.RetryPolicy, delays: list[float | None]
) -> None:
    found = [retry_delay(ValueError(), policy, attempt + 1) for attempt in range(len(delays))]
    assert found == delays


@pytest.mark.parametrize(("jitter", "low", "high"), [("FULL", 0, 10), ("PLUS_MINUS", 0, 20)])
def test_jitter_stays_within_its_bounds(jitter: str, low: float, high: float) -> None:
    policy = dg.RetryPolicy(delay=10, jitter=dg.Jitter(jitter))
    delays = {policy.calculate_delay(1) for _ in range(100)}
    assert len(delays) > 90
    assert all(low <= delay <= high for delay in delays)


def test_a_delay_never_exceeds_what_a_program_can_wait() -> None:
    delays = [
        dg.RetryPolicy(1200, delay, backoff).calculate_delay(1200)
        for backoff in dg.Backoff
        for delay in (0.0, 1e6)
    ]
    assert delays == [0, LONGEST_S, 0, LONGEST_S]


WRONG_SECONDS = [-1, math.inf, math.nan, 1e12, True, "1"]


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"backoff": dg.Backoff.LINEAR},
        {"delay": 1, "backoff": "exponential"},
        {"delay": 1, "jitter": "FULL"},
        *({"delay": seconds} for seconds in WRONG_SECONDS),
    ],
)
def test_an_impossible_policy_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="RetryPolicy"):
        dg.RetryPolicy(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", WRONG_SECONDS)
def test_a_step_that_requests_an_impossible_delay_fails_because_of_it(
    instance: dg.Instance, seconds: float
) -> None:
    @dg.asset
    def impatient() -> None:
        raise dg.RetryRequested(seconds_to_wait=seconds)

    failure = materialize(instance, impatient).failures["impatient"]
    assert failure.type == "ValueError"
    assert "seconds_to_wait= of RetryRequested takes seconds, from 0" in failure.message


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_step_in_a_thread_is_abandoned_and_keeps_its_lock_until_it_ends(
    executor: str, instance: dg.Instance
) -> None:
    go_on = threading.Event()

    @dg.asset(timeout=0.05, retry_policy=dg.RetryPolicy())
    def stuck() -> int:
        go_on.wait()
        print("too late")
        return 1

    @dg.asset
    def beside() -> int:
        return 2

    result = materialize(instance, beside, stuck, executor=executor)
    assert result.failures["stuck"].message == "it ran longer than its timeout of 0.05 s."
    assert "Its thread is still running, so the step is not retried" in (
        result.failures["stuck"].hint or ""
    )
    assert result.value("beside") == 2
    assert instance.store.is_running(Target(stuck.key))
    go_on.set()
    assert_only_failed_once_it_ended(instance, stuck)
    assert list(instance.store.runs.outputs(result.run_id)) == []


def test_a_step_that_is_abandoned_while_it_saves_its_value_does_not_commit(
    instance: dg.Instance,
) -> None:
    go_on = threading.Event()

    class Slow:
        def __reduce__(self) -> tuple[type[int], tuple[int]]:
            go_on.wait()
            return int, (1,)

    @dg.asset(timeout=0.05)
    def stuck() -> object:
        return Slow()

    result = materialize(instance, stuck, executor="threads")
    assert result.failures["stuck"].type == "StepTimeoutError"
    go_on.set()
    assert_only_failed_once_it_ended(instance, stuck)


def test_the_logs_of_an_abandoned_step_go_nowhere(instance: dg.Instance) -> None:
    """Least of all into a file that has since been given the descriptor of the event file."""
    go_on, logged = threading.Event(), threading.Event()

    @dg.asset(timeout=0.05)
    def stuck(context: dg.AssetExecutionContext) -> None:
        go_on.wait()
        context.log.info("too late")
        logged.set()

    result = materialize(instance, stuck, executor="threads")
    others = [os.open(f"other {number}", os.O_RDWR | os.O_CREAT) for number in range(20)]
    go_on.set()
    assert logged.wait(timeout=20)
    for other in others:
        assert os.fstat(other).st_size == 0
        os.close(other)
    assert result.events[-1].type is EventType.RUN_FAILURE


def test_a_step_with_a_timeout_does_not_change_the_folder_of_the_next(
    instance: dg.Instance,
) -> None:
    @dg.asset(timeout=60)
    def leaves() -> None:
        os.chdir("/")

    @dg.asset
    def stays(leaves: None) -> str:
        return os.getcwd()

    @dg.asset(timeout=60)
    def leaves_last(stays: str) -> None:
        os.chdir("/")

    here = os.getcwd()
    result = materialize(instance, leaves, stays, leaves_last)
    assert result.value("stays") == here == os.getcwd()


def test_a_step_within_its_timeout_succeeds(instance: dg.Instance) -> None:
    @dg.asset(timeout=60)
    def quick() -> int:
        return 1

    assert materialize(instance, quick).value("quick") == 1


def test_a_step_either_commits_or_is_abandoned() -> None:
    class Task:
        step_id = "flaky"
        attempt = 1

        class limits:
            output_bytes = 1

    for first, second in (("may_commit", "give_up"), ("give_up", "may_commit")):
        channel = StepChannel(RunChannel(None, None, echo=False), Task)  # type: ignore[arg-type]
        assert getattr(channel, first)()
        assert not getattr(channel, second)()


class TestPools:
    def run(self, instance: dg.Instance, pools: dict[str, int]) -> tuple[RunOutcome, list[int]]:
        """Run four assets of the pool "api". Returns the run, and how many ran at once at most."""
        running: list[int] = []
        most = [0]
        turn = threading.Lock()
        full = threading.Barrier(pools.get("api", 4))

        def work() -> None:
            with turn:
                running.append(1)
                most[0] = max(most[0], len(running))
            full.wait(timeout=20)
            with turn:
                running.pop()

        assets = [dg.asset(name=f"call_{i}", pool="api")(lambda: work()) for i in range(4)]
        graph = dg.Definitions(assets).graph
        state = StoreFacts(graph, instance.store)
        plan = plan_of(state, graph.order)
        setup = RunSetup(pools=pools)
        return run_plan(plan, state, executor=make("threads", 4), setup=setup), most

    @pytest.mark.parametrize("limit", [1, 2])
    def test_a_pool_limits_how_many_of_its_steps_run_at_once(
        self, instance: dg.Instance, limit: int
    ) -> None:
        outcome, most = self.run(instance, {"api": limit})
        assert outcome.record.step_counts == {"success": 4}
        assert most == [limit]

    def test_a_pool_without_a_limit_has_none(self, instance: dg.Instance) -> None:
        outcome, most = self.run(instance, {})
        assert outcome.record.step_counts == {"success": 4}
        assert most == [4]

    def test_an_unchanged_step_gives_back_its_place_in_its_pool(
        self, instance: dg.Instance
    ) -> None:
        def definitions(version: str) -> dg.Definitions:
            source = dg.asset(name="source", code_version=version)(lambda: 1)
            readers = [
                dg.asset(name=name, pool="api", code_version="1")(lambda source: source)
                for name in "abc"
            ]
            return dg.Definitions([source, *readers])

        for version in ("1", "2"):  # the second makes the same value
            graph = definitions(version).graph
            state = StoreFacts(graph, instance.store)
            plan = plan_of(state, graph.order, stale_only=True)
            outcome = run_plan(plan, state, setup=RunSetup(pools={"api": 1}))
        assert outcome.record.step_counts == {"success": 1, "unchanged": 3}

    def test_a_step_that_waits_for_a_retry_gives_back_its_place_in_its_pool(
        self, instance: dg.Instance
    ) -> None:
        again = flaky(1, retry_policy=dg.RetryPolicy(), pool="api")
        graph = dg.Definitions([again]).graph
        state = StoreFacts(graph, instance.store)
        plan = plan_of(state, graph.order)
        outcome = run_plan(plan, state, setup=RunSetup(pools={"api": 1}))
        assert outcome.record.step_counts == {"success": 1}

    def test_a_pool_that_the_project_does_not_name_is_a_warning(
        self, instance: dg.Instance
    ) -> None:
        outcome, _ = self.run(instance, {"apis": 1})
        assert outcome.record.warnings == (
            "the pool 'api' has no limit: give it one under [tool.assetgraph.pools].",
        )


class TestReadyQueue:
    def taken(self, queue: ReadyQueue, now: float = 0) -> list[str]:
        taken = []
        while (step_id := queue.take(now)) is not None:
            taken.append(step_id)
        return taken

    def queue(self, *assets: dg.Asset, **options: object) -> ReadyQueue:
        graph = dg.Definitions(assets).graph
        plan = plan_of(StoreFacts(graph, dg.Instance.ephemeral().store), graph.order)
        return ReadyQueue(plan, **options)  # type: ignore[arg-type]

    def test_the_start_of_the_longest_chain_goes_first(self) -> None:
        @dg.asset
        def a_short() -> None: ...

        @dg.asset
        def b_long() -> None: ...

        @dg.asset
        def c_below(b_long: None) -> None: ...

        assets = (a_short, b_long, c_below)
        assert self.taken(self.queue(*assets, slots=2)) == ["b_long", "a_short"]
        assert self.taken(self.queue(*assets, slots=1)) == ["a_short", "b_long"]

    def test_a_step_is_ready_once_all_that_it_reads_are_done(self) -> None:
        @dg.asset
        def a() -> None: ...

        @dg.asset
        def b() -> None: ...

        @dg.asset
        def c(a: None, b: None) -> None: ...

        queue = self.queue(a, b, c)
        assert self.taken(queue) == ["a", "b"]
        queue.done("a")
        assert self.taken(queue) == []
        queue.done("b")
        assert self.taken(queue) == ["c"]

    def test_a_retry_is_ready_once_its_delay_is_over(self) -> None:
        @dg.asset
        def a() -> None: ...

        queue = self.queue(a)
        assert self.taken(queue) == ["a"]
        queue.again("a", 5.0)
        assert queue.next_at == 5.0
        assert self.taken(queue, now=4.9) == []
        assert self.taken(queue, now=5.0) == ["a"]
        assert queue.next_at is None

    def test_a_place_in_a_pool_goes_to_the_next_step(self) -> None:
        assets = [dg.asset(name=name, pool="p")(lambda: None) for name in "abc"]
        queue = self.queue(*assets, slots=3, pools={"p": 1})
        assert self.taken(queue) == ["a"]
        queue.leave("a")
        assert self.taken(queue) == ["b"]


def test_a_project_sets_how_its_steps_run(project) -> None:
    files = project({"pipeline.py": ""})
    settings = files.root / "pyproject.toml"
    settings.write_text(
        '[tool.assetgraph]\nmodule = "pipeline"\nexecutor = "threads"\njobs = 3\n'
        "log_limit = 1000\n[tool.assetgraph.pools]\napi = 2\n"
    )
    found = files.find()
    assert (found.executor, found.jobs, found.log_limit) == ("threads", 3, 1000)
    assert found.pools == {"api": 2}
    settings.write_text("[tool.assetgraph.pools]\napi = 0\n")
    with pytest.raises(
        dg.AssetGraphError, match="pools must be a table of whole numbers, 1 or more"
    ):
        files.find()


def assert_only_failed_once_it_ended(instance: dg.Instance, given_up: dg.Asset) -> None:
    """Wait for the thread of an abandoned step, and check that it commits nothing."""
    lock = instance.store.lock(Target(given_up.key))
    assert lock.wait(until=lambda: True)
    lock.release()
    current, failed = instance.store.history.current(Target(given_up.key))
    assert current is None
    assert failed is not None
