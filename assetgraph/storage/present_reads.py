"""`PresentReads`: looks at what a step may have read, as it is now.

The step's record is made by it, and later what is there is compared with that record by it, so both
know the same rules. Each file is read once for each stamp: see `VerifiedContents.of_file`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from glob import escape, glob

from assetgraph.records import ObservedRead, ReadKind
from assetgraph.storage import bounded_wait
from assetgraph.storage.bounded_wait import BoundedWait
from assetgraph.storage.formats.digest import digest_of, hasher
from assetgraph.storage.formats.verified_contents import READ_UP_TO, VerifiedContents

COMPARABLE = frozenset(
    {ReadKind.FILE, ReadKind.EXISTENCE, ReadKind.STATUS}
    | {ReadKind.FOLDER, ReadKind.FILES, ReadKind.PATTERN, ReadKind.VARIABLE}
)
PRESENT = "present"
NO_FILE = "it is neither a file nor a folder"
BY_STAMP = "over 1 GB: its size and times are compared"
_SALT_DIGITS = 16

Stamp = tuple[int, int, int, int]


class PresentReads:
    """The files, folders, patterns and variables of a project in `root`, as they are now.

    `is_left_out` says of an absolute path whether a listing of its folder passes it over, as it
    does for the outputs of assets; hidden names and `__pycache__` are always passed over.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        verified: VerifiedContents,
        is_left_out: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._root = os.fspath(root)
        self._verified = verified
        self._is_left_out = is_left_out
        self._wait = BoundedWait()

    def look(self, kind: ReadKind, name: str, salt: int = 0) -> ObservedRead:
        """What is there now under a name: as `ObservedRead` describes. `salt` is for a variable.

        It never raises: a `note` says why something cannot be compared.
        """
        if kind is ReadKind.VARIABLE:
            return ObservedRead(kind, name, variable_digest(name, os.environ.get(name), salt))
        path = self.path(name)
        try:
            if self._wait.is_needed and kind is not ReadKind.PATTERN:
                self._wait.call(path, lambda: os.stat(path), bounded_wait.ANSWER_S)
            return self._wait.call(path, lambda: self._found(kind, name), bounded_wait.READ_S)
        except (FileNotFoundError, NotADirectoryError):
            return ObservedRead(kind, name)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            return ObservedRead(kind, name, note=why)

    def stamp(self, name: str) -> Stamp | None:
        """The stamp of a file or folder; None if it is not there. Raises `OSError`."""
        path = self.path(name)
        try:
            return stamp_of(self._wait.call(path, lambda: os.stat(path), bounded_wait.ANSWER_S))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def passes_over(self, path: str) -> bool:
        """Whether listings pass over an absolute path."""
        name = path[path.rfind("/") + 1 :]
        return name.startswith(".") or name == "__pycache__" or self._is_left_out(path)

    def path(self, name: str) -> str:
        """The full path of a file, folder or pattern by its recorded name."""
        return name if name.startswith("/") else f"{self._root}/{name}"

    def _found(self, kind: ReadKind, name: str) -> ObservedRead:
        if kind is ReadKind.FILE:
            return self._file(name)
        if kind is ReadKind.FOLDER:
            return self._folder(name)
        if kind is ReadKind.PATTERN:
            return ObservedRead(kind, name, self._matches(name))
        if kind is ReadKind.FILES:
            return ObservedRead(kind, name, self._files(name))
        info = os.stat(self.path(name))
        closely = kind is ReadKind.STATUS
        digest = status_digest(info.st_size, info.st_mtime_ns) if closely else PRESENT
        return ObservedRead(kind, name, digest)

    def _file(self, name: str) -> ObservedRead:
        path = self.path(name)
        info = os.stat(path)
        stamp = stamp_of(info)
        if stat.S_ISDIR(info.st_mode):
            return ObservedRead(ReadKind.FILE, name, "folder", stamp)
        if not stat.S_ISREG(info.st_mode):
            return ObservedRead(ReadKind.FILE, name, note=NO_FILE)
        note = BY_STAMP if info.st_size > READ_UP_TO else ""
        return ObservedRead(ReadKind.FILE, name, self._verified.of_file(path, info), stamp, note)

    def _folder(self, name: str) -> ObservedRead:
        path = self.path(name)
        info = os.stat(path)
        if not stat.S_ISDIR(info.st_mode):
            return ObservedRead(ReadKind.FOLDER, name, "file", stamp_of(info))
        with os.scandir(path) as entries:
            names = [f"{e.name}/" if e.is_dir() else e.name for e in entries if self._counts(e)]
        return ObservedRead(ReadKind.FOLDER, name, _listing(names), stamp_of(info))

    def _files(self, name: str) -> str:
        """The digest of the sizes and times of the files in a folder."""
        found = []
        with os.scandir(self.path(name)) as entries:
            for entry in entries:
                if self._counts(entry) and entry.is_file():
                    info = entry.stat()
                    found.append(f"{entry.name}\0{info.st_size} {info.st_mtime_ns}")
        return _listing(found)

    def _counts(self, entry: os.DirEntry[str]) -> bool:
        return not self.passes_over(entry.path)

    def _matches(self, pattern: str) -> str:
        """The digest of the names that a pattern has; "" if it has none."""
        if pattern.startswith("/"):
            found = [path for path in glob(pattern, recursive=True) if not self._is_left_out(path)]
        else:
            prefix = len(self._root) + 1
            paths = glob(f"{escape(self._root)}/{pattern}", recursive=True)
            found = [path[prefix:] for path in paths if not self._is_left_out(path)]
        return _listing(found) if found else ""


def variable_digest(name: str, value: str | None, salt: int) -> str:
    """The salted digest of an environment variable's value; "" if it is not set. It begins with the
    salt, so that it can be compared anywhere."""
    if value is None:
        return ""
    digits = f"{salt:0{_SALT_DIGITS}x}"
    text = f"{digits}\0{name}\0{value}"
    return digits + digest_of("variable", text.encode("utf-8", "surrogateescape"))


def status_digest(size: int, mtime_ns: int) -> str:
    """The digest of what a step found out about a file that it did not open."""
    return digest_of("status", f"{size} {mtime_ns}".encode())


def salt_in(digest: str) -> int:
    """The salt with which `variable_digest` made a digest."""
    return int(digest[:_SALT_DIGITS] or "0", 16)


def stamp_of(info: os.stat_result) -> Stamp:
    """What changes when a file may have changed: its size, times and inode."""
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def _listing(names: list[str]) -> str:
    digest = hasher("listing")
    for name in sorted(names):
        digest.update(f"{name}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
