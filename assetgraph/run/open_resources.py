"""The resources that are open in this process, for each run: opened where a step first needs one,
closed when the run ends."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.env_var import env_vars_in, holds_env_var, with_env_vars_read
from assetgraph.definitions.resource_marks import is_configurable, is_defined, secret_fields
from assetgraph.errors import AssetGraphError, ConfigError, ResourceError
from assetgraph.graph.bound_resources import needed_resources
from assetgraph.graph.unset_variables import unset_text
from assetgraph.process.secrets import hide, masked, texts_in

if TYPE_CHECKING:
    from assetgraph.definitions.context import AssetExecutionContext
    from assetgraph.definitions.resources import ConfigurableResource
    from assetgraph.process.step_sink import StepSink
    from assetgraph.run.step_task import Channel, StepTask

_POLL_S = 0.2  # how often a step that waits for another to open a resource looks whether it does
_of_runs: dict[str, OpenResources] = {}
_ended: deque[str] = deque(maxlen=1000)
_lock = threading.Lock()


def opened(task: StepTask, name: str, sink: StepSink, channel: Channel) -> Any:
    """A resource of a step, opened unless it is open already. Raises `ResourceError` if it cannot
    be opened, and `ConfigError` for a variable that is not set."""
    with _lock:
        if task.run_id in _ended:
            raise ResourceError(f"the resource {name!r} is not opened: the run has ended.")
        found = _of_runs.get(task.run_id)
        if found is None:
            found = _of_runs[task.run_id] = OpenResources(task.run_id)
    return found.get(name, task.taken.resources, sink, channel, again=task.attempt > 1)


def open_resources(
    task: StepTask, sink: StepSink, channel: Channel, context: AssetExecutionContext | None
) -> tuple[StepTask, dict[str, Any]]:
    """The task with its IO managers opened, and the resources for its parameters."""
    computation, taken = task.computation, task.taken
    names = [name for name in needed_resources(computation) if name in taken.resources]
    found = {name: opened(task, name, sink, channel) for name in names}
    if context is not None:
        context.give_resources(found)
    if taken.managers:
        from assetgraph.run.io_managers import with_managers

        task = with_managers(task, {n: opened(task, n, sink, channel) for n in taken.managers})
    return task, {n: found[n] for n in computation.resource_parameters if n in found}


def close_resources(run_id: str) -> list[str]:
    """Close what the steps of a run have opened in this process, the last one first. Returns a
    sentence for each that could not be closed."""
    with _lock:
        _ended.append(run_id)
        found = _of_runs.pop(run_id, None)
    return found.close() if found is not None else []


def close_all() -> list[str]:
    """Close what is open in this process, of whatever run."""
    return [problem for run_id in tuple(_of_runs) for problem in close_resources(run_id)]


class OpenResources:
    """The resources of one run in this process."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._opened: dict[str, Any] = {}
        self._failed: dict[str, AssetGraphError] = {}
        self._open: list[tuple[str, AbstractContextManager[Any]]] = []  # in the order of opening
        self._turns: dict[str, _Turn] = {}
        self._lock = threading.Lock()
        self._closed = False

    def get(
        self,
        name: str,
        definitions: Mapping[str, Any],
        sink: StepSink,
        channel: Channel,
        *,
        again: bool,
    ) -> Any:
        """The resource `name` of `definitions`. One that could not be opened is tried `again` only
        by a step that is."""
        if name in self._opened:
            return self._opened[name]
        with self._lock:
            turn = self._turns.setdefault(name, _Turn())
        with turn.taken(name, channel):
            if name in self._opened:
                return self._opened[name]
            if name in self._failed and not again:
                failed = self._failed[name]
                raise type(failed)(failed.message, hint=failed.hint) from failed.__cause__
            opening = _Opening(self, definitions, sink, channel)
            try:
                found = opening.open(name, definitions[name])
            except AssetGraphError as error:
                self._failed[name] = error
                raise
            self._opened[name] = found
            return found

    def keep(self, name: str, block: AbstractContextManager[Any]) -> None:
        """Have what was just opened closed at the end: now, if the run has ended meanwhile."""
        with self._lock:
            self._open.append((name, block))
            late = self._closed
        if late:
            self.close()

    def log(self, sink: StepSink) -> logging.Logger:
        from assetgraph.process.logs import SinkHandler

        logger = logging.Logger("resources", logging.DEBUG)
        logger.addHandler(SinkHandler(sink))
        return logger

    @property
    def run_id(self) -> str:
        return self._run_id

    def close(self) -> list[str]:
        with self._lock:
            self._closed = True
            blocks, self._open = self._open, []
        problems = []
        for name, block in reversed(blocks):
            try:
                block.__exit__(None, None, None)
            except BaseException as error:
                what = masked(f"{type(error).__name__}: {error}".rstrip(": "))
                problems.append(f"the resource {name!r} could not be closed: {what}")
        return problems


