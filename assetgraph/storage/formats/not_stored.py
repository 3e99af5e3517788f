"""Values that the store does not hold: None, and what an IO manager of the project stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.errors import NoValueError
from assetgraph.records import StoredValue
from assetgraph.storage.formats.value_format import ClassVersion, Location, Saved, ValueFormat

if TYPE_CHECKING:
    from assetgraph.storage.formats.preview_types import Preview


class NoneFormat(ValueFormat):
    """None, from an asset that writes elsewhere. Its data version is the id of its run, so every
    materialization counts as new data."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        if value is not None:
            return None
        return Saved(StoredValue("none", "None"), folder.rpartition("/")[2])

    def load(self, stored: StoredValue, annotation: Any) -> object:
        return None

    @staticmethod
    def location(stored: StoredValue) -> Location:
        return "nowhere"

    @classmethod
    def describe(cls, stored: StoredValue) -> str:
        return "Returned nothing to store."

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.preview_types import NoPreview

        return NoPreview("The asset returned None.")


class IOManagedFormat(ValueFormat):
    """A value that the asset's IO manager stored: only that IO manager can load it."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        return None

    def load(self, stored: StoredValue, annotation: Any) -> object:
        raise NoValueError(
            "the value needs the IO manager that stored it.",
            hint="Materialize its asset again, or give the asset its io_manager back.",
        )

    @staticmethod
    def location(stored: StoredValue) -> Location:
        return "io_manager"

    @classmethod
    def describe(cls, stored: StoredValue) -> str:
        return "Stored by its IO manager."

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.preview_types import NoPreview

        return NoPreview("An IO manager of the project stores the value.")
