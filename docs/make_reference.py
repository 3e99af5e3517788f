"""The reference pages, made from the code: docstrings, signatures, commands and addresses.

    python docs/make_reference.py            write them into docs/reference
    python docs/make_reference.py --check    fail if they are not what the code says

It needs the extra ui, for the addresses of the page.
"""

from __future__ import annotations

import enum
import inspect
import os
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import msgspec

import assetgraph

FOLDER = Path(__file__).parent / "reference"
# The first part of the module that a public name is from, and the heading that it is under.
SECTIONS = {
    "definitions": "Define assets",
    "graph": "Define assets",
    "keys": "Define assets",
    "definitions.config": "Config",
    "definitions.partitions": "Partitions",
    "definitions.backfill_policy": "Partitions",
    "definitions.checks": "Checks",
    "definitions.resources": "Resources",
    "definitions.automation": "Automation",
    "graph.automation": "Automation",
    "api": "Run assets",
    "instance": "Run assets",
    "project": "Load a project",
    "errors": "Errors",
}
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_WIDE = 88


def main() -> None:
    """Write the pages, or compare them with what is there."""
    FOLDER.mkdir(exist_ok=True)
    differing = []
    for name, text in pages().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        differing.append(name)
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    if differing and "--check" in sys.argv:
        sys.exit(f"{', '.join(differing)}: write them anew with python docs/make_reference.py")


def pages() -> dict[str, str]:
    """The text of each page, by its name."""
    os.environ["COLUMNS"] = "80"
    made = {"python.md": python_page, "commands.md": command_page, "addresses.md": address_page}
    return {name: "\n".join(make()).rstrip() + "\n" for name, make in made.items()}


# ---- the Python API ------------------------------------------------------------------------------


def python_page() -> Iterator[str]:
    yield from _head("Python", "Every name of `import assetgraph as dg`, from the code itself.")
    by_section: dict[str, list[str]] = {}
    for name in assetgraph.__all__:
        if name != "__version__":
            by_section.setdefault(section_of(name), []).append(name)
    for section in dict.fromkeys([*SECTIONS.values(), *by_section]):
        if section in by_section:
            yield from (f"## {section}", "")
            for name in by_section[section]:
                yield from public_name(name, getattr(assetgraph, name))


def section_of(name: str) -> str:
    """The heading that a public name is under: that of the longest known part of its module."""
    module = assetgraph._HOME[name]
    parts = module.split(".")
    known = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((SECTIONS[one] for one in known if one in SECTIONS), "Further names")


def public_name(name: str, found: Any) -> Iterator[str]:
    yield from (f"### `{name}`", "")
    if getattr(found, "__name__", name) != name and isinstance(found, type):
        yield from (f"Another name of `{found.__name__}`.", "")
        return
    if not isinstance(found, type):
        yield from signature(name, found)
        yield from doc(found)
        return
    if issubclass(found, enum.Enum):
        yield from doc(found)
        yield from (*(f"- `{name}.{one.name}`" for one in found), "")
        return
    if not issubclass(found, BaseException) and not name.endswith("Context"):
        yield from signature(name, found)
    yield from doc(found)
    for member, value in members(found):
        yield from (f"#### `{name}.{member}`", "")
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if inspect.isfunction(function):
            yield from signature(member, function, bound=not isinstance(value, staticmethod))
        yield from doc(function)


