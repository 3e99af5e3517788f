"""The resources of a project as views show them: without a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.config_fields import fields_of, has_fields, is_secret
from assetgraph.definitions.env_var import ENV_VARS, holds_env_var
from assetgraph.definitions.resource_marks import is_configurable
from assetgraph.graph.bound_resources import needed_resources
from assetgraph.process.secrets import HIDDEN, masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assetgraph.definitions.computation import AssetSpec, Computation
    from assetgraph.graph.asset_graph import AssetGraph

_LONGEST = 200  # characters of a field's value
_PLAIN = (str, bytes, int, float, complex, bool, type(None))


class ResourceView(msgspec.Struct, frozen=True):
    """A resource: its name, the name of its class, and the text of each field. An environment
    variable is shown by its name, and a secret as `***`. `used_by` are the assets that take it."""

    name: str
    type: str
    fields: Mapping[str, str] = {}
    used_by: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        fields = ", ".join(f"{name}={value}" for name, value in self.fields.items())
        return f"{self.name}: {self.type}({fields})" if fields else f"{self.name}: {self.type}"


def resource_views(graph: AssetGraph) -> tuple[ResourceView, ...]:
    """Every resource, by name, with the assets that take it."""
    users: dict[str, list[str]] = {name: [] for name in graph.resources}
    for computation in graph.computations.values() if users else ():
        for spec in computation.specs:
            for name in _taken(graph, computation, spec):
                users[name].append(spec.key.text)
    return tuple([_view(graph, name, sorted(users[name])) for name in sorted(users)])


def resources_of(
    graph: AssetGraph, computation: Computation, spec: AssetSpec
) -> tuple[ResourceView, ...]:
    """The resources that an asset takes."""
    taken = _taken(graph, computation, spec)
    return tuple([view for view in resource_views(graph) if view.name in taken] if taken else ())


def _taken(graph: AssetGraph, computation: Computation, spec: AssetSpec) -> list[str]:
    names = dict.fromkeys((*needed_resources(computation), spec.io_manager_key))
    return [name for name in names if name is not None and name in graph.resources]


def _view(graph: AssetGraph, name: str, used_by: list[str]) -> ResourceView:
    resource = graph.resources[name]
    fields = dict(_fields(resource)) if is_configurable(resource) else {}
    return ResourceView(name, type(resource).__qualname__, fields, tuple(used_by))


def _fields(holder: Any) -> Iterator[tuple[str, str]]:
    """The text of each field of a model or a dataclass."""
    kind: Any = type(holder)
    for name, field in fields_of(kind).items():
        if not hasattr(holder, name):
            continue  # a run gives it
        value = getattr(holder, name)
        hidden = is_secret(field) and value is not None and not holds_env_var(value)
        yield name, HIDDEN if hidden else _cut(masked(_text(value)))


def _text(value: Any) -> str:
    """A value as a person writes it. What is no plain data is shown by its class alone, since its
    `repr` may hold anything."""
    kind = type(value)
    if kind in ENV_VARS or kind in _PLAIN:
        return repr(value)
    if has_fields(kind):
        return f"{kind.__name__}({', '.join(f'{n}={t}' for n, t in _fields(value))})"
    if kind is dict:
        return f"{{{', '.join(f'{_text(n)}: {_text(v)}' for n, v in value.items())}}}"
    if kind in (list, tuple, set, frozenset):
        return f"[{', '.join(map(_text, value))}]"
    return f"<{kind.__qualname__}>"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]} …"
