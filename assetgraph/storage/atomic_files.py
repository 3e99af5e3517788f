"""Crash-safe files: replaced as a whole, or appended line by line.

Paths are text, not `Path`, for speed: a step uses these functions several times.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, TypeVar

import msgspec

from assetgraph.errors import DamagedStoreError, StoreError, StoreFormatError
from assetgraph.records import decoder

T = TypeVar("T")
_encoder = msgspec.json.Encoder()

_WHY = {
    errno.ENOSPC: ("the disk is full", "Free some space; what was recorded before is intact."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, or raise the quota."),
    errno.EROFS: ("the file system is read-only", "Choose another folder with --store."),
    errno.EACCES: ("permission denied", "Make it writable, or choose another with --store."),
    errno.EPERM: ("not permitted", "Make it writable, or choose another with --store."),
    errno.ENOTDIR: ("a file is where a folder should be", "Move it, or choose another --store."),
    errno.EISDIR: ("it is a folder", "Move that folder away."),
    errno.EIO: ("the disk reports an error", "Check the disk, and copy the store if you can."),
    errno.ENAMETOOLONG: ("the name is too long for this file system", "Choose a shorter name."),
}


def store_error(error: OSError, doing: str, path: str) -> StoreError:
    """A `StoreError` that says what could not be done to which file, and what to do about it."""
    why, hint = _WHY.get(error.errno or 0, (error.strerror or str(error), None))
    if hint and doing == "read":
        hint = hint.replace("writable", "readable")
    return StoreError(f"cannot {doing} {path}: {why}.", hint=hint)


def encoded(record: Any) -> bytes:
    """`record` as JSON. Text that UTF-8 cannot encode, such as a file name in another encoding, is
    written with backslashes, so that no text of a step prevents its record."""
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        return _encoder.encode(_with_backslashes(msgspec.to_builtins(record)))


def encoded_lines(records: Sequence[Any]) -> bytes:
    """Each of `records` as JSON, one line each."""
    try:
        return _encoder.encode_lines(records)
    except UnicodeEncodeError:
        return b"".join([encoded(record) + b"\n" for record in records])


def write_whole(path: str, data: bytes) -> None:
    """Replace the content of `path` with `data`: a reader sees the old content or the new, never a
    mixture. Raises `StoreError`."""
    temporary = f"{path}.{os.getpid()}.{threading.get_ident()}.tmp"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            _write_all(fd, data)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except OSError as error:
        _remove(temporary)
        raise store_error(error, "write", path) from error


def sync_file_system(path: str) -> None:
    """Write everything that the kernel still holds for the file system of `path` to disk, in one
    call.

    Syncs every file system where the C library has no `syncfs` (macOS).
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):  # pragma: no cover - not on Linux
        os.sync()
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        libc.syncfs(fd)
    finally:
        os.close(fd)


def make_folder(path: str) -> None:
    """Create a folder and its parents if they are missing. Raises `StoreError`."""
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError as error:
        raise StoreError(
            f"cannot use {path} as a folder: it is a file.", hint="Choose another with --store."
        ) from error
    except OSError as error:
        wrong = store_error(error, "create the folder", path)
        wrong.hint = wrong.hint or "Choose another folder with --store."
        raise wrong from error


def make_store_folder(path: str) -> None:
    """Create the folder of a store if it is missing, with a `.gitignore`: its content belongs to
    this machine, not to the project's repository."""
    make_folder(path)
    if not os.listdir(path):
        write_whole(f"{path}/.gitignore", b"*\n")


def names_in(folder: str) -> list[str]:
    """The names in a folder except hidden ones; none if there is no such folder."""
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise store_error(error, "read", folder) from error


class AppendFile:
    """A file of JSON lines with one writer.

    Opening it removes a cut last line. An appended line goes to the kernel at once, so it survives
    the death of the process; a line that cannot be written completely is removed again.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise store_error(error, "open", path) from error
        try:
            self.size = _without_cut_line(self._fd, path, os.fstat(self._fd).st_size)
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, lines: bytes) -> None:
        _append(self._fd, self.path, lines, self.size)
        self.size += len(lines)

    def close(self) -> None:
        os.close(self._fd)


def append_line(path: str, line: bytes) -> None:
    """Append one line, after removing a cut last line."""
    file = AppendFile(path)
    try:
        file.append(line)
    finally:
        file.close()


def append_to(fd: int, path: str, line: bytes) -> bool:
    """Append one line to a file that is open for appending, after removing a cut last line. Returns
    False if the file was deleted."""
    status = os.fstat(fd)
    if status.st_nlink == 0:
        return False
    size = status.st_size
    _append(fd, path, line, size and _without_cut_line(fd, path, size))
    return True


def is_cut(fd: int) -> bool:
    """Whether the last line of an open file has no end: its writer died, or is still writing."""
    size = os.fstat(fd).st_size
    return size > 0 and os.pread(fd, 1, size - 1) != b"\n"


class Tail:
    """A file that another process appends to; each read continues where the last one ended. A
    missing file counts as empty."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._offset = 0

    def read(self) -> bytes:
        """The bytes appended since the last read."""
        data = self._rest()
        self._offset += len(data)
        return data

    def lines(self) -> list[bytes]:
        """The complete lines appended since the last read; an incomplete one comes with a later
        read."""
        data = self._rest()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.split(b"\n")[:-1]

    def _rest(self) -> bytes:
        try:
            if os.stat(self.path).st_size <= self._offset:
                return b""
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                return file.read()
        except OSError:
            return b""


