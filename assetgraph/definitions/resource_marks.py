"""The marks of `ResourceParam` and `Secret`, which are found without importing pydantic."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Set
from typing import Annotated, Any, get_args, get_origin

from assetgraph.process.secrets import HIDDEN


class Mark:
    """What stands in an `Annotated` type to say something of the value."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name


RESOURCE = Mark("RESOURCE")
SECRET = Mark("SECRET")


def secret_fields(kind: Any) -> frozenset[str]:
    """The fields of a pydantic model whose values are secret by their type."""
    return frozenset(
        name
        for name, field in kind.model_fields.items()
        if SECRET in field.metadata or is_secret_type(field.annotation)
    )


def is_secret_type(annotation: Any) -> bool:
    """Whether a type is `Secret[…]` or one of pydantic's, or has one in its brackets."""
    if getattr(annotation, "__module__", "") == "pydantic.types":
        return getattr(annotation, "__name__", "") in ("SecretStr", "SecretBytes")
    if get_origin(annotation) is Annotated and SECRET in annotation.__metadata__:
        return True
    return any(map(is_secret_type, get_args(annotation)))


def hidden_secrets(
    kind: Any, shown: Iterable[tuple[str | None, Any]], also: Set[str] = frozenset()
) -> Iterator[tuple[str | None, Any]]:
    """What the `repr` of a model shows, with `***` in the place of secret values. `also` are other
    fields that are secret."""
    from assetgraph.definitions.env_var import holds_env_var

    secret = secret_fields(kind) | also
    for name, value in shown:
        is_shown = value is None or name not in secret or holds_env_var(value)
        yield name, value if is_shown else _Hidden()


class _Hidden:
    def __repr__(self) -> str:
        return HIDDEN


def is_resource_type(annotation: Any) -> bool:
    """Whether a parameter with this annotation takes a resource."""
    if isinstance(annotation, type):
        return _is_subclass(annotation, "ConfigurableResource")
    return get_origin(annotation) is Annotated and RESOURCE in annotation.__metadata__


def is_configurable(value: object) -> bool:
    """Whether a resource is a `ConfigurableResource`. A mock only says that it is one."""
    return _is_subclass(type(value), "ConfigurableResource")


def is_defined(value: object) -> bool:
    """Whether a resource is made for each run from what stands for it."""
    return is_configurable(value) or _is_subclass(type(value), "ResourceDefinition")


def _is_subclass(kind: type, name: str) -> bool:
    module = sys.modules.get("assetgraph.definitions.resources")  # nothing imports it without need
    return module is not None and issubclass(kind, getattr(module, name))
