"""`IOManager`: base class for storing the values of assets in a way of your own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey


@dataclass(frozen=True, slots=True)
class OutputContext:
    """Describes a value to store: its asset's key and the id of the run that materializes it.

    `add_output_metadata` records metadata with the value.
    """

    asset_key: AssetKey
    run_id: str
    add_output_metadata: Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class InputContext:
    """Describes a value to load: its asset's key and the id of the run that materialized it.

    `annotation` is the annotation of the parameter that takes the value, or
    `inspect.Parameter.empty` if it has none.
    """

    asset_key: AssetKey
    run_id: str
    annotation: Any


class IOManager(ABC):
    """Base class for storing and loading the values of assets in a way of your own.

        class Warehouse(IOManager):
            def handle_output(self, context, obj): write(context.asset_key.text, obj)
            def load_input(self, context): return read(context.asset_key.text)

        @asset(io_manager=Warehouse())
        def trips(): ...

    The data version of such a value is the id of its run, unless the asset returns a
    `MaterializeResult` with a `data_version`.
    """

    @abstractmethod
    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Store the value `obj`. An exception fails the step."""

    @abstractmethod
    def load_input(self, context: InputContext) -> Any:
        """Return the stored value. An exception fails the step that reads it."""
