"""`Step`, one planned call of a computation, and `Plan`, the steps of a run with their edges."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.keys import Target
from assetgraph.planning.reason_kinds import Reason

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation


class Cause(StrEnum):
    """Why a step is in a plan. A requested step always runs; any other is checked again just
    before it starts."""

    REQUESTED = "requested"
    MISSING = "missing"
    STALE = "stale"


CAUSES = tuple(Cause)  # by precedence: if outputs have different causes, the first counts


class Step(msgspec.Struct, frozen=True):
    """One planned call of a computation.

    `id` is unique in its plan; for a step with one output, it is the text of that target, and for
    several partitions, it has their range, as in `trips@2023-01..2023-03`. `reads` has the targets
    that each parameter loads: a parameter in `gathered` takes several partitions, as a mapping or
    as one table. `deps` are upstreams that no parameter loads; for a step with several outputs,
    `upstreams` says what each of them is made from. `after` holds the ids of the steps that come
    before. `config` has the given fields, without defaults; with `config_given`, it was given for
    this run, and checked.
    """

    id: str
    computation: str
    outputs: tuple[Target, ...]
    cause: Cause
    reasons: tuple[Reason, ...] = ()
    config: Mapping[str, Any] = {}
    reads: Mapping[str, tuple[Target, ...]] = {}
    deps: tuple[Target, ...] = ()
    after: tuple[str, ...] = ()
    gathered: frozenset[str] = frozenset()
    upstreams: Mapping[Target, tuple[Target, ...]] = {}
    config_given: bool = False

    def first_upstream_in(self, targets: Set[Target]) -> Target | None:
        """The first target that the step loads or depends on, of some."""
        every = chain(*self.reads.values(), self.deps)
        return next((one for one in every if one in targets), None)

    def upstream(self, output: Target) -> tuple[Target, ...]:
        """The targets that `output` is made from, each once."""
        if self.upstreams:
            return self.upstreams[output]
        seen = dict.fromkeys(target for targets in self.reads.values() for target in targets)
        seen.update(dict.fromkeys(self.deps))
        return tuple(seen)


class Plan(msgspec.Struct, frozen=True):
    """The steps, upstream before downstream, and the computations that they call, by name.

    `warnings` are sentences that the user should read before the steps run. `selects_nothing` says
    why there are no steps: the selection matched no asset. `added` are assets that were not
    selected, and run because one call makes them with others.
    """

    steps: tuple[Step, ...]
    computations: Mapping[str, Computation] = {}
    warnings: tuple[str, ...] = ()
    selects_nothing: bool = False
    added: tuple[Target, ...] = ()
