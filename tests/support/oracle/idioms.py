r"""The idioms, read from `idioms/*.txt`: a new one is a new block there.

## title                        starts a block; `needs NAME` after it names a library
import math                     its code, imports first
def area(r): return math.pi * r
>> area(2)                      an expression that uses it
- old text => new text          an edit of the code, beside those that are generated
~ old text => new text          one that must not make anything stale
? sentence                      a limit, in the words of docs/versions.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent / "idioms"


@dataclass
class Idiom:
    """Some code and an expression that uses it."""

    title: str
    needs: tuple[str, ...] = ()
    code: list[str] = field(default_factory=list)
    use: str = ""
    edits: list[tuple[str, str]] = field(default_factory=list)
    neutral: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, str] = field(default_factory=dict)
    data_edits: list[tuple[str, str, bool]] = field(default_factory=list)
    limit: str = ""

    @cached_property
    def statements(self) -> list[ast.stmt]:
        return ast.parse("\n".join(self.code)).body

    @cached_property
    def imports(self) -> str:
        """The imports at the top of the code, which any file that uses a name of theirs repeats."""
        return ast.unparse(ast.Module([s for s in self.statements if _is_import(s)], []))

    @cached_property
    def body(self) -> str:
        return ast.unparse(ast.Module([s for s in self.statements if not _is_import(s)], []))

    @cached_property
    def used(self) -> tuple[str, ...]:
        """The names of the code that `use` names, in alphabetical order."""
        bound = _bound(s for s in self.statements if not _is_import(s))
        return tuple(sorted(bound & _named(self.use)))

    @cached_property
    def used_imports(self) -> str:
        """The imports whose names `use` names."""
        chosen = [s for s in self.statements if _is_import(s) and _bound([s]) & _named(self.use)]
        return ast.unparse(ast.Module(chosen, []))

    @property
    def available(self) -> bool:
        return all(find_spec(name) is not None for name in self.needs)


def read_idioms() -> list[Idiom]:
    """Every idiom whose libraries are installed."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(HERE.glob("*.txt"))]
    blocks = [block for text in texts for block in ("\n" + text).split("\n## ")[1:]]
    idioms = [_read(block) for block in blocks]
    titles = [idiom.title for idiom in idioms]
    assert len(set(titles)) == len(titles), "two idioms have the same title"
    idle = [idiom.title for idiom in idioms if not idiom.used]
    assert not idle, f"no name of the code is used in {idle}"
    return [idiom for idiom in idioms if idiom.available]


def libraries_of(idioms: Iterable[Idiom]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for idiom in idioms for name in idiom.needs))


def _read(block: str) -> Idiom:
    first, *lines = block.split("\n")
    title, _, needs = first.partition(" needs ")
    idiom = Idiom(title, tuple(needs.split()))
    for line in lines:
        old, _, new = line[2:].partition(" => ")
        if line.startswith(">> "):
            idiom.use = line[3:]
        elif line.startswith(("= ", "! ", "!~ ")):
            mark, _, rest = line.partition(" ")
            name, _, content = rest.partition(":")
            content = content.strip().replace("\\n", "\n")
            if mark == "=":
                idiom.data[name] = content
            else:
                idiom.data_edits.append((name, content, mark == "!~"))
        elif line.startswith("? "):
            idiom.limit = line[2:]
        elif line.startswith("- "):
            idiom.edits.append((old, new))
        elif line.startswith("~ "):
            idiom.neutral.append((old, new))
        else:
            idiom.code.append(line)
    return idiom


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _bound(statements: Iterable[ast.stmt]) -> set[str]:
    """The names that statements of a module bind."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).partition(".")[0] for a in statement.names}
        else:
            inner = list(ast.walk(statement))
            names |= {
                n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            names |= {n.name for n in inner if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return names


def _named(expression: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
