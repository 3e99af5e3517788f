"""`IOManager`: a person's own storage for the values of an asset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What is being stored: the asset's key, the run that made it, and a way to add metadata."""

    asset_key: AssetKey
    run_id: str
    add_output_metadata: Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class InputContext:
    """What is being loaded: the key of the asset that made it, the run that made it, and the
    annotation of the parameter that takes it (`inspect.Parameter.empty` without one)."""

    asset_key: AssetKey
    run_id: str
    annotation: Any


class IOManager(ABC):
    """Stores and loads the values of assets that name it: `@asset(io_manager=…)`.

    A value that it stores has the id of its run as its data version, unless the asset returns a
    `MaterializeResult` with its own.
    """

    @abstractmethod
    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Store `obj`. What it raises fails the step."""

    @abstractmethod
    def load_input(self, context: InputContext) -> Any:
        """Load what was stored. What it raises fails the step that asks for it."""