def members(found: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties with a docstring, also those of base classes of ours."""
    seen = set()
    for base in found.__mro__:
        if base.__module__.partition(".")[0] != "assetgraph":
            continue
        for member, value in vars(base).items():
            if member.startswith("_") or member in seen:
                continue
            seen.add(member)
            function = getattr(value, "__func__", value)
            kinds = (property, cached_property)
            if (inspect.isfunction(function) or isinstance(value, kinds)) and function.__doc__:
                yield member, value


def signature(name: str, found: Any, *, bound: bool = False) -> Iterator[str]:
    """How to call it, one parameter a line where one line is too long."""
    if isinstance(found, type) and issubclass(found, msgspec.Struct):
        described = _struct_signature(found)
    else:
        try:
            described = inspect.signature(found)
        except ValueError:  # of C code, say
            return
    parameters = [
        one.replace(annotation=_shown(one.annotation))
        for one in list(described.parameters.values())[int(bound) :]
    ]
    returns = described.empty if isinstance(found, type) else _shown(described.return_annotation)
    shown = described.replace(parameters=parameters, return_annotation=returns)
    text = _ADDRESS.sub("", name + str(shown)).replace("typing.", "")
    if len(text) > _WIDE:
        lines = list(_one_a_line(parameters))
        end = (
            ""
            if shown.return_annotation is shown.empty
            else f" -> {inspect.formatannotation(returns)}"
        )
        text = "\n".join([f"{name}(", *lines, f"){end}"])
    yield from ("```python", text, "```", "")


def _struct_signature(found: type[msgspec.Struct]) -> inspect.Signature:
    """The signature of a record, whose annotations stay the text that they are."""
    texts: dict[str, Any] = {}
    for base in reversed(found.__mro__):
        texts |= vars(base).get("__annotations__", {})
    names, defaults = found.__struct_fields__, found.__struct_defaults__
    given = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    kinds = inspect.Parameter
    parameters = [
        inspect.Parameter(
            name,
            kinds.POSITIONAL_OR_KEYWORD if name in found.__match_args__ else kinds.KEYWORD_ONLY,
            default=_default(given.get(name, msgspec.NODEFAULT)),
            annotation=texts[name],
        )
        for name in names
    ]
    return inspect.Signature(parameters, __validate_parameters__=False)


def _default(value: Any) -> Any:
    if value is msgspec.NODEFAULT:
        return inspect.Parameter.empty
    return value.factory() if hasattr(value, "factory") else value


def _one_a_line(parameters: list[inspect.Parameter]) -> Iterator[str]:
    keyword_only = False
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL:
            keyword_only = True
        elif one.kind is one.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            yield "    *,"
        yield f"    {_ADDRESS.sub('', str(one))},".replace("typing.", "")


class _Text(str):
    """An annotation that was written as text, shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _shown(annotation: Any) -> Any:
    return _Text(annotation) if isinstance(annotation, str) else annotation


def doc(found: Any) -> Iterator[str]:
    """The docstring. Its examples are indented, as Markdown has code."""
    text = inspect.cleandoc(getattr(found, "__doc__", None) or "")
    yield from (_fenced(text), "")


def _fenced(text: str) -> str:
    """The text with indented examples as fenced blocks of Python."""
    lines: list[str] = []
    example: list[str] = []
    for line in [*text.splitlines(), "end"]:
        if line.startswith("    ") or (example and not line):
            example.append(line)
            continue
        if example:
            code = inspect.cleandoc("\n" + "\n".join(example))
            lines += ["```python", code, "```", ""]
            example = []
        lines.append(line)
    return "\n".join(lines[:-1]).rstrip()


# ---- commands ------------------------------------------------------------------------------------


def command_page() -> Iterator[str]:
    from assetgraph.cli.app import assetgraph as cli

    yield from _head("Commands", "What `assetgraph COMMAND --help` says, of every command.")
    yield from group(cli, click.Context(cli, info_name="assetgraph", **cli.context_settings))


def group(found: click.Group, ctx: click.Context) -> Iterator[str]:
    for name in found.list_commands(ctx):
        command = found.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, parent=ctx, info_name=name)
        yield from (f"## `{inner.command_path}`", "")
        yield from one_command(command, inner)
        if isinstance(command, click.Group):
            yield from group(command, inner)


def one_command(command: click.Command, ctx: click.Context) -> Iterator[str]:
    usage = " ".join(command.get_usage(ctx).removeprefix("Usage: ").split())
    yield from ("```text", usage, "```", "", _help(command.help or ""), "")
    options = [
        one
        for one in command.get_params(ctx)
        if isinstance(one, click.Option) and not one.hidden and "--help" not in one.opts
    ]
    if options:
        yield from ("| option | what it does |", "|---|---|")
        for option in options:
            record = option.get_help_record(ctx)
            if record is not None:
                written, text = (" ".join(part.split()).replace("|", "\\|") for part in record)
                yield f"| `{written}` | {text} |"
        yield ""


def _help(text: str) -> str:
    """The help of a command: its paragraphs, and its examples as a block."""
    parts = []
    for part in inspect.cleandoc(text).split("\n\n"):
        if part.startswith("\b"):
            head, *lines = part.removeprefix("\b").strip("\n").splitlines()
            examples = [line.strip() for line in lines]
            block = ["```sh", *examples, "```"] if examples else []
            parts.append("\n".join([head, "", *block] if block else [head]))
        else:
            parts.append(" ".join(part.split()))
    return "\n\n".join(parts)


# ---- addresses of the page -----------------------------------------------------------------------


def address_page() -> Iterator[str]:
    from assetgraph.web.http.routes import api_routes

    about = (
        "The addresses that `assetgraph dev` answers with JSON. [The page](../page.md) says more."
    )
    yield from _head("Addresses of the page", about)
    for route in api_routes():
        method = "POST" if "POST" in (route.methods or ()) else "GET"
        path = re.sub(r"\{(\w+)(:path)?\}", lambda found: found[1].upper(), route.path)
        yield from (f"## `{method} {path}`", "")
        yield from doc(route.endpoint)
        if route.names:
            yield from ("Parameters: " + ", ".join(f"`{name}`" for name in route.names) + ".", "")


def _head(title: str, about: str) -> Iterator[str]:
    yield from (f"# {title}", "", about, "", "<!-- Made by docs/make_reference.py. -->", "")


if __name__ == "__main__":
    main()
