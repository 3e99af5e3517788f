"""Messages about mistakes: each names the place, and says what to type or write next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import Answer, ProjectFolder

from assetgraph import Instance, asset, materialize
from assetgraph.cli.app import assetgraph as cli
from assetgraph.errors import DefinitionsError, ValueTypeError
from assetgraph.project.data_text import DataError, decode

MakeProject = Callable[..., ProjectFolder]
Run = Callable[..., Answer]

CONFIGURED = """
from assetgraph import Config, asset
class C(Config):
    n: int = 1
@asset
def a(config: C): return config.n
"""


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("cut.json", b'{"a": {"n": 3,\n', 2),
        ("quotes.json", b"{\n'a': 1}", 2),
        ("bytes.json", b'{"a":\n "\xff"}', 2),
        ("more.json", b'{"a": {"n": 1}}\nx', 2),
        ("empty.json", b"", 1),
        ("deep.json", b"[" * 5000, None),
        ("cut.yaml", b"a:\n  n: [3\n", 3),
        ("colon.yaml", b"a: b: c", 1),
        ("tab.yaml", b"a:\n\tn: 3", 2),
        ("bytes.yaml", b"a:\n n: \xff", 2),
        ("code.yaml", b"a: !!python/object:os.system x", 1),
        ("two.yaml", b"a: {n: 1}\n---\nb: {}\n", 2),
        ("cut.toml", b"[a]\nn = [3\n", 2),
        ("value.toml", b"[a]\nn = x\n", 2),
        ("bytes.toml", b"\xff", 1),
    ],
)
def test_a_config_file_that_cannot_be_read_is_named_with_the_line(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch,
    name: str, text: bytes, line: int | None,
) -> None:  # fmt: skip
    made = project({"pipeline.py": CONFIGURED})
    monkeypatch.chdir(made.root)
    (made.root / name).write_bytes(text)
    answer = assetgraph("materialize", "a", "--config-file", name)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"Error: {made.root / name} cannot be read: ")
    assert line is None or f" read: line {line}" in answer.err
    assert not (made.root / ".assetgraph").exists()


def test_a_config_file_may_begin_with_a_byte_order_mark(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project({"pipeline.py": CONFIGURED})
    monkeypatch.chdir(made.root)
    (made.root / "c.json").write_bytes(b'\xef\xbb\xbf{"a": {"n": 3}}')
    assert assetgraph("materialize", "a", "--config-file", "c.json").code == 0


@pytest.mark.parametrize(
    ("option", "meant"),
    [("grup", "group_name"), ("group", "group_name"), ("tag", "tags"), ("owner", "owners"),
     ("retry", "retry_policy"), ("manager", "io_manager"), ("nmae", "name"), ("kind", "kinds")],
)  # fmt: skip
def test_a_mistyped_option_of_asset_is_answered_with_the_one_that_was_meant(
    option: str, meant: str
) -> None:
    with pytest.raises(TypeError, match=f"no option '{option}'.*'{meant}'"):
        asset(**{option: "x"})  # type: ignore[call-overload]


def test_an_option_that_resembles_none_is_answered_with_all_of_them() -> None:
    with pytest.raises(TypeError, match=r"Its options are name, .* and automation_condition\."):
        asset(zzz=1)  # type: ignore[call-overload]


def test_a_return_that_is_missing_is_named_as_such() -> None:
    @asset
    def a() -> int:
        pass  # type: ignore[empty-body]

    @asset
    def b() -> int:
        return "x"  # type: ignore[return-value]

    with pytest.raises(ValueTypeError, match="Add the missing return, or annotate"):
        materialize([a])
    with pytest.raises(ValueTypeError, match="or change the annotation"):
        materialize([b])


def warned(project: MakeProject, **modules: str) -> list[str]:
    made = project({f"{name}.py": text for name, text in modules.items()})
    return [str(warning) for warning in made.find().load().warnings()]


CALLS = {
    "plain": "return a()",
    "in a comprehension": "return [a() for _ in range(2)]",
    "in a function inside": "f = lambda: a()\n    return f()",
    "of another module": "return helper.other()",
    "of another module inside": "def f(): return helper.other()\n    return f()",
    "as an argument": "return print(a())",
}


@pytest.mark.parametrize("body", CALLS.values(), ids=CALLS.keys())
def test_check_warns_of_an_asset_that_a_body_calls(project: MakeProject, body: str) -> None:
    start = "import helper\nfrom assetgraph import asset\n@asset\ndef a(): return 1\n"
    (warning,) = warned(
        project,
        helper="from assetgraph import asset\n@asset\ndef other(): return 1\n",
        pipeline=f"{start}@asset\ndef b():\n    {body}\n",
    )
    assert warning.split("pipeline.py:", 1)[1].startswith("5: asset 'b' calls the asset '")
    assert "Take it as a parameter: def b(" in warning


NO_CALLS = [
    "return a",
    "return a.key.text",
    "return helper.plain()",
    "a = lambda: 1\n    return a()",
]


@pytest.mark.parametrize("body", NO_CALLS)
def test_check_warns_of_nothing_that_only_names_an_asset(project: MakeProject, body: str) -> None:
    start = "import helper\nfrom assetgraph import asset\n@asset\ndef a(): return 1\n"
    helper = "def plain(): return 1\n"
    assert warned(project, helper=helper, pipeline=f"{start}@asset\ndef b():\n    {body}\n") == []


def test_check_warns_of_an_annotation_that_names_nothing(project: MakeProject) -> None:
    text = """
