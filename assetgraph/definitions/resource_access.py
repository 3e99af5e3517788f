"""`ResourceAccess`: the resources of a context, as attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assetgraph.errors import ResourceError
from assetgraph.text import did_you_mean


class ResourceAccess:
    """Resources as attributes. One that the asset does not name is an error that says how to."""

    def __init__(self, resources: Mapping[str, Any], owner: str) -> None:
        self._resources = resources
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._resources:
            example = f"@asset(required_resource_keys={{{name!r}}})"
            raise ResourceError(
                f"{self._owner!r} does not ask for the resource {name!r}.",
                hint=did_you_mean(name, self._resources)
                or f"Take it as a parameter, or name it in {example}.",
            )
        return self._resources[name]

    def __dir__(self) -> Iterator[str]:
        return iter(self._resources)

    def __repr__(self) -> str:
        return f"<resources: {', '.join(self._resources) or 'none'}>"