def read_lines(path: str, kind: Any) -> Iterator[Any]:
    """Each line of a file, decoded as `kind`, without a cut last line (its writer died).

    Raises `FileNotFoundError`, and `DamagedStoreError` with file and line for any other damage.
    """
    lines_as = decoder(kind)
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield decoded(lines_as, line, path, number)


def read_last(path: str, kind: Any, size: int = 4096) -> Iterator[Any]:
    """The lines of a file from the last to the first, decoded as `kind`; a missing file has none.

    Reads from the end, so the length of a history does not matter. Raises `DamagedStoreError`.
    """
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    except OSError as error:
        raise store_error(error, "read", path) from error
    lines_as = decoder(kind)
    try:
        end = os.fstat(fd).st_size
        whole = False
        rest = b""
        while end > 0:
            start = max(0, end - size)
            chunk = os.pread(fd, end - start, start) + rest
            lines = chunk.split(b"\n")
            rest = lines.pop(0) if start > 0 else b""
            if not whole:  # after the last line end comes a cut line, or nothing
                if not lines:
                    end, size = start, size * 4
                    continue
                lines.pop()
                whole = True
            for position in range(len(lines) - 1, -1, -1):
                try:
                    yield lines_as.decode(lines[position])
                except (msgspec.DecodeError, UnicodeDecodeError):
                    number = _line_number(fd, start + len(rest) + 1 if start else 0, position)
                    yield decoded(lines_as, lines[position], path, number)
            end, size = start, size * 4
    except OSError as error:
        raise store_error(error, "read", path) from error
    finally:
        os.close(fd)


def read_record(path: str, kind: type[T]) -> T:
    """The one record in a file. Raises `FileNotFoundError` and `DamagedStoreError`."""
    with opened(path) as file:
        data = file.read()
    try:
        record: T = decoder(kind).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from error
    return record


def damaged(
    path: str, why: str, line: int | None = None, *, hint: str | None = None
) -> DamagedStoreError:
    """The error for a file, or a line of one, that cannot be read."""
    from shlex import quote

    place = f"line {line} of {path}" if line else path
    move = f"mv {quote(path)} {quote(f'{path}.damaged')}"
    hint = hint or f"Restore that file from a copy, or move it away with: {move}"
    return DamagedStoreError(
        f"{place} is damaged: {why}. Nothing was changed.", path=path, line=line, hint=hint
    )


def require_known_format(what: str, found: int, known: int) -> None:
    """Raises `StoreFormatError` if a later assetgraph wrote `what`."""
    if found > known:
        raise StoreFormatError(
            f"{what} has format {found}, written by a later assetgraph; "
            f"this one knows format {known}.",
            hint="Upgrade assetgraph, or choose another folder with --store.",
        )


def decoded(line_as: msgspec.json.Decoder[Any], line: bytes, path: str, number: int) -> Any:
    """A line of a file, decoded. Raises `DamagedStoreError` with file and line."""
    try:
        return line_as.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(path, str(error), number) from error


def _line_number(fd: int, start: int, position: int) -> int:
    return os.pread(fd, start, 0).count(b"\n") + position + 1


def opened(path: str) -> BinaryIO:
    """A file open for reading. Raises `FileNotFoundError` and `StoreError`."""
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise store_error(error, "read", path) from error


def _with_backslashes(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_with_backslashes(name): _with_backslashes(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_backslashes(item) for item in value]
    return value


def _write_all(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        data = data[written:]
        written = os.write(fd, data)


def _append(fd: int, path: str, lines: bytes, size: int) -> None:
    """Append to a file of `size` bytes; remove again what cannot be written completely."""
    try:
        written = os.write(fd, lines)
        if written < len(lines):
            _write_all(fd, lines[written:])
    except OSError as error:
        try:
            os.ftruncate(fd, size)
        except OSError:
            pass  # readers skip a cut last line, and the next writer removes it
        raise store_error(error, "write", path) from error


def _without_cut_line(fd: int, path: str, size: int) -> int:
    """The size of an open file after removing a last line that its writer died in."""
    if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
        return size
    end = size
    while end > 0:
        start = max(0, end - 65536)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    try:
        os.ftruncate(fd, end)
    except OSError as error:
        raise store_error(error, "remove the cut last line of", path) from error
    return end


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