from __future__ import annotations
from typing import TYPE_CHECKING
from assetgraph import asset
if TYPE_CHECKING:
    from somewhere import Model
    import other.place
@asset
def a() -> Model: return 1
@asset
def b(a: DataFrame): return 1
@asset
def c(a: list[Undefined]) -> other.place.Thing: return 1
@asset
def d(a: pd.DataFrame) -> int | None: return 1
"""
    warnings = warned(project, pipeline=text)
    assert len(warnings) == 2
    assert "parameter 'a' of asset 'b' is annotated" in warnings[0]
    assert "does not define 'DataFrame': the annotation is ignored" in warnings[0]
    assert "does not define 'Undefined'" in warnings[1]


def test_a_plan_and_every_list_of_reasons_are_short_wherever_they_go(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(
        {
            "pipeline.py": "from assetgraph import asset\nVALUE = 1\n"
            "def make(n):\n    @asset(name=f'up_{n:03}')\n    def up(): return VALUE\n    return up\n"
            "every = [make(n) for n in range(150)]\n"
            "@asset(deps=every)\ndef all_of_them(): return 1\n"
        }
    )
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    made.write(
        "pipeline.py", (made.root / "pipeline.py").read_text().replace("VALUE = 1", "VALUE = 22")
    )
    for words in (["plan"], ["status"], ["show", "all_of_them"]):
        out = assetgraph(*words).out
        assert "and 140 more" in out
        assert max(map(len, out.splitlines())) < 400
    (step,) = [step for step in assetgraph("plan", "--json").json if step["key"] == "all_of_them"]
    assert len(step["reasons"]) == 150


@pytest.mark.parametrize(
    ("arguments", "empty"),
    [
        (("status", "--store", ""), "the argument after --store"),
        (("status", "--store="), "--store"),
        (("dev", "--host", ""), "the argument after --host"),
        (("runs", "list", "--since", ""), "the argument after --since"),
        (("runs", "list", "--tag="), "--tag"),
        (("list", "-m", ""), "the argument after -m"),
        (("show", ""), "the argument after show"),
        (("materialize", "a", ""), "the argument after a"),
        (("",), "the argument after assetgraph"),
    ],
)
def test_an_empty_argument_is_refused_because_a_shell_variable_may_be_unset(
    assetgraph: Run, folder: Path, arguments: tuple[str, ...], empty: str
) -> None:
    answer = assetgraph(*arguments)
    assert answer.code == 2
    assert f"{empty} is empty. Does a shell variable have no value?" in answer.err
    assert list(folder.iterdir()) == []


def test_an_empty_value_of_a_config_field_is_a_value(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIGURED.replace("n: int = 1", 'n: str = "x"')
    monkeypatch.chdir(project({"pipeline.py": text}).root)
    assert assetgraph("materialize", "a", "--config=a.n=").code == 0
    assert assetgraph("materialize", "a", "--config", "a.n=").code == 0


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        (("show", "group:ops"), "list group:ops"),
        (("show", "+a"), "list +a"),
        (("show", "a*", "--head", "3"), "list 'a*'"),
        (("show", "kind:csv or tag:x"), "list 'kind:csv or tag:x'"),
        (("runs", "list", "--asset", "group:ops"), "list group:ops"),
        (("mv", "old", "a+"), "list a+"),
        (("show", "a b"), "list"),
    ],
)
def test_a_selection_where_a_key_is_wanted_says_how_to_list_what_it_selects(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...], listed: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(project({"pipeline.py": CONFIGURED}).root)
    answer = assetgraph(*words)
    assert (answer.code, answer.out) == (2, "")
    assert "Give the key of one asset. To see " in answer.err
    assert answer.err.endswith(f": assetgraph {listed}\n")


def test_a_key_without_a_history_is_answered_with_those_that_have_one(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project({"pipeline.py": CONFIGURED}).root)
    told = assetgraph("mv", "x", "y").err
    assert told.endswith("Nothing has one yet. To begin: assetgraph materialize --all\n")
    assert assetgraph("materialize", "a").code == 0
    assert assetgraph("mv", "x", "y").err.endswith("These have one: a.\n")


@pytest.mark.parametrize(
    ("words", "value", "where"),
    [
        (("show", "a", "--head"), "--head N", "show"),
        (("runs", "list", "--limit"), "--limit N", "runs list"),
        (("runs", "list", "-n"), "-n N", "runs list"),
        (("materialize", "a", "-j"), "-j N", "materialize"),
        (
            ("materialize", "--executor"),
            "--executor serial|threads|processes|dask",
            "materialize",
        ),
        (("status", "--store"), "--store DIR", "status"),
        (("dev", "--port"), "--port ", "dev"),
    ],
)
def test_an_option_without_its_value_says_what_the_value_is(
    assetgraph: Run, words: tuple[str, ...], value: str, where: str
) -> None:
    answer = assetgraph(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"Error: {words[-1]} needs a value: {value}")
    assert answer.err.endswith(f"\nSee: assetgraph {where} --help\n")


VALUES = """
import pathlib
from assetgraph import asset
@asset
def text(): return "x" * 9000
@asset
def numbers(): return list(range(9000))
@asset
def pickled(): return {1: {2, 3}}
@asset
def table():
    import pyarrow as pa
    return pa.table({"n": [1, 2]})
