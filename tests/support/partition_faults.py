"""The scenarios of `faults.py` with partitions: a chain with a mapping, calls for ranges of
partitions, dynamic partitions, and an asset that reads all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from faults import KINDS, Fault, Scenario, may_break, name_of, note_run

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.storage.store import Store

ASSETS = ("source", "smooth", "range", "named", "total")
DYNAMIC = "names"
Value = list[Any]


@dataclass(frozen=True)
class PartitionedScenario(Scenario):
    """A run of assets with partitions. `keys` are those of each asset but the last two, `names` the
    dynamic ones; one call makes `at_once` of `range`, None for all, and `yields` them or not."""

    keys: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    at_once: int | None = None
    yields: bool = True

    @classmethod
    def random(cls, seed: int, kinds: Sequence[str] = KINDS) -> PartitionedScenario:
        chance = random.Random(seed)
        days = chance.randint(2, 6)
        names = tuple(f"n{i}" for i in range(chance.randint(1, 3)))
        executor = chance.choice(["serial", "serial", "threads", "processes"])
        in_worker = executor == "processes" and chance.random() < 0.7
        moment = chance.randint(1, (20 if in_worker else 50) * days)
        return cls(
            seed,
            edges=(),
            big=frozenset(i for i in range(len(ASSETS)) if chance.random() < 0.5),
            executor=executor,
            fault=Fault(chance.choice(kinds), moment, in_worker),
            keys=tuple(f"2023-01-{day:02}" for day in range(1, days + 1)),
            names=names,
            at_once=chance.choice([None, 2, 3]),
            yields=chance.random() < 0.7,
        )

    def prepare(self, store: Store) -> None:
        store.dynamic_partitions.add(DYNAMIC, self.names)

    def plan(self, state: StoreFacts, *, stale_only: bool, number: int) -> Plan:
        """All that is not up to date, or else some range of each asset, and what it needs."""
        if stale_only:
            return plan_run(RunRequest(stale=True), state)
        chance = random.Random(self.seed * 10 + number)
        first, last = sorted(chance.choices(self.keys, k=2))
        chosen = tuple(f"{name}@{first}..{last}" for name in ASSETS[:3])
        return plan_run(RunRequest(selection=(*chosen, "named@*", "total")), state)

    def may_run_again(self, name: str) -> bool:
        return name.startswith("range=")  # where another run made some of a call's partitions

    def value_of(self, target: Target) -> Value:
        place, key = ASSETS.index(target.key.text), target.partition
        if place == 0:
            return self._value(place, key, [])
        if place == 1:
            at = self.keys.index(str(key))
            read = [
                Target(dg.AssetKey("source"), one) for one in self.keys[max(at - 1, 0) : at + 1]
            ]
        elif place == 2:
            read = [Target(dg.AssetKey("smooth"), key)]
        else:
            above = self.keys if place == 3 else self.names
            read = [Target(dg.AssetKey(ASSETS[place - 1]), one) for one in above]
        return self._value(place, key, [self.value_of(one) for one in read])

    def assets(self) -> list[dg.Asset]:
        end = f"2023-01-{len(self.keys) + 1:02}"
        days = dg.DailyPartitionsDefinition("2023-01-01", end_date=end)
        before = dg.AssetIn(partition_mapping=dg.TimeWindowPartitionMapping(-1, 0))
        every = dg.AssetIn("range", partition_mapping=dg.AllPartitionMapping())
        own = dg.DynamicPartitionsDefinition(name=DYNAMIC)
        policy = dg.BackfillPolicy(self.at_once)

        @dg.asset(partitions_def=days, code_version="1")
        def source(context: dg.AssetExecutionContext) -> Value:
            return self._made(0, context.partition_key, [])

        @dg.asset(partitions_def=days, ins={"source": before}, code_version="1")
        def smooth(context: dg.AssetExecutionContext, source: dict[str, Value]) -> Value:
            return self._made(1, context.partition_key, list(source.values()))

        def made_of_range(keys: Sequence[str], smooth: Any) -> Iterator[tuple[str, Value]]:
            for key in keys:
                yield key, self._made(2, key, [smooth[key]])

        @dg.asset(name="range", partitions_def=days, backfill_policy=policy, code_version="1")
        def of_range(context: dg.AssetExecutionContext, smooth: dict[str, Any]) -> Any:
            pairs = made_of_range(context.partition_keys, smooth)
            return pairs if self.yields else dict(pairs)

        @dg.asset(partitions_def=own, ins={"given": every}, code_version="1")
        def named(context: dg.AssetExecutionContext, given: dict[str, Value]) -> Value:
            return self._made(3, context.partition_key, list(given.values()))

        @dg.asset(code_version="1")
        def total(named: dict[str, Value]) -> Value:
            return self._made(4, None, list(named.values()))

        return [source, smooth, of_range, named, total]

    def _made(self, place: int, key: str | None, inputs: list[Value]) -> Value:
        fault = self.fault if self.fault and self.fault.in_worker else None
        kind = self.fault.kind if self.fault else None
        may_break(fault, raises=kind == "raise" and place == self.seed % len(ASSETS))
        target = Target(dg.AssetKey(ASSETS[place]), key)
        print(f"asset {target}")
        note_run(name_of(target))
        return self._value(place, key, inputs)

    def _value(self, place: int, key: str | None, inputs: list[Value]) -> Value:
        own = int(key[-1]) if key else 1
        total = own + sum(each[1] for each in inputs)
        return [ASSETS[place], total, "x" * (20_000 if place in self.big else 10)]
