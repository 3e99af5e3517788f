"""`DuckDBResource`: a DuckDB database as a resource. Needs the extra `assetgraph[duckdb]`."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from assetgraph.definitions.env_var import with_env_vars_read
from assetgraph.definitions.resources import ConfigurableResource, InitResourceContext
from assetgraph.errors import AssetGraphError, ResourceError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_POLL_S = 0.02
_SAID_AFTER_S = 1.0
_ELSEWHERE = ("", ":memory:", "md:", "motherduck:")  # no file of this machine
_log = logging.getLogger("assetgraph.duckdb")


class DuckDBResource(ConfigurableResource):
    """A DuckDB database, in a file or in memory.

        @asset
        def trips(database: DuckDBResource) -> None:
            with database.get_connection() as connection:
                connection.execute("create or replace table trips as from 'trips.parquet'")

        resources = {"database": DuckDBResource(database="data/trips.duckdb")}

    DuckDB lets only one process at a time open a file. Here, steps and other processes that use a
    `DuckDBResource` wait for each other, by a lock on a file beside the database. The connections
    of one process share the database. `connection_config` has settings of DuckDB.
    """

    database: str
    connection_config: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    unversioned: ClassVar[tuple[str, ...]] = ("database", "connection_config")

    def setup_for_execution(self, context: InitResourceContext) -> None:  # noqa: ARG002
        """Check that DuckDB is installed: each connection opens by itself."""
        _duckdb()

    @contextmanager
    def get_connection(self) -> Iterator[DuckDBPyConnection]:
        """A connection, which closes at the end of the block. It waits while another process has
        the file open. It may be used outside a run.

        Raises `ResourceError` if the folder of the file does not exist.
        """
        duckdb = _duckdb()
        path = with_env_vars_read(self.database)
        if path is None:
            raise ResourceError(f"the environment variable of {self.database!r} is not set.")
        config = with_env_vars_read(self.connection_config)
        with _open_file(path):
            connection = duckdb.connect(path, config=config)
            try:
                yield connection
            finally:
                connection.close()


class _File:
    """A database file that this process has locked, for as many connections as are open."""

    def __init__(self) -> None:
        self.mutex = threading.Lock()
        self.connections = 0
        self.fd = -1


_files: dict[str, _File] = {}
_mutex = threading.Lock()


@contextmanager
def _open_file(database: str) -> Iterator[None]:
    """Hold the lock of a database file. Nothing to hold where the database is no file."""
    if database in _ELSEWHERE or database.startswith(_ELSEWHERE[2:]):
        yield
        return
    path = os.path.realpath(database)
    with _mutex:
        file = _files.setdefault(path, _File())
    with file.mutex:
        if file.connections == 0:
            file.fd = _locked(path)
        file.connections += 1
    try:
        yield
    finally:
        with file.mutex:
            file.connections -= 1
            if file.connections == 0:
                os.close(file.fd)


def _locked(path: str) -> int:
    """A descriptor that holds the lock beside a database, once no other process has it."""
    try:
        fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except FileNotFoundError:
        raise ResourceError(
            f"the folder {os.path.dirname(path)} of the database does not exist.",
            hint="Make it, or give another path.",
        ) from None
    since, said = time.monotonic(), False
    try:
        while not _try_to_lock(fd):
            if not said and time.monotonic() - since > _SAID_AFTER_S:
                said = True
                _log.info("waiting until another process closes %s", os.path.basename(path))
            time.sleep(_POLL_S)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _try_to_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
            raise
        return False
    return True


def _forget_in_child() -> None:
    """A forked child has no connections. Its parent keeps the locks."""
    global _mutex
    _mutex = threading.Lock()
    for file in _files.values():
        if file.connections:
            os.close(file.fd)
    _files.clear()


os.register_at_fork(after_in_child=_forget_in_child)


def _duckdb() -> Any:
    """The package `duckdb`, imported only when it is used. Raises `AssetGraphError`."""
    try:
        return import_module("duckdb")
    except ImportError:
        raise AssetGraphError(
            "DuckDBResource needs the package duckdb.",
            hint="Install it with: pip install 'assetgraph[duckdb]'",
        ) from None