@asset
def file():
    pathlib.Path("kept.csv").write_text("a,b")
    return pathlib.Path("kept.csv")
"""


@pytest.mark.parametrize("key", ["text", "numbers", "pickled", "table", "file"])
@pytest.mark.parametrize("harm", ["gone", "cut", "changed"])
def test_the_head_of_a_value_that_cannot_be_read_is_an_error(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch, key: str, harm: str
) -> None:
    monkeypatch.chdir(project({"pipeline.py": VALUES}).root)
    assert assetgraph("materialize", key).code == 0
    (file,) = (
        Path(".assetgraph/values").glob(f"{key}/_/*/value.*")
        if key != "file"
        else [Path("kept.csv")]
    )
    assert assetgraph("show", key, "--head", "2").code == 0
    data = file.read_bytes()
    file.unlink()
    if harm != "gone":
        file.write_bytes(data[:-1] if harm == "cut" else bytes(len(data)))
    readable = key == "file" and harm != "gone"  # a file of the project may change
    for more in ([], ["--json"]):
        answer = assetgraph("show", key, "--head", "2", *more)
        assert answer.code == (0 if readable else 2)
        if not readable:
            assert answer.out == ""
            assert "Materialize its asset again." in answer.err


@pytest.mark.parametrize("package", ["assets/new.py", "assets/deep/er/new.py"])
def test_a_file_that_scaffold_cannot_write_says_what_to_change(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    made = project({"assets/__init__.py": ""}, module="assets")
    monkeypatch.chdir(made.root)

    opened = Path.open

    def refused(self: Path, mode: str = "r", **more: Any) -> Any:
        if mode == "x":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, mode, **more)

    monkeypatch.setattr(Path, "open", refused)
    answer = assetgraph("scaffold", "asset", package)
    assert answer.code == 2
    assert "cannot write" in answer.err
    assert "Permission denied" in answer.err
    assert answer.err.endswith("Make the folder writable, or choose another path.\n")


def test_a_store_below_a_folder_that_cannot_be_made_names_store(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project({"pipeline.py": CONFIGURED}).root)
    Path("file").touch()
    for store in ("file/below", "/proc/none/below", "/dev/null/below"):
        answer = assetgraph("materialize", "a", "--store", store)
        assert answer.code == 2
        assert "--store" in answer.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("annotation", "what", "remedy"),
    [
        ("datetime", "the module datetime", "Name a type in it, as in: datetime.datetime"),
        ("pandas", "the module pandas", "Name a type in it, as in: pandas.DataFrame"),
        ("pathlib", "the module pathlib", "Name a type in it, as in: pathlib.Path"),
        ("json", "the module json", "Name a type in it, as in: json.…"),
        ("any", "the function any", "Write typing.Any."),
        ("callable", "the function callable", "Write collections.abc.Callable."),
        ("(int, str)", "a tuple of types", "Write the type with brackets, as in: tuple[int, str]"),
        ("[int]", "a list of types", "Write the type with brackets, as in: list[int]"),
        ("{str: int}", "a dict of types", "Write the type with brackets, as in: dict[str, int]"),
        ("5", "the value 5", "Write its type: int"),
    ],
)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_an_annotation_that_is_no_type_is_an_error_that_says_what_to_write(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch,
    annotation: str, what: str, remedy: str, future: str,
) -> None:  # fmt: skip
    pytest.importorskip("pandas")
    text = f"""{future}
