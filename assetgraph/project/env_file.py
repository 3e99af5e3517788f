"""The file `.env` of a project: variables for its runs, which those of the environment replace."""

from __future__ import annotations

import os
import re
from pathlib import Path

from assetgraph.errors import ProjectError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read_env_file(root: Path, noted_in: str) -> None:
    """Set the variables of `.env` in the folder `root` that the environment does not have.

    One that was set from the file before, here or in the process that started this one, is set
    again: the variable `noted_in` has their names. Raises `ProjectError` for a line that is no
    variable.
    """
    path = root / ".env"
    before = set(filter(None, os.environ.get(noted_in, "").split(",")))
    if not before and not os.path.isfile(path):
        return
    found = _variables(path)
    for name in before - found.keys():
        os.environ.pop(name, None)
    own = {name: value for name, value in found.items() if name in before or name not in os.environ}
    os.environ.update(own)
    os.environ[noted_in] = ",".join(own)


def _variables(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} cannot be read: {error}.") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        matched = _LINE.fullmatch(stripped)
        value = _value(matched[2]) if matched else None
        if matched is None or value is None:  # the line is not shown: it may hold a secret
            raise ProjectError(
                f"{path}:{number} is no variable.", hint="Write each as NAME=value, in one line."
            )
        found[matched[1]] = value
    return found


def _value(text: str) -> str | None:
    """The value that is written as `text`; None if its quotes do not end."""
    quote = text[:1]
    if quote not in ("'", '"'):
        return re.split(r"\s+#", f" {text}", maxsplit=1)[0].strip() if text else ""
    inner = r"(?:[^\"\\]|\\.)*" if quote == '"' else r"[^']*"
    matched = re.fullmatch(rf"{quote}({inner}){quote}\s*(?:#.*)?", text)
    if matched is None:
        return None
    if quote == "'":
        return matched[1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), matched[1])
