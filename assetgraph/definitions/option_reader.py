"""Reads the options of `@asset` one by one and collects mistakes, so that all are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from assetgraph.errors import AssetGraphError

if TYPE_CHECKING:
    from assetgraph.definitions.automation.conditions import AutomationCondition
    from assetgraph.definitions.backfill_policy import BackfillPolicy
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.partitions.mapping import PartitionMapping
    from assetgraph.definitions.retries import RetryPolicy

T = TypeVar("T")


class OptionReader:
    """Reads the options of one asset.

    An option of a wrong type is treated as not given. `mistakes` collects what is wrong, as pairs
    of message and remedy.
    """

    def __init__(self) -> None:
        self.mistakes: list[tuple[str, str]] = []

    def note(self, message: str, remedy: str) -> None:
        self.mistakes.append((message, remedy))

    def text(self, option: str, given: Any) -> str | None:
        if given is None or isinstance(given, str):
            return given
        self.note(f"{option}= takes text, not {given!r}", f"Write {option}={str(given)!r}.")
        return None

    def listed(self, option: str, given: Any) -> list[Any]:
        if given is None:
            return []
        if isinstance(given, str) or not isinstance(given, Iterable):
            self.note(f"{option}= takes a list, not {given!r}", f"Write {option}=[{given!r}].")
            return []
        return list(given)

    def texts(self, option: str, given: Any) -> list[str]:
        items = self.listed(option, given)
        for item in items:
            if not isinstance(item, str):
                self.note(f"{option}= takes strings, not {item!r}", f"Write {str(item)!r}.")
        return [item for item in items if isinstance(item, str)]

    def mapping(self, option: str, given: Any) -> dict[str, Any]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self.note(f"{option}= takes a dictionary, not {given!r}", f"Write {option}={{…: …}}.")
            return {}
        return {str(name): value for name, value in given.items()}

    def manager(self, given: Any) -> Any:
        if isinstance(given, type):
            name = given.__name__
            self.note(
                f"io_manager= takes an IO manager, not the class {name}",
                f"Write io_manager={name}().",
            )
            return None
        if given is None or (hasattr(given, "handle_output") and hasattr(given, "load_input")):
            return given
        self.note(
            f"io_manager= takes an IO manager, not {given!r}",
            "Pass an object with the methods handle_output and load_input.",
        )
        return None

    def policy(self, given: Any) -> RetryPolicy | None:
        if given is None:
            return None
        from assetgraph.definitions.retries import RetryPolicy

        if isinstance(given, RetryPolicy):
            return given
        self.note(
            f"retry_policy= takes a RetryPolicy, not {given!r}",
            "Write retry_policy=RetryPolicy(max_retries=3).",
        )
        return None

    def partitions_def(self, given: Any) -> PartitionsDefinition | None:
        from assetgraph.definitions.partitions.definition import PartitionsDefinition

        example = 'DailyPartitionsDefinition("2023-01-01")'
        found: PartitionsDefinition | None
        found = self._instance("partitions_def", given, PartitionsDefinition, example)
        return found

    def partition_mapping(self, given: Any) -> PartitionMapping | None:
        from assetgraph.definitions.partitions.mapping import PartitionMapping

        example = "AllPartitionMapping()"
        found: PartitionMapping | None
        found = self._instance("partition_mapping", given, PartitionMapping, example)
        return found

    def backfill_policy(self, given: Any) -> BackfillPolicy | None:
        from assetgraph.definitions.backfill_policy import BackfillPolicy

        example = "BackfillPolicy.single_run()"
        found: BackfillPolicy | None
        found = self._instance("backfill_policy", given, BackfillPolicy, example)
        return found

    def automation_condition(self, given: Any) -> AutomationCondition | None:
        from assetgraph.definitions.automation.conditions import AutomationCondition

        example = "AutomationCondition.eager()"
        found: AutomationCondition | None
        found = self._instance("automation_condition", given, AutomationCondition, example)
        return found

    def _instance(self, option: str, given: Any, kind: type[Any], example: str) -> Any:
        if isinstance(given, kind):
            return given
        what = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        self.note(
            f"{option}= takes {article} {kind.__name__}, not {what}", f"Write {option}={example}."
        )
        return None

    def switch(self, option: str, given: Any) -> bool | None:
        if given is None or isinstance(given, bool):
            return given
        self.note(f"{option}= takes True or False, not {given!r}", f"Write {option}={bool(given)}.")
        return None

    def seconds(self, option: str, given: Any) -> float | None:
        if given is None:
            return None
        from assetgraph.definitions.retries import LONGEST_S, is_seconds

        if is_seconds(given) and given > 0:
            return given  # type: ignore[no-any-return]
        remedy = f"Pass at most {LONGEST_S:.0f} s, which is {LONGEST_S / 86400:.0f} days."
        self.note(f"{option}= must be a positive number of seconds, not {given!r}", remedy)
        return None

    def read(self, option: str, reader: Callable[..., T], *given: Any) -> T | None:
        """The result of `reader(*given)`, or None if it raises `TypeError` or `AssetGraphError`."""
        try:
            return reader(*given)
        except (TypeError, AssetGraphError) as error:
            message = str(error.args[0]).rstrip(".")
            self.note(message, getattr(error, "hint", None) or f"Correct {option}=.")
            return None