import datetime, json, pandas, pathlib
from assetgraph import asset
@asset
def a(): return 1
@asset
def b(a: {annotation}): return a
@asset
def c() -> {annotation}: return 1
"""
    monkeypatch.chdir(project({"pipeline.py": text}).root)
    answer = assetgraph("check")
    assert answer.code == 2
    assert f"parameter 'a' of asset 'b' is annotated with {what}, not with a type." in answer.out
    assert f"the result of asset 'c' is annotated with {what}, not with a type." in answer.out
    assert answer.out.count(remedy) == 2


def test_an_upstream_that_materialize_lacks_in_python_may_come_from_a_store(
    instance: Instance,
) -> None:
    @asset
    def total(trips: int) -> int:
        return trips

    with pytest.raises(DefinitionsError, match=r"store with instance=Instance\.get\(\)"):
        materialize([total])
    with pytest.raises(DefinitionsError, match="the store of instance= has no value of it"):
        materialize([total], instance=instance)


@pytest.mark.parametrize(
    "words",
    [
        ("materialize", "a", "--store", "y" * 300),
        ("status", "--store", "y" * 300),
        ("check", "-m", "y" * 300 + ".py"),
        ("scaffold", "asset", "y" * 300 + ".py"),
        ("scaffold", "asset", "assets/" + "y" * 300 + ".py"),
        ("init", "y" * 300),
        ("materialize", "a", "--config-file", "y" * 300),
    ],
)
def test_a_name_that_is_too_long_for_a_file_is_no_bug_in_assetgraph(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    made = project({"pipeline.py": CONFIGURED, "assets/__init__.py": ""})
    made.write("pyproject.toml", '[tool.assetgraph]\nmodule = ["pipeline", "assets"]\n')
    monkeypatch.chdir(made.root)
    answer = assetgraph(*words)
    assert answer.code == 2
    assert "bug" not in answer.err


@pytest.mark.parametrize(
    "text",
    [
        "a." * 20_000 + "a = 1",
        "x = 1\n[" + "a." * 20_000 + "a]",
        "x = {" + "a." * 20_000 + "a = 1}",
        '"a" . ' * 20_000 + '"a" = 1',
        "'a'." * 20_000 + "a = 1",
        "b = 2\n" + "a." * 20_000,
        "a." * 101 + "a = 1",
    ],
)
def test_a_toml_name_of_many_parts_is_refused_before_it_takes_minutes(text: str) -> None:
    line = text.count("\n", 0, text.index("a.") if "a." in text else 0) + 1
    with pytest.raises(DataError, match=f"line {line}: a name has more than 100 parts"):
        decode(text.encode(), "toml")


@pytest.mark.parametrize(
    "text",
    [
        "a." * 98 + "a = 1",
        'x = "' + "a." * 500 + '"',
        "x = [" + "1.5, " * 500 + "]",
        "".join(f"k{n}.v = 1.5\n" for n in range(500)),
        "# " + "a." * 500 + "\nx = 1",
    ],
)
def test_toml_with_many_dots_is_taken_where_no_name_has_many_parts(text: str) -> None:
    assert decode(text.encode(), "toml")


def _choices(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each option that is one of several words, as it is typed with a word that is mistyped."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from _choices(found, (*words, name))
        return
    arguments = [p for p in command.params if isinstance(p, click.Argument) and p.required]
    for option in command.params:
        if isinstance(option.type, click.Choice):
            word = str(next(iter(option.type.choices)))
            yield (*words, *("x" for _ in arguments), max(option.opts, key=len), f"{word}x")


@pytest.mark.parametrize("typed", list(_choices(cli)), ids=" ".join)
def test_a_mistyped_choice_is_answered_with_the_one_that_is_meant(
    typed: tuple[str, ...], assetgraph: Callable[..., Answer]
) -> None:
    answer = assetgraph(*typed)
    option, word = typed[-2:]
    assert (answer.code, answer.out) == (2, "")
    first = f"Error: {option} cannot be {word!r}. Did you mean {word[:-1]!r}?"
    assert answer.err.startswith(first)


def test_a_word_that_resembles_no_choice_is_answered_with_all(
    assetgraph: Callable[..., Answer],
) -> None:
    answer = assetgraph("materialize", "a", "--executor", "cloud")
    assert "cannot be 'cloud'. It is serial, threads, processes or dask." in answer.err
