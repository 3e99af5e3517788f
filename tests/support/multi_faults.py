"""The scenarios of `faults.py` with functions of several assets: one whose call makes all of them,
and one that can make a subset."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from faults import KINDS, Fault, Scenario, may_break, note_run

import assetgraph as dg
from assetgraph.keys import Target

WHOLE = tuple(f"whole_{number}" for number in range(4))
SOME = tuple(f"some_{number}" for number in range(4))
NAMES = ("numbers", *WHOLE, *SOME, "total")
Value = list[Any]


@dataclass(frozen=True)
class MultiScenario(Scenario):
    """A run of functions of several assets, which yield them or return them all."""

    yields: bool = True

    @classmethod
    def random(cls, seed: int, kinds: Sequence[str] = KINDS) -> MultiScenario:
        chance = random.Random(seed)
        executor = chance.choice(["serial", "serial", "threads", "processes"])
        in_worker = executor == "processes" and chance.random() < 0.7
        moment = chance.randint(1, 40 if in_worker else 100)
        return cls(
            seed,
            edges=(),
            big=frozenset(i for i in range(len(NAMES)) if chance.random() < 0.5),
            executor=executor,
            fault=Fault(chance.choice(kinds), moment, in_worker),
            yields=chance.random() < 0.7,
        )

    def may_run_again(self, name: str) -> bool:
        return name in WHOLE  # where another run made some assets of a call

    def is_spared(self, name: str, done: set[str]) -> bool:
        """A call that makes all of its assets runs again if it lacks one of them."""
        return name not in WHOLE or done.issuperset(WHOLE)

    def value_of(self, target: Target) -> Value:
        name = target.key.text
        above = {"numbers": (), "total": ("whole_0", "whole_3", "some_1")}.get(name, ("numbers",))
        return self._value(name, [self.value_of(Target(dg.AssetKey(one))) for one in above])

    def assets(self) -> list[dg.Asset]:
        @dg.asset(code_version="1")
        def numbers() -> Value:
            return self._made("numbers", [])

        @dg.multi_asset(specs=[dg.AssetSpec(name) for name in WHOLE], code_version="1")
        def whole(numbers: Value) -> Any:
            return self._given(WHOLE, numbers)

        @dg.multi_asset(
            specs=[dg.AssetSpec(name) for name in SOME], can_subset=True, code_version="1"
        )
        def some(context: dg.AssetExecutionContext, numbers: Value) -> Any:
            return self._given(sorted(context.selected_output_names), numbers)

        @dg.asset(code_version="1")
        def total(whole_0: Value, whole_3: Value, some_1: Value) -> Value:
            return self._made("total", [whole_0, whole_3, some_1])

        return [numbers, whole, some, total]

    def _given(self, names: Iterable[str], numbers: Value) -> Any:
        made = (dg.Output(self._made(name, [numbers]), name) for name in names)
        return made if self.yields else list(made)

    def _made(self, name: str, inputs: list[Value]) -> Value:
        fault = self.fault if self.fault and self.fault.in_worker else None
        kind = self.fault.kind if self.fault else None
        may_break(fault, raises=kind == "raise" and name == NAMES[self.seed % len(NAMES)])
        print(f"asset {name}")
        note_run(name)
        return self._value(name, inputs)

    def _value(self, name: str, inputs: list[Value]) -> Value:
        total = NAMES.index(name) + sum(each[1] for each in inputs)
        return [name, total, "x" * (20_000 if NAMES.index(name) in self.big else 10)]
