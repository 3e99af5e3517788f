"""Tells the recorder of a step what Python itself reports: opened files, listed folders, started
programs and connections.

The hook is added once, when a step is first observed, since Python cannot take one back. It must
cost next to nothing while no step runs, and must never raise.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable
from typing import Any

from assetgraph.process.reads.current import current_recorder
from assetgraph.process.reads.recorder import Recorder

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MOST_HOSTS = 100
_added = False


def add_hook() -> None:
    """Have Python report from now on."""
    global _added
    if not _added:
        _added = True
        sys.addaudithook(_hook)


def _heard(event: str, args: tuple[Any, ...]) -> None:
    recorder = current_recorder()
    if recorder is not None:
        try:
            _HANDLERS[event](recorder, args)
        except Exception:  # it would reach the step, in place of what it does
            return


def _open(recorder: Recorder, args: tuple[Any, ...]) -> None:
    path, mode, flags = args
    if type(path) is int:
        return
    if mode is None:
        writes = flags & _WRITING
        reads = writes and not flags & (os.O_WRONLY | os.O_TRUNC)
    else:
        writes = "r" not in mode or "+" in mode
        reads = writes and "r" in mode
    if writes:
        recorder.writes(path, reads=bool(reads))
    else:
        recorder.opened(path)


def _list(recorder: Recorder, args: tuple[Any, ...]) -> None:
    if type(args[0]) is int or _is_for_a_pattern():
        return
    recorder.lists(args[0])


def _is_for_a_pattern() -> bool:
    """Whether `glob` or `Path.glob` lists a folder: what its pattern matches counts then."""
    frame = sys._getframe(4)
    return frame.f_code.co_filename == glob.__file__ or (
        frame.f_code.co_name in _PATH_GLOB and os.path.basename(frame.f_code.co_filename) in _PATHS
    )


_PATHS = ("pathlib.py", "_local.py", "__init__.py", "_abc.py", "_os.py", "glob.py")
_PATH_GLOB = frozenset(
    {"_select_from", "_iterate_directories", "_scandir", "scandir", "select_wildcard"}
    | {"select_recursive", "select_recursive_step", "_select_recursive", "_select_children"}
)


def _glob(recorder: Recorder, args: tuple[Any, ...]) -> None:
    pattern, _recursive, folder = os.fsdecode(args[0]), args[1], args[2]
    recorder.matches(os.path.join(os.fsdecode(folder), pattern) if folder is not None else pattern)


def _path_glob(recorder: Recorder, args: tuple[Any, ...]) -> None:
    recorder.matches(os.path.join(glob.escape(str(args[0])), str(args[1])))


def _path_rglob(recorder: Recorder, args: tuple[Any, ...]) -> None:
    _path_glob(recorder, (args[0], f"**/{args[1]}"))


def _sqlite(recorder: Recorder, args: tuple[Any, ...]) -> None:
    name = os.fsdecode(args[0])
    if name.startswith("file:"):
        from urllib.parse import unquote, urlsplit

        parts = urlsplit(name)
        if "mode=memory" in parts.query:
            return
        name = unquote(parts.path)
    if name and not name.startswith(":memory:"):
        recorder.opened(name, by_program=True)


def _rename(recorder: Recorder, args: tuple[Any, ...]) -> None:
    recorder.removes(args[0])
    recorder.writes(args[1])


def _host(recorder: Recorder, args: tuple[Any, ...]) -> None:
    address = args[1]
    if isinstance(address, tuple) and len(recorder.used) < _MOST_HOSTS:
        recorder.uses("host", str(address[0]))


def _lookup(recorder: Recorder, args: tuple[Any, ...]) -> None:
    host = args[0]
    if host is not None and len(recorder.used) < _MOST_HOSTS:
        recorder.uses("host", os.fsdecode(host))


def _start(recorder: Recorder, args: Any, folder: Any = None) -> None:
    from assetgraph.process.reads.programs import started  # few steps start one

    started(recorder, args, folder)


_HANDLERS: dict[str, Callable[[Recorder, tuple[Any, ...]], None]] = {
    "open": _open,
    "os.listdir": _list,
    "os.scandir": _list,
    "glob.glob/2": _glob,
    "pathlib.Path.glob": _path_glob,
    "pathlib.Path.rglob": _path_rglob,
    "sqlite3.connect": _sqlite,
    "os.rename": _rename,
    "os.remove": lambda recorder, args: recorder.removes(args[0]),
    "os.rmdir": lambda recorder, args: recorder.removes(args[0]),
    "os.truncate": lambda recorder, args: recorder.writes(args[0]),
    "os.mkdir": lambda recorder, args: recorder.writes(args[0]),
    "os.link": lambda recorder, args: recorder.writes(args[1]),
    "os.symlink": lambda recorder, args: recorder.writes(args[1]),
    "socket.connect": _host,
    "socket.getaddrinfo": _lookup,
    "subprocess.Popen": lambda recorder, args: _start(recorder, args[1], args[2]),
    "os.posix_spawn": lambda recorder, args: _start(recorder, args[1]),
    "os.exec": lambda recorder, args: _start(recorder, args[1]),
    "os.system": lambda recorder, args: _start(recorder, args[0]),
}


# Python reports a dozen things for each that is watched, such as every `id()`: this is called for
# all of them, so it asks as little as it can.
def _hook(
    event: str, args: tuple[Any, ...], watched: frozenset[str] = frozenset(_HANDLERS)
) -> None:
    if event in watched:
        _heard(event, args)
