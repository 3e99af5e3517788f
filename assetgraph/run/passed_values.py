"""`PassedValues`: values kept in memory from the step that made them to their last reader."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.planning.plan import Plan


class PassedValues:
    """The values in memory during a run of `plan`. Each step reads its inputs once."""

    def __init__(self, plan: Plan) -> None:
        self._values: dict[Target, Any] = {}
        self._reads = {
            step.id: set(chain.from_iterable(step.reads.values())) for step in plan.steps
        }
        self._readers = dict(Counter(chain.from_iterable(self._reads.values())))

    def keep(self, target: Target, value: Any) -> None:
        """Keep an immutable value if a step still has to read it."""
        if target in self._readers:
            self._values[target] = value

    def of(self, step_id: str) -> dict[Target, Any]:
        """The kept values among the inputs of a step."""
        if not self._values:
            return {}
        return {t: self._values[t] for t in self._reads[step_id] if t in self._values}

    def release(self, step_id: str) -> None:
        """Drop each value whose last reader was this step, which is done with its inputs."""
        readers = self._readers
        for target in self._reads.pop(step_id, ()):
            left = readers[target] - 1
            if left:
                readers[target] = left
            else:
                del readers[target]
                self._values.pop(target, None)
