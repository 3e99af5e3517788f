"""Where value files are: a local folder, or an object store through pyarrow.

A local file is written under a temporary name and then renamed. An object store only takes whole
objects, so a file is written there directly. A path is a str relative to the place, with `/`
between its parts; a full path is what the place itself opens.

The stamp of a file is another one as soon as its content may be. For a local file it is the sum of
the times at which its content and its entry were changed, in nanoseconds: a program can set back
the first of them, and never the second. For an object it comes from its ETag.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, NamedTuple, Protocol, cast

from assetgraph.errors import NoValueError, StoreError
from assetgraph.storage.atomic_files import make_folder, store_error, write_whole
from assetgraph.storage.formats.digest import digest_of

OBJECT_STORES = ("s3://", "gs://", "gcs://")


class Look(NamedTuple):
    """The size of a file in bytes, and its stamp."""

    size: int
    stamp: int


class FileInfo(NamedTuple):
    """A file in a place. `size` is in bytes."""

    path: str
    size: int


class Place(Protocol):
    """A folder or bucket that holds value files. Each method raises `StoreError` if it cannot be
    reached."""

    @property
    def filesystem(self) -> Any:
        """The pyarrow filesystem that opens a full path. None if that is a local file."""

    def full_path(self, path: str) -> str: ...

    def write(self, path: str, data: bytes) -> None: ...

    def read(self, path: str) -> bytes:
        """Raises `NoValueError` if there is no such file."""

    def staged(self, path: str) -> Any:
        """A context manager that returns the full path to write to. The end of the context commits
        the file; an exception leaves nothing behind."""

    def open_write(self, full_path: str) -> IO[bytes]: ...

    def open_read(self, path: str) -> IO[bytes]:
        """Raises `NoValueError` if there is no such file."""

    def look(self, path: str) -> Look | None:
        """The size and stamp of a file, or None if there is no such file."""

    def files(self, folder: str = "") -> Iterator[FileInfo]:
        """Every file in the place, or in one of its folders, in no particular order."""

    def delete_folder(self, path: str) -> None:
        """Delete a folder with its files, if it exists."""


def place_at(root: str, project_root: str) -> Place:
    """The place that `root` names: a folder (relative to the project's), `s3://…` or `gs://…`.

    Raises `StoreError` for any other URL.
    """
    if root.startswith(OBJECT_STORES):
        return ObjectPlace(root)
    if "://" in root:
        raise StoreError(
            f"cannot keep values in {root!r}.",
            hint="Give a local folder, s3://bucket/prefix or gs://bucket/prefix.",
        )
    return LocalPlace(os.path.join(project_root, root))


class LocalPlace:
    """A local folder, which is made when the first value is written."""

    filesystem = None

    def __init__(self, root: str) -> None:
        self._root = os.path.abspath(root)

    def full_path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def write(self, path: str, data: bytes) -> None:
        write_whole(self._prepared(path), data)

    def read(self, path: str) -> bytes:
        with self._opened(path, buffering=0) as file:
            return file.read()

    @contextmanager
    def staged(self, path: str) -> Iterator[str]:
        full_path = self._prepared(path)
        temporary = f"{full_path}.{os.getpid()}.tmp"
        try:
            yield temporary
            os.rename(temporary, full_path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            with suppress(OSError):
                os.rmdir(os.path.dirname(full_path))
            raise

    def open_write(self, full_path: str) -> IO[bytes]:
        return open(full_path, "wb", buffering=1 << 20)

    def open_read(self, path: str) -> IO[bytes]:
        return self._opened(path)

    def _opened(self, path: str, *, buffering: int = -1) -> IO[bytes]:
        full_path = f"{self._root}/{path}"
        try:
            return cast("IO[bytes]", open(full_path, "rb", buffering))
        except FileNotFoundError as error:
            raise gone(full_path) from error
        except OSError as error:
            raise store_error(error, "read", full_path) from error

    def look(self, path: str) -> Look | None:
        try:
            info = os.stat(f"{self._root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise store_error(error, "look at", self.full_path(path)) from error
        return Look(info.st_size, info.st_mtime_ns + info.st_ctime_ns)

    def files(self, folder: str = "") -> Iterator[FileInfo]:
        for inside, _, names in os.walk(self.full_path(folder).rstrip("/")):
            for name in names:
                full_path = f"{inside}/{name}"
                with suppress(FileNotFoundError):
                    size = os.lstat(full_path).st_size
                    yield FileInfo(full_path[len(self._root) + 1 :], size)

    def delete_folder(self, path: str) -> None:
        import shutil

        full_path = self.full_path(path)
        try:
            shutil.rmtree(full_path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise store_error(error, "delete", full_path) from error

    def _prepared(self, path: str) -> str:
        full_path = self.full_path(path)
        folder = os.path.dirname(full_path)
        try:
            os.mkdir(folder)
        except OSError:
            make_folder(folder)
        return full_path


class ObjectPlace:
    """A prefix of a bucket. `AWS_ENDPOINT_URL` names the server if it is not Amazon's."""

    def __init__(self, url: str) -> None:
        from pyarrow.fs import FileSystem

        self._url = url.rstrip("/")
        with _translated("open", self._url):
            self.filesystem, self._root = FileSystem.from_uri(_with_endpoint(self._url))

    def full_path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def write(self, path: str, data: bytes) -> None:
        with (
            _translated("write", self._shown(path)),
            self.staged(path) as full_path,
            self.filesystem.open_output_stream(full_path) as file,
        ):
            file.write(data)

    def read(self, path: str) -> bytes:
        with self.open_read(path) as file, _translated("read", self._shown(path)):
            return file.read()

    @contextmanager
    def staged(self, path: str) -> Iterator[str]:
        full_path = self.full_path(path)
        try:
            yield full_path
        except BaseException:
            with suppress(OSError):
                self.filesystem.delete_dir(full_path.rpartition("/")[0])
            raise

    def open_write(self, full_path: str) -> IO[bytes]:
        return cast("IO[bytes]", self.filesystem.open_output_stream(full_path))

    def open_read(self, path: str) -> IO[bytes]:
        try:
            with _translated("read", self._shown(path)):
                return cast("IO[bytes]", self.filesystem.open_input_stream(self.full_path(path)))
        except FileNotFoundError as error:
            raise gone(self._shown(path)) from error

    def look(self, path: str) -> Look | None:
        try:
            with _translated("look at", self._shown(path)):
                file = self.filesystem.open_input_file(self.full_path(path))  # asks for the head
                size, facts = file.size(), file.metadata() or {}
        except FileNotFoundError:
            return None
        tags = [tag for name, tag in facts.items() if name.lower() == "etag"]
        return Look(size, int(digest_of("etag", b"".join(tags))[:15], 16))

    def files(self, folder: str = "") -> Iterator[FileInfo]:
        from pyarrow.fs import FileSelector

        selector = FileSelector(
            self.full_path(folder).rstrip("/"), recursive=True, allow_not_found=True
        )
        with _translated("list", self._url):
            found = self.filesystem.get_file_info(selector)
        for info in found:
            if info.is_file:
                yield FileInfo(info.path[len(self._root) + 1 :], info.size)

    def delete_folder(self, path: str) -> None:
        with _translated("delete", self._shown(path)), suppress(FileNotFoundError):
            self.filesystem.delete_dir(self.full_path(path))

    def _shown(self, path: str) -> str:
        return f"{self._url}/{path}"


def gone(path: str) -> NoValueError:
    return NoValueError(f"the value {path} is gone.", hint="Materialize its asset again.")


@contextmanager
def _translated(doing: str, path: str) -> Iterator[None]:
    """Turn an object store's errors into a `StoreError`. `FileNotFoundError` passes through."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise StoreError(
            f"cannot {doing} {path}: {error}",
            hint="Check the bucket's name, the region and the credentials.",
        ) from error


def _with_endpoint(url: str) -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint or not url.startswith("s3://") or "endpoint_override=" in url:
        return url
    from urllib.parse import quote, urlsplit

    parts = urlsplit(endpoint)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    separator = "&" if "?" in url else "?"
    return (
        f"{url}{separator}endpoint_override={quote(parts.netloc + parts.path.rstrip('/'), safe='')}"
        f"&scheme={parts.scheme}&region={quote(region)}"
    )
