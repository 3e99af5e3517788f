"""What a person writes. It is also the decorator `@definitions`: a name that Dagster gives to a
function, and that is a package here, so the package can be called.

    @definitions
    def defs():
        return load_from_defs_folder(project_root=Path(__file__).parent.parent)
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__module__ = __name__  # where the decorator is at home


class _Decorator(ModuleType):
    def __call__(self, function: Any) -> Any:
        from assetgraph.definitions.lazy_definitions import definitions

        return definitions(function)


if TYPE_CHECKING:
    from assetgraph.definitions.lazy_definitions import definitions as definitions
else:
    definitions = sys.modules[__name__]
    definitions.__class__ = _Decorator
