"""Every error that assetgraph raises on purpose.

    AssetGraphError                 exit code 2, except LockedError
    ├── InvalidDefinitionError      something that is defined, and wrong
    │   ├── InvalidKeyError         text that is not a valid asset key
    │   ├── DefinitionsError        all problems in a set of definitions
    │   ├── PartitionsError         a partitions definition, mapping or key that is wrong
    │   └── SelectionError          a selection that is invalid or matches nothing
    ├── InvariantError              something that is asked for, and cannot be there
    │   └── NoValueError            an asset without a value to load
    ├── ProjectError                no project found, a wrong setting, or a failed import
    ├── ObservationError            a function that observes an asset, and fails
    ├── ConfigError                 config that does not fit its asset
    ├── InvocationError             a call of an asset with the wrong arguments
    ├── ResourceError               a resource that cannot be opened, or is not there
    ├── MetadataError               metadata that cannot be recorded
    ├── ValueTypeError              a value that cannot be stored or passed to a parameter
    ├── OutputNotFoundError         a function of several assets that gave too few
    ├── StoreError                  a store that cannot be used
    │   ├── DamagedStoreError       a damaged file in the store
    │   └── StoreFormatError        a store written by a later version of assetgraph
    ├── UnknownRunError             a run id that matches no run, or several
    ├── CheckFailedError            a blocking check that failed
    ├── StepTimeoutError            a step that ran longer than its timeout
    ├── WorkerError                 a worker that died, or cannot run a step
    └── LockedError                 an asset locked by another run (exit code 3)

An exception in an asset's function is not among these: it fails the step, and the run records it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.text import place_text

if TYPE_CHECKING:
    from collections.abc import Sequence


class AssetGraphError(Exception):
    """Base class of every error that assetgraph raises on purpose.

    `message` says what is wrong. `hint` says what to do next, or is None. The text of the error is
    both. `exit_code` is the exit code of a command that ends with this error. All subclasses can be
    pickled.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def about(self, what: str) -> None:
        """Begin the message with the thing that it is about, which whoever raised it did not
        know."""
        self.message = f"{what}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[AssetGraphError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InvalidDefinitionError(AssetGraphError):
    """Something that a person defines is wrong."""


class InvariantError(AssetGraphError):
    """Something is asked for that cannot be there, such as the partition of a run without one."""


class InvalidKeyError(InvalidDefinitionError):
    """The text of an asset key breaks a rule of `AssetKey`."""


class Problem(NamedTuple):
    """One thing wrong with a set of definitions.

    `file` and `line`, counted from 1, are where it is; `key` is the text of the asset's key, or "".
    `message` says what is wrong, and `remedy` what to do about it. `is_unknown_upstream` is true
    if an upstream is missing, and `is_unknown_resource` if a resource is, which a module that was
    not loaded may define. Problems sort by file and line.
    """

    file: str
    line: int
    message: str
    remedy: str = ""
    key: str = ""
    is_unknown_upstream: bool = False
    is_unknown_resource: bool = False

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text} {self.remedy}" if self.remedy else text

    @property
    def place(self) -> str:
        """The file and line, such as `trips.py:12`, relative to the current folder if inside it."""
        return place_text(self.file, self.line)


class DefinitionsError(InvalidDefinitionError):
    """A set of definitions is wrong. `problems` are all of its problems, in a stable order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        listing = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{count} in the definitions:\n{listing}")
        self.problems = tuple(problems)


class ProjectError(AssetGraphError):
    """No project was found, one of its settings is wrong, or its modules cannot be imported.

    If imports failed, `traceback` is the text of their tracebacks, without assetgraph's own frames.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, traceback: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.traceback = traceback


class PartitionsError(InvalidDefinitionError, InvariantError):
    """A partitions definition, a mapping or the key of a partition is wrong."""


class ObservationError(AssetGraphError):
    """The function that observes an asset failed. `traceback` is the text of the person's part."""

    def __init__(
        self, message: str, *, hint: str | None = None, traceback: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.traceback = traceback


class SelectionError(InvalidDefinitionError):
    """A selection is invalid or matches nothing.

    `text` is the selection, and `column`, counted from 0, is where in it the problem starts. Both
    are None if no single place is wrong.
    """

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
    """Config has an unknown field or a wrong type, lacks a field, or its asset takes none."""


class InvocationError(AssetGraphError):
    """An asset is called as a function with arguments that are missing, too many or of no use."""


class ResourceError(AssetGraphError):
    """A resource cannot be opened, or a context does not have it."""


class MetadataError(AssetGraphError):
    """A value of metadata cannot be recorded."""


class ValueTypeError(AssetGraphError):
    """A value cannot be stored, or cannot become what a parameter's annotation asks for.

    `absent` is the path of the file that is missing, if that is why.
    """

    absent: str | None = None


class OutputNotFoundError(AssetGraphError):
    """The function of several assets gave no value for one that it must make."""


class StoreError(AssetGraphError):
    """A store cannot be used."""


class DamagedStoreError(StoreError):
    """A file in a store is damaged.

    `path` is the file. `line`, counted from 1, is the damaged line, or None if the file as a whole
    is damaged.
    """

    def __init__(
        self, message: str, *, path: str, line: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.line = line


class StoreFormatError(StoreError):
    """A store was written in a format that this version of assetgraph does not know."""


class UnknownRunError(AssetGraphError):
    """No run, or more than one, has an id that contains the given text."""


class NoValueError(InvariantError):
    """An asset has no value to load: never materialized, or its value is deleted or damaged."""


class CheckFailedError(AssetGraphError):
    """A blocking check of an asset failed, so that what reads the asset does not run."""


class StepTimeoutError(AssetGraphError):
    """A step ran longer than its asset's `timeout`."""


class WorkerError(AssetGraphError):
    """A worker process died during a step, or could not run it."""


class LockedError(AssetGraphError):
    """Another run has locked an asset.

    `key` is the text of the asset's key, and `holder` the id of that run, or "" if unknown.
    """

    exit_code = 3

    def __init__(self, message: str, *, key: str, holder: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.holder = holder


# What Dagster calls them. An `except` of one of these catches what is its case here.
DagsterAssetCheckFailedError = CheckFailedError
DagsterInvalidConfigError = ConfigError
DagsterInvalidDefinitionError = InvalidDefinitionError
DagsterInvalidInvocationError = InvocationError
DagsterInvalidMetadata = MetadataError
DagsterInvalidSubsetError = SelectionError
DagsterInvariantViolationError = InvariantError
DagsterStepOutputNotFoundError = OutputNotFoundError
DagsterTypeCheckDidNotPass = ValueTypeError
DagsterUnknownPartitionError = PartitionsError
