"""Imports msgspec without `typing_extensions`, which it prefers where that is installed: 30 ms for
names that the typing of Python 3.11 has too."""

from __future__ import annotations

import sys
from importlib import import_module

if "typing_extensions" not in sys.modules:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import_module("msgspec")
    finally:
        del sys.modules["typing_extensions"]
