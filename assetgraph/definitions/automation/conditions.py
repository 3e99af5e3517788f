"""`AutomationCondition`: when an asset should be materialized by itself. Nothing acts on one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.automation.cron import checked_cron
from assetgraph.definitions.selection.asset_selection import AssetSelection
from assetgraph.errors import InvalidDefinitionError

_OF_DEPS = ("any_deps_match", "all_deps_match")


@dataclass(frozen=True)
class AutomationCondition:
    """When an asset should be materialized by itself.

        @asset(automation_condition=AutomationCondition.eager())
        def report(orders): ...

    `eager()`, `on_cron(…)` and `on_missing()` are whole conditions. The others are parts of one:
    `&`, `|` and `~` join them, `since`, `newly_true` and `since_last_handled` remember, and
    `without` and `replace` change a part. `operator` says what a condition is, `operands` which
    conditions it is made of, and `arguments` its plain arguments. Two are equal if they are made
    alike, whatever their labels.

    Nothing acts on a condition: it is kept with its asset.
    """

    operator: str
    operands: tuple[AutomationCondition, ...] = ()
    arguments: tuple[Any, ...] = ()
    label: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AutomationCondition) and self._made == other._made

    def __hash__(self) -> int:
        return hash((self.operator, self.operands))

    def __repr__(self) -> str:
        return f"AutomationCondition({self})"

    def __str__(self) -> str:
        if self.label:
            return self.label
        words = {"and": " & ", "or": " | "}
        if self.operator in words:
            return f"({words[self.operator].join(map(str, self.operands))})"
        if self.operator == "not":
            return f"~{self.operands[0]}"
        given = [
            *map(str, self.operands),
            *(repr(one) for one in self.arguments if one is not None),
        ]
        return f"{self.operator}({', '.join(given)})"

    @property
    def _made(self) -> tuple[Any, ...]:
        return self.operator, self.operands, self.arguments

    # Whole conditions

    @classmethod
    def eager(cls) -> AutomationCondition:
        """When an upstream was updated or the asset came to be missing, once no upstream is missing
        or being materialized. Of partitions in time, only the newest."""
        return (
            cls.in_latest_time_window()
            & (cls.newly_missing() | cls.any_deps_updated()).since_last_handled()
            & ~cls.any_deps_missing()
            & ~cls.any_deps_in_progress()
            & ~cls.in_progress()
        ).with_label("eager")

    @classmethod
    def on_cron(cls, cron_schedule: str, cron_timezone: str = "UTC") -> AutomationCondition:
        """Once after each moment of a line of cron, when all upstreams were updated since. Of
        partitions in time, only the newest. Raises `InvalidDefinitionError` for a wrong line."""
        return (
            cls.in_latest_time_window()
            & cls.cron_tick_passed(cron_schedule, cron_timezone).since_last_handled()
            & cls.all_deps_updated_since_cron(cron_schedule, cron_timezone)
        ).with_label(f"on_cron({cron_schedule}, {cron_timezone})")

    @classmethod
    def on_missing(cls) -> AutomationCondition:
        """When the asset came to be missing, once no upstream is."""
        return (
            cls.in_latest_time_window()
            & cls.newly_missing().since_last_handled()
            & ~cls.any_deps_missing()
        ).with_label("on_missing")

    # Parts that look at the asset

    @classmethod
    def missing(cls) -> AutomationCondition:
        """It has no value."""
        return cls("missing")

    @classmethod
    def in_progress(cls) -> AutomationCondition:
        """A run is materializing it."""
        return cls("in_progress")

    @classmethod
    def execution_failed(cls) -> AutomationCondition:
        """Its last attempt failed."""
        return cls("execution_failed")

    @classmethod
    def code_version_changed(cls) -> AutomationCondition:
        """Its code is another than at the last evaluation."""
        return cls("code_version_changed")

    @classmethod
    def newly_updated(cls) -> AutomationCondition:
        """It was materialized since the last evaluation."""
        return cls("newly_updated")

    @classmethod
    def newly_requested(cls) -> AutomationCondition:
        """The last evaluation asked for it."""
        return cls("newly_requested")

    @classmethod
    def newly_missing(cls) -> AutomationCondition:
        """It came to be missing."""
        return cls.missing().newly_true().with_label("newly_missing")

    @classmethod
    def will_be_requested(cls) -> AutomationCondition:
        """This evaluation asks for it."""
        return cls("will_be_requested")

    @classmethod
    def initial_evaluation(cls) -> AutomationCondition:
        """It is evaluated for the first time."""
        return cls("initial_evaluation")

    @classmethod
    def in_latest_time_window(cls, lookback_delta: timedelta | None = None) -> AutomationCondition:
        """It is the newest partition in time, or of the last `lookback_delta`."""
        if lookback_delta is not None and not isinstance(lookback_delta, timedelta):
            raise InvalidDefinitionError(
                f"lookback_delta is {described(lookback_delta)}.", hint="Write timedelta(days=…)."
            )
        return cls("in_latest_time_window", arguments=(lookback_delta,))

    @classmethod
    def cron_tick_passed(
        cls, cron_schedule: str, cron_timezone: str = "UTC"
    ) -> AutomationCondition:
        """A moment of a line of cron came since the last evaluation. Raises
        `InvalidDefinitionError` for a wrong line."""
        if not isinstance(cron_schedule, str):
            raise InvalidDefinitionError(
                f"a condition: cron_schedule is {cron_schedule!r}.", hint='Write "0 9 * * 1".'
            )
        checked_cron("a condition", cron_schedule, cron_timezone)
        return cls("cron_tick_passed", arguments=(cron_schedule, cron_timezone))

    # Parts that look at upstreams

    @classmethod
    def any_deps_match(cls, condition: AutomationCondition) -> AutomationCondition:
        """Of any upstream, a condition is true."""
        return cls("any_deps_match", (_condition(condition),), (None, None))

    @classmethod
    def all_deps_match(cls, condition: AutomationCondition) -> AutomationCondition:
        """Of each upstream, a condition is true."""
        return cls("all_deps_match", (_condition(condition),), (None, None))

    @classmethod
    def any_deps_updated(cls) -> AutomationCondition:
        """An upstream was updated, or this evaluation asks for it."""
        return cls.any_deps_match(cls.newly_updated() | cls.will_be_requested()).with_label(
            "any_deps_updated"
        )

    @classmethod
    def any_deps_missing(cls) -> AutomationCondition:
        """An upstream has no value, and this evaluation does not ask for it."""
        return cls.any_deps_match(cls.missing() & ~cls.will_be_requested()).with_label(
            "any_deps_missing"
        )

    @classmethod
    def any_deps_in_progress(cls) -> AutomationCondition:
        """A run is materializing an upstream."""
        return cls.any_deps_match(cls.in_progress()).with_label("any_deps_in_progress")

    @classmethod
    def all_deps_updated_since_cron(
        cls, cron_schedule: str, cron_timezone: str = "UTC"
    ) -> AutomationCondition:
        """Each upstream was updated since the last moment of a line of cron."""
        ticked = cls.cron_tick_passed(cron_schedule, cron_timezone)
        updated = cls.newly_updated().since(ticked) | cls.will_be_requested()
        label = f"all_deps_updated_since_cron({cron_schedule}, {cron_timezone})"
        return cls.all_deps_match(updated).with_label(label)

    # Joining and changing

    def __and__(self, other: AutomationCondition) -> AutomationCondition:
        return _joined("and", self, _condition(other))

    def __or__(self, other: AutomationCondition) -> AutomationCondition:
        return _joined("or", self, _condition(other))

    def __invert__(self) -> AutomationCondition:
        return AutomationCondition("not", (self,))

    def newly_true(self) -> AutomationCondition:
        """It is true, and was not at the last evaluation."""
        return AutomationCondition("newly_true", (self,))

    def since(self, reset_condition: AutomationCondition) -> AutomationCondition:
        """It was true at some evaluation after the last at which another condition was."""
        return AutomationCondition("since", (self, _condition(reset_condition)))

    def since_last_handled(self) -> AutomationCondition:
        """It was true since the asset was last asked for or materialized."""
        handled = (
            AutomationCondition.newly_requested()
            | AutomationCondition.newly_updated()
            | AutomationCondition.initial_evaluation()
        )
        return self.since(handled.with_label("handled"))

    def with_label(self, label: str | None) -> AutomationCondition:
        """The same under a name, by which `replace` finds it."""
        return replace(self, label=label)

    def without(self, condition: AutomationCondition) -> AutomationCondition:
        """This condition without one of the parts that `&` joined.

        Raises `InvalidDefinitionError` if it is not one of them.
        """
        if self.operator != "and" or condition not in self.operands:
            parts = self.operands if self.operator == "and" else (self,)
            raise InvalidDefinitionError(
                f"{condition} is not a part of {self}.",
                hint=f"Its parts are: {', '.join(map(str, parts))}.",
            )
        rest = tuple(one for one in self.operands if one != condition)
        return rest[0] if len(rest) == 1 else replace(self, operands=rest, label=None)

    def replace(
        self, old: AutomationCondition | str, new: AutomationCondition
    ) -> AutomationCondition:
        """This condition with another in place of each part that equals `old`, or has that
        label."""
        if self == old or (self.label is not None and self.label == old):
            return _condition(new)
        operands = tuple(one.replace(old, new) for one in self.operands)
        same = all(a is b for a, b in zip(operands, self.operands, strict=True))
        return self if same else replace(self, operands=operands)

    def allow(self, selection: AssetSelection) -> AutomationCondition:
        """This condition, in which upstreams count only if a selection has them."""
        return self._of_deps(0, selection)

    def ignore(self, selection: AssetSelection) -> AutomationCondition:
        """This condition, in which upstreams of a selection do not count."""
        return self._of_deps(1, selection)

    def _of_deps(self, place: int, selection: AssetSelection) -> AutomationCondition:
        chosen = AssetSelection.from_coercible(selection)
        operands = tuple(one._of_deps(place, chosen) for one in self.operands)
        if self.operator not in _OF_DEPS:
            return replace(self, operands=operands)
        arguments = list(self.arguments)
        known = arguments[place]
        both = known if known is None else (known & chosen, known | chosen)[place]
        arguments[place] = chosen if both is None else both
        return replace(self, arguments=tuple(arguments))


def _condition(given: object) -> AutomationCondition:
    if isinstance(given, AutomationCondition):
        return given
    raise TypeError(f"{described(given)} is not an AutomationCondition")


def _joined(
    operator: str, one: AutomationCondition, other: AutomationCondition
) -> AutomationCondition:
    """Two conditions in one list, so that `without` finds each."""
    parts: list[AutomationCondition] = []
    for part in (one, other):
        is_list = part.operator == operator and part.label is None
        parts += part.operands if is_list else [part]
    return AutomationCondition(operator, tuple(parts))
