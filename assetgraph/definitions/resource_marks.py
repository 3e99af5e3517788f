"""The marks of `ResourceParam` and `Secret`, which are found without importing pydantic."""

from __future__ import annotations

import sys
from typing import Annotated, Any, get_args, get_origin


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


def is_marked(annotation: Any, mark: Mark) -> bool:
    """Whether a type, or any type in its brackets, has the mark."""
    if get_origin(annotation) is Annotated and mark in annotation.__metadata__:
        return True
    return any(is_marked(one, mark) for one in get_args(annotation))


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
