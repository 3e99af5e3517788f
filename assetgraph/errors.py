"""Every error that assetgraph raises on purpose.

    AssetGraphError                 exit code 2 unless noted
    ├── InvalidKeyError             a key that cannot be an asset's name
    ├── DefinitionsError            everything wrong with a set of definitions, at once
    ├── ProjectError                no project here, or a module that does not import
    ├── SelectionError              a selection that cannot be read, or matches nothing
    ├── ConfigError                 config that its asset does not take
    ├── MetadataError               metadata that cannot be recorded
    ├── ValueTypeError              a returned value, or an annotation, that cannot be kept to
    ├── StoreError                  a store that cannot be used
    │   ├── DamagedStoreError       a file of the store that does not read
    │   └── StoreFormatError        a store written by a later assetgraph
    ├── UnknownRunError             no run has that id, or several do
    ├── NoValueError                an asset has no value to load
    ├── StepTimeoutError            a step ran longer than its timeout
    ├── WorkerError                 the process that ran a step is gone, or cannot run it
    └── LockedError                 another run holds it (exit code 3)

A step that fails is not an error of assetgraph: it is an event in the run's record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.text import place_text

if TYPE_CHECKING:
    from collections.abc import Sequence


class AssetGraphError(Exception):
    """Base of every error here: what is wrong, and `hint`, what to do or type next."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[AssetGraphError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InvalidKeyError(AssetGraphError):
    pass


class Problem(NamedTuple):
    """One thing wrong with a set of definitions.

    `file` and `line` (counted from 1) say where, `message` says what, `remedy` what to do about it.
    `key` is the text of the asset's key, or "". `is_unknown_upstream` is true if the upstream may
    be defined in a module that was not loaded. Problems sort by file, then line.
    """

    file: str
    line: int
    message: str
    remedy: str = ""
    key: str = ""
    is_unknown_upstream: bool = False

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text} {self.remedy}" if self.remedy else text

    @property
    def place(self) -> str:
        """The file and line, such as `trips.py:12`; relative to the current folder if inside it."""
        return place_text(self.file, self.line)


class DefinitionsError(AssetGraphError):
    """All `problems` of a set of definitions, in a stable order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        listing = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{count} in the definitions:\n{listing}")
        self.problems = tuple(problems)


class ProjectError(AssetGraphError):
    """`traceback` is the user's own part of the trace, when their module failed to import."""

    def __init__(
        self, message: str, *, hint: str | None = None, traceback: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.traceback = traceback


class SelectionError(AssetGraphError):
    """`column` is where in `text` the trouble starts, counted from 0."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        text: str | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.column = column


class ConfigError(AssetGraphError):
    pass


class MetadataError(AssetGraphError):
    pass


class ValueTypeError(AssetGraphError):
    pass


class StoreError(AssetGraphError):
    pass


class DamagedStoreError(StoreError):
    """`path` (and `line`, counted from 1, where it has lines) is what does not read."""

    def __init__(
        self, message: str, *, path: str, line: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.line = line


class StoreFormatError(StoreError):
    pass


class UnknownRunError(AssetGraphError):
    pass


class NoValueError(AssetGraphError):
    pass


class StepTimeoutError(AssetGraphError):
    pass


class WorkerError(AssetGraphError):
    pass


class LockedError(AssetGraphError):
    """Another run holds `key`; `holder` is its id, or "" where that is not known."""

    exit_code = 3

    def __init__(self, message: str, *, key: str, holder: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.holder = holder