class _Turn:
    """A lock on the opening of one resource. Whoever waits for it gives up if the step that has it
    was abandoned, since that step may never end."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._holder: Channel | None = None

    @contextmanager
    def taken(self, name: str, channel: Channel) -> Iterator[None]:
        while not self._lock.acquire(timeout=_POLL_S):
            holder = self._holder
            if holder is not None and not holder.wanted():
                raise ResourceError(
                    f"the resource {name!r} is not opened: another step has begun to, exceeded its "
                    "timeout, and has not ended yet."
                )
        self._holder = channel
        try:
            yield
        finally:
            self._lock.release()


class _Opening:
    """The opening of one resource, and of those in its fields, for a step."""

    def __init__(
        self,
        resources: OpenResources,
        definitions: Mapping[str, Any],
        sink: StepSink,
        channel: Channel,
    ) -> None:
        self._resources = resources
        self._definitions = definitions
        self._sink = sink
        self._channel = channel

    def open(self, name: str, definition: Any) -> Any:
        if is_configurable(definition):
            return self._opened(name, self._ready(name, definition))
        return definition.value() if is_defined(definition) else definition

    def _ready(self, name: str, definition: ConfigurableResource) -> ConfigurableResource:
        """A copy for this run: with the values of environment variables, and with the resources in
        its fields opened."""
        inner = {
            field: self._inner(f"{name}.{field}", value)
            for field, value in vars(definition).items()
            if field in type(definition).model_fields and is_configurable(value)
        }
        hide(secret_values(definition))
        return resolved(name, definition, inner)

    def _inner(self, path: str, value: Any) -> Any:
        for name, other in self._definitions.items():
            if other is value:  # a resource of the run, which others use too
                return self._resources.get(
                    name, self._definitions, self._sink, self._channel, again=True
                )
        return self.open(path, value)

    def _opened(self, name: str, ready: ConfigurableResource) -> Any:
        from assetgraph.definitions.resources import InitResourceContext

        context = InitResourceContext(self._resources.run_id, self._resources.log(self._sink))
        try:
            block = ready.yield_for_execution(context)
            found = block.__enter__()
        except Exception as error:
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            raise ResourceError(f"the resource {name!r} cannot be opened: {what}") from error
        self._resources.keep(name, block)
        return found


def resolved(
    name: str, definition: ConfigurableResource, inner: Mapping[str, Any] | None = None
) -> ConfigurableResource:
    """A copy of a resource with the values of its environment variables, and with other resources
    in its fields. Raises `ConfigError` for a variable that is not set or does not fit its field."""
    values = vars(definition)
    if missing := [f for f in type(definition).model_fields if f not in values]:
        raise _not_given(name, missing[0])
    from_env = [f for f in type(definition).model_fields if holds_env_var(values.get(f))]
    for field in from_env:
        for variable in env_vars_in(values[field]):
            if variable.get_value() is None:
                raise _unset(name, field, variable.env_var_name)
    if not from_env:
        return definition.model_copy(update=dict(inner or {}))
    from assetgraph.definitions.resources import given_fields

    fields = given_fields(definition)
    fields |= {field: with_env_vars_read(values[field]) for field in from_env}
    try:
        made = type(definition)(**fields)
    except ValueError as error:
        raise ConfigError(f"the resource {name!r}: {_what_is_wrong(error)}") from None
    made = made.model_copy(update=dict(inner or {}))
    made._from_env = frozenset(from_env)
    return made


def secret_values(definition: Any) -> list[str]:
    """The values of a resource that must stand nowhere: those of environment variables and of
    fields that are secret by their type, in its own fields and in what they hold."""
    from assetgraph.definitions.secret_parts import secret_parts

    found: list[str] = []
    secret = secret_fields(type(definition))
    for field in type(definition).model_fields:
        value = vars(definition).get(field)
        found += [str(v) for one in env_vars_in(value) if (v := one.get_value()) is not None]
        if is_configurable(value):
            found += secret_values(value)
        elif field in secret and not holds_env_var(value):
            found += texts_in(value)
        else:
            found += [text for part in secret_parts(value) for text in texts_in(part)]
    return found


def _not_given(name: str, field: str) -> ConfigError:
    place, *inner = name.split(".")
    given = f'{{"{field}": …}}'
    for part in reversed(inner):
        given = f'{{"{part}": {given}}}'
    return ConfigError(
        f"the resource {name!r} is configured at launch, and its field {field!r} is not given.",
        hint="Give it in the config of the run: "
        f'{{"resources": {{"{place}": {{"config": {given}}}}}}}',
    )


def _unset(name: str, field: str, variable: str) -> ConfigError:
    message, hint = unset_text(name, field, variable)
    return ConfigError(message, hint=hint)


def _what_is_wrong(error: ValueError) -> str:
    """What pydantic found, or only the type of what a class raises: its text may show a value."""
    from pydantic import ValidationError

    from assetgraph.definitions.config_errors import wrong_fields

    return wrong_fields(error) if isinstance(error, ValidationError) else type(error).__name__
