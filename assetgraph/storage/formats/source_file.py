"""A file, a folder, the files of a pattern, or an object, that something else writes.

Its data version is that of the content. The content of a file is read once for each stamp; a file
that changed within the last seconds is read each time, since its stamp may stay the same over
another change. Of a file of more than a gigabyte the stamp alone counts, and of an object the tag
that its store gives it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.definitions.external import is_address, is_pattern
from assetgraph.errors import NoValueError, StoreError
from assetgraph.records import StoredValue, ValueCondition
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.digest import digest_of, hasher
from assetgraph.storage.formats.returned_path import loaded_path, recorded_path
from assetgraph.storage.formats.value_format import ClassVersion, Location, Saved, ValueFormat
from assetgraph.storage.value_places import place_at

if TYPE_CHECKING:
    from assetgraph.storage.formats.preview_types import Preview

FORMAT = "source"


class Source(NamedTuple):
    """What is at a source now. `data_version` is None if nothing is there. `size` is in bytes."""

    stored: StoredValue
    data_version: str | None = None
    changed_at: datetime | None = None


class SourceFormat(ValueFormat):
    """The data of an asset that `source_file` declares. `path` is the source as it was declared,
    relative to the project's folder if it is inside."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        return None

    def look_at(self, source: str) -> Source:
        """What is there now. Raises `StoreError` if it cannot be read."""
        if is_address(source):
            return self._object(source)
        recorded = recorded_path(Path(source), self.files.project_root)
        paths = self._paths(recorded)
        stored = StoredValue(FORMAT, path=recorded)
        parts = [self._part(path) for path in paths]
        found = [part for part in parts if part is not None]
        if not found or len(found) < len(parts):
            return Source(stored)
        digest = hasher(FORMAT)
        digest.update(recorded.encode("utf-8", "surrogateescape") + b"\0")
        for path, part in zip(paths, found, strict=True):
            name = os.path.relpath(path, self.files.project_root)
            digest.update(f"{name}\0{part.digest}\0".encode("utf-8", "surrogateescape"))
        size = sum(part.size for part in found)
        changed_at = datetime.fromtimestamp(max(part.changed_ns for part in found) / 1e9, UTC)
        stored = StoredValue(FORMAT, path=recorded, size=size)
        return Source(stored, digest.hexdigest(), changed_at)

    def load(self, stored: StoredValue, annotation: Any) -> object:
        recorded, root = stored.path or "", self.files.project_root
        if is_address(recorded):
            return recorded
        paths = self._paths(recorded)
        if not paths or not os.path.exists(paths[0]):
            raise NoValueError(
                f"no file matches {recorded}." if is_pattern(recorded)
                else f"there is no file {os.path.join(root, recorded)}.",
                hint="Something else writes it. Put it there, or correct its source_file.",
            )  # fmt: skip
        if not is_pattern(recorded):
            return loaded_path(recorded, root)
        return [loaded_path(recorded_path(Path(path), root), root) for path in paths]

    def check(self, stored: StoredValue, *, deep: bool = False) -> ValueCondition:
        return "intact" if self.look_at(stored.path or "").data_version else "gone"

    @staticmethod
    def location(stored: StoredValue) -> Location:
        return "project"

    @classmethod
    def describe(cls, stored: StoredValue) -> str:
        return f"Something else writes {stored.path}."

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.preview_types import FilePreview, TextPreview

        recorded = stored.path or ""
        if is_address(recorded):
            return TextPreview(recorded)
        if is_pattern(recorded):
            paths = self._paths(recorded)
            shown = [os.path.relpath(path, self.files.project_root) for path in paths[:rows]]
            return TextPreview("\n".join(shown))
        return FilePreview(os.path.join(self.files.project_root, recorded))

    def _paths(self, recorded: str) -> list[str]:
        """The full paths of the source, or of the files that a pattern matches, by name."""
        if not is_pattern(recorded):
            return [os.path.join(self.files.project_root, recorded)]
        found = glob(os.path.join(self.files.project_root, recorded), recursive=True)
        return sorted(path for path in found if not os.path.isdir(path))

    def _part(self, path: str) -> _Part | None:
        try:
            info = os.stat(path)
            if not stat.S_ISDIR(info.st_mode):
                return self._file(path, info)
            parts = [(name, self._file(full, os.stat(full))) for name, full in _inside(path)]
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise store_error(error, "read", path) from error
        digest = hasher("folder")
        for name, part in parts:
            digest.update(f"{name}\0{part.digest}\0".encode("utf-8", "surrogateescape"))
        changed = max((part.changed_ns for _, part in parts), default=info.st_mtime_ns)
        return _Part(digest.hexdigest(), sum(part.size for _, part in parts), changed)

    def _file(self, path: str, info: os.stat_result) -> _Part:
        if not stat.S_ISREG(info.st_mode):
            raise StoreError(f"cannot read {path}: it is neither a file nor a folder.")
        digest = self.files.verified.of_file(path, info)
        return _Part(digest, info.st_size, info.st_mtime_ns)

    def _object(self, address: str) -> Source:
        folder, _, name = address.rstrip("/").rpartition("/")
        place = place_at(folder, self.files.project_root)
        seen = place.look(name)
        if seen is not None:
            version = digest_of(FORMAT, f"{address}\0{seen.size} {seen.stamp}".encode())
            return Source(StoredValue(FORMAT, path=address, size=seen.size), version)
        inner = place_at(address, self.files.project_root)
        files = sorted(inner.files())
        looks = [(file.path, inner.look(file.path)) for file in files]
        if not looks:
            return Source(StoredValue(FORMAT, path=address))
        text = "\0".join(f"{path} {look}" for path, look in looks)
        size = sum(file.size for file in files)
        version = digest_of(FORMAT, f"{address}\0{text}".encode())
        return Source(StoredValue(FORMAT, path=address, size=size), version)


class _Part(NamedTuple):
    digest: str
    size: int
    changed_ns: int


def _inside(root: str) -> Iterator[tuple[str, str]]:
    """Every file in a folder as (relative name, path), sorted by name, without hidden ones."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [f"{folder}/{name}" for name in names if not name.startswith(".")]
    for path in sorted(found):
        yield path[len(root) + 1 :], path
