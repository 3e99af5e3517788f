"""Edits that change nothing that counts, one function each, under the rule of docs/versions.md that
they follow from."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator

from oracle.edits import Edit
from oracle.places import Files

Rewrite = Callable[[str], str]
NEUTRAL: dict[str, Callable[[Files], Files | None]] = {}


def neutral_edits(files: Files) -> Iterator[Edit]:
    """Every neutral edit that applies to the code of a project."""
    data = {name: text for name, text in files.items() if not name.endswith(".py")}
    code = {name: text for name, text in files.items() if name not in data}
    for name, change in NEUTRAL.items():
        edited = change(code)
        if edited is not None:
            edited = edited | data
        if edited is not None and (edited != files or name == "no edit"):
            yield Edit(name, edited, True)


def edit_of_files(change: Callable[[Files], Files | None]) -> Callable[[Files], Files | None]:
    """Register an edit of a project. Its docstring is its name."""
    assert change.__doc__ is not None
    NEUTRAL[change.__doc__] = change
    return change


def edit_of_text(change: Rewrite) -> Rewrite:
    """Register an edit of each file."""
    assert change.__doc__ is not None
    NEUTRAL[change.__doc__] = lambda files: {name: change(text) for name, text in files.items()}
    return change


def edit_of_tree(change: Callable[[ast.Module], None]) -> Callable[[ast.Module], None]:
    """Register an edit of the syntax tree of each file."""

    def rewritten(text: str) -> str:
        tree = ast.parse(text)
        change(tree)
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    assert change.__doc__ is not None
    NEUTRAL[change.__doc__] = lambda files: {name: rewritten(text) for name, text in files.items()}
    return change


@edit_of_files
def _nothing(files: Files) -> Files:
    """no edit"""
    return files


# Comments, docstrings, blank lines, formatting, type comments


@edit_of_text
def _comments(text: str) -> str:
    """comments"""
    lines = text.split("\n")
    for row in _ends_of_statements(text):
        lines[row - 1] += f"  # line {row}"
    return "\n".join(["# What this is about", *lines])


@edit_of_text
def _type_comments(text: str) -> str:
    """type comments"""
    lines = text.split("\n")
    for row in _ends_of_statements(text):
        if re.fullmatch(r"\s*\w+ = [^=].*", lines[row - 1]):
            lines[row - 1] += "  # type: object"
    return "\n".join(lines)


@edit_of_text
def _blank_lines(text: str) -> str:
    """blank lines"""
    lines = text.split("\n")
    for row in _ends_of_statements(text):
        lines[row - 1] += "\n\n"
    return "\n\n\n" + "\n".join(lines)


@edit_of_text
def _wide_layout(text: str) -> str:
    """formatting"""
    made = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind, said = token.type, token.string
        if kind == tokenize.STRING and re.fullmatch(r"'[\w .-]*'", said):
            said = f'"{said[1:-1]}"'
        if kind == tokenize.INDENT:
            said = said.replace("    ", "  ")
        made.append((kind, said))
    loose = tokenize.untokenize(made)
    return loose if _same_tree(loose, text) else text


@edit_of_tree
def _docstrings(tree: ast.Module) -> None:
    """docstrings"""
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS) and ast.get_docstring(node) is None:
            node.body.insert(0, ast.Expr(ast.Constant("Say what it does.")))


@edit_of_tree
def _passes(tree: ast.Module) -> None:
    """pass statements"""
    for node in ast.walk(tree):
        if isinstance(node, (*_FUNCTIONS, ast.If, ast.For, ast.With)):
            node.body.insert(0, ast.Pass())


# Annotations


@edit_of_tree
def _annotations_of_helpers(tree: ast.Module) -> None:
    """annotations of helpers"""
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS) and not node.decorator_list and node.returns is None:
            node.returns = ast.Constant("object")
            for argument in node.args.args:
                if argument.arg not in ("self", "cls"):
                    argument.annotation = argument.annotation or ast.Constant("object")


@edit_of_tree
def _annotations_of_variables(tree: ast.Module) -> None:
    """annotations of variables"""
    for node in (tree, *(n for n in ast.walk(tree) if isinstance(n, _FUNCTIONS))):
        shared = {n for inner in ast.walk(node) for n in _declared(inner)}
        for at, statement in enumerate(node.body):
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Name) and target.id not in shared:
                    node.body[at] = ast.AnnAssign(
                        target, ast.Constant("object"), statement.value, 1
                    )


@edit_of_tree
def _final(tree: ast.Module) -> None:
    """@final"""
    found = [n for n in tree.body if isinstance(n, ast.ClassDef) and not _is_a_base(n, tree)]
    for node in found:
        node.decorator_list.insert(0, ast.Name("final", ast.Load()))
    if found:
        tree.body[_after_future(tree) : 0] = ast.parse("from typing import final").body


# Definitions


@edit_of_tree
def _unused(tree: ast.Module) -> None:
    """unused function and constant"""
    tree.body += ast.parse("def not_called(x):\n    return x * 3\nNOT_READ = 3").body


@edit_of_tree
def _unused_import(tree: ast.Module) -> None:
    """unused import"""
    tree.body[_after_future(tree) : 0] = ast.parse("import base64, json as written_text").body


@edit_of_tree
def _main_block(tree: ast.Module) -> None:
    """main block"""
    tree.body += ast.parse("if __name__ == '__main__':\n    print('run')").body


@edit_of_tree
def _order_of_definitions(tree: ast.Module) -> None:
    """order of functions"""
    for start, end in _runs(tree.body, _is_plain_function):
        tree.body[start:end] = tree.body[start:end][::-1]


@edit_of_tree
def _order_of_methods(tree: ast.Module) -> None:
    """order of methods"""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for start, end in _runs(node.body, _is_plain_function):
                node.body[start:end] = node.body[start:end][::-1]


@edit_of_tree
def _order_of_imports(tree: ast.Module) -> None:
    """order of imports"""
    for start, end in _runs(tree.body, lambda node: isinstance(node, ast.Import)):
        tree.body[start:end] = tree.body[start:end][::-1]


@edit_of_tree
def _options(tree: ast.Module) -> None:
    """options of @asset"""
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            for at, decorator in enumerate(node.decorator_list):
                if ast.unparse(decorator) == "dg.asset":
                    said = (
                        "dg.asset(group_name='of_two', description='It is made.', owners=['a@b.c'])"
                    )
                    node.decorator_list[at] = ast.parse(said).body[0].value  # type: ignore[attr-defined]


@edit_of_tree
def _options_in_wrapper(tree: ast.Module) -> None:
    """options of asset in a wrapper"""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "dg.asset":
            for keyword in node.keywords:
                if keyword.arg == "group_name" and ast.unparse(keyword.value) == "'team'":
                    keyword.value = ast.Constant("of_another_team")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "team_asset":
            node.keywords[0].value = ast.Constant("It is theirs.")


@edit_of_files
def _renamed_function(files: Files) -> Files | None:
    """renamed function"""
    trees = {name: ast.parse(text) for name, text in files.items()}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    said = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    held = {n.arg for n in nodes if isinstance(n, ast.arg | ast.keyword)}
    held |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    modules = {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    read = [n for n in nodes if isinstance(n, ast.Attribute)]
    held |= {n.attr for n in read if ast.unparse(n.value).partition(".")[0] not in modules}
    titles = [n for n in read if n.attr == "__name__"]
    functions = [n for tree in trees.values() for n in tree.body if _is_plain_function(n)]
    for old in (n.name for n in functions):  # type: ignore[attr-defined]
        if old not in said | held and not titles and not old.startswith("__"):
            made = {name: _renamed(tree, old) for name, tree in trees.items()}
            return made if f"{old}_anew" not in said else None
    return None


def _renamed(tree: ast.Module, old: str) -> str:
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "asname"):
            if getattr(node, field, None) == old:
                setattr(node, field, f"{old}_anew")
    return ast.unparse(tree) + "\n"


@edit_of_files
def _renamed_module(files: Files) -> Files | None:
    """renamed module"""
    if "tools.py" not in files:
        return None
    found = {name: re.sub(r"\btools\b", "toolbox", text) for name, text in files.items()}
    return {name.replace("tools.py", "toolbox.py"): text for name, text in found.items()}


# What the rewrites share

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef, ast.Module)


def _ends_of_statements(text: str) -> list[int]:
    """The rows where a line may end in something more."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.start[0] for token in tokens if token.type == tokenize.NEWLINE]


def _same_tree(one: str, other: str) -> bool:
    return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))


def _declared(node: ast.AST) -> list[str]:
    return node.names if isinstance(node, ast.Global | ast.Nonlocal) else []


def _is_a_base(node: ast.ClassDef, tree: ast.Module) -> bool:
    bases = [b for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for b in n.bases]
    return any(ast.unparse(base) == node.name for base in bases)


def _after_future(tree: ast.Module) -> int:
    return sum(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body)


def _is_plain_function(node: ast.AST) -> bool:
    return isinstance(node, _FUNCTIONS) and not node.decorator_list


def _runs(body: list[ast.stmt], test: Callable[[ast.stmt], bool]) -> list[tuple[int, int]]:
    """Where statements that pass a test stand one after the other."""
    found, start = [], 0
    for at in range(len(body) + 1):
        if at == len(body) or not test(body[at]):
            if at - start > 1:
                found.append((start, at))
            start = at + 1
    return found
