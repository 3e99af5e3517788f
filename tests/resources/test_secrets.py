"""Secret values stand nowhere: a planted one is looked for in every byte that a run leaves."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

import assetgraph as dg
from assetgraph.errors import ProjectError
from assetgraph.process import secrets
from assetgraph.project.env_file import read_env_file
from assetgraph.project.settings import FROM_ENV_FILE
from assetgraph.states import EXECUTORS

REPOSITORY = Path(__file__).parents[2]
PLANTED = "hunter2-Zq%8'\"x"
TOKEN = "tok_931bd77c02"
PIPELINE = """
import logging
import os
import subprocess
import sys
import warnings

import assetgraph as dg

class Inner(dg.ConfigurableResource):
    token: dg.Secret[str]

class Warehouse(dg.ConfigurableResource):
    password: str
    inner: Inner

    def setup_for_execution(self, context):
        context.log.info(f"opening with {self.password}")
        print("opening", self.inner.token)

    def teardown_after_execution(self, context):
        print("closing", self.password)
        raise ConnectionError(f"cannot close {self.password}")

@dg.asset
def talks(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    word, token = warehouse.password, warehouse.inner.token
    print("printed", word, repr(word), warehouse)
    print("split " + word[:5], end="")
    print(word[5:], "and", token[:3], end="")
    print(token[3:])
    sys.stdout.buffer.write(f"bytes {word}\\n".encode())
    sys.stderr.write(f"error {token}\\n")
    os.write(1, f"descriptor {word[:4]}".encode())
    os.write(1, f"{word[4:]}\\n".encode())
    subprocess.run(["printf", "%s\\\\n", f"child {token}"], check=True)
    context.log.warning(f"logged {word}")
    logging.getLogger("mine").error("logged %s", {"token": token})
    warnings.warn(f"warned {token}", stacklevel=1)
    context.add_output_metadata({"note": f"metadata {word}", "list": [token]})
    return dg.MaterializeResult(
        value="told nothing", data_version=dg.DataVersion(f"version {word}"), tags={"who": f"tag {token}"}
    )

@dg.asset_check(asset="talks")
def seen(talks: str, warehouse: Warehouse) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"description {warehouse.password}",
        metadata={"note": f"found {warehouse.inner.token}"},
    )

@dg.asset
def fails(talks: str, warehouse: Warehouse) -> None:
    try:
        raise KeyError(warehouse.password)
    except KeyError as error:
        raise ValueError(f"cannot log in with {warehouse.password}", warehouse.inner.token) from error

resources = {
    "warehouse": Warehouse(
        password=dg.EnvVar("PLANTED"),
        inner=Inner(token=open("token.txt").read()),
    )
}
"""


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that knows no secret yet, and forgets those of the test."""
    monkeypatch.setattr(secrets, "_known", {})
    monkeypatch.setattr(secrets, "_pattern", None)
    monkeypatch.setattr(secrets, "_longest", 0)


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in (".env", "token.txt"):
            yield str(path.relative_to(folder)), path.read_bytes()


def leaks(name: str, data: bytes) -> list[str]:
    forms = {PLANTED, TOKEN, repr(PLANTED)[1:-1], PLANTED.replace('"', '\\"')}
    return [f"{name}: {form}" for form in forms if form.encode() in data]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_planted_secret_is_in_no_byte_that_a_run_leaves_and_prints(
    project: Callable[..., Any], executor: str
) -> None:
    made = project({"pipeline.py": PIPELINE, "token.txt": TOKEN})
    quoted = PLANTED.replace('"', '\\"')
    made.write(".env", f'PLANTED="{quoted}"  # of the warehouse\n')
    found = []
    jobs = () if executor == "serial" else ("--jobs", "1")
    commands: list[tuple[int, tuple[str, ...]]] = [
        (1, ("materialize", "--all", "--executor", executor, *jobs)),
        *(
            (0, words)
            for words in (
                ("runs", "show", "latest"),
                ("runs", "show", "latest", "--json"),
                ("runs", "logs", "latest"),
                ("show", "talks", "--json"),
                ("show", "fails"),
                ("check", "--json"),
            )
        ),
    ]
    printed = ""
    for code, words in commands:
        ended = subprocess.run(
            [sys.executable, "-m", "assetgraph", *words],
            cwd=made.root,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            check=False,
        )
        assert ended.returncode == code, ended.stderr.decode()
        printed += ended.stdout.decode() + ended.stderr.decode()
        found += leaks(" ".join(words), ended.stdout + ended.stderr)
    everything = b"".join(data for _, data in written(made.root))
    found += [leak for name, data in written(made.root) for leak in leaks(name, data)]
    assert found == []
    for said in (
        "split ***",
        "bytes ***",
        "descriptor ***",
        "child ***",
        "logged ***",
        "metadata ***",
        "tag ***",
        "version ***",
        "description ***",
        "found ***",
        "cannot log in with ***",
        "opening ***",
        "cannot close ***",
    ):
        assert said.encode() in everything, said
    assert "cannot log in with ***" in printed


def test_the_exception_that_a_step_raises_has_no_secret_in_it() -> None:
    class Client(dg.ConfigurableResource):
        token: dg.Secret[str]

    @dg.asset
    def leaks_it(client: Client) -> None:
        raise RuntimeError(f"refused {client.token}", [client.token])

    client = Client(token=TOKEN)
    assert TOKEN not in repr(client) + str(client)
    assert client.token == TOKEN
    with pytest.raises(RuntimeError) as caught:
        dg.materialize([leaks_it], resources={"client": client})
    assert caught.value.args == ("refused ***", ["***"])

    @dg.asset
    def leaks_several(client: Client) -> None:
        try:
            raise KeyError(client.token)
        except KeyError:
            several = [OSError(f"no {client.token}"), ValueError(client.token)]
            raise ExceptionGroup("several", several) from LookupError(client.token)

    with pytest.raises(ExceptionGroup) as group:
        dg.materialize([leaks_several], resources={"client": client})
    assert TOKEN not in "".join(traceback.format_exception(group.value))
    assert TOKEN not in repr(group.value.__context__)
    with pytest.raises(ValueError, match="token") as wrong:
        Client(token=[TOKEN])  # type: ignore[arg-type]
    assert TOKEN not in str(wrong.value)


texts = st.text(alphabet="abc", max_size=12)


@given(
    hidden=st.lists(st.text(alphabet="abc", min_size=1, max_size=9), max_size=3),
    pieces=st.lists(texts, max_size=6),
)
def test_what_comes_in_pieces_is_masked_as_the_whole(hidden: list[str], pieces: list[str]) -> None:
    secrets._known, secrets._pattern, secrets._longest = {}, None, 0
    secrets.hide(hidden)
    mask = secrets.Mask()
    assert "".join(map(mask.feed, pieces)) + mask.end() == secrets.masked("".join(pieces))
    long = [word for word in hidden if len(word) >= 6]
    assert not any(word in secrets.masked("".join(pieces)) for word in long)


def test_a_short_value_is_no_reason_to_mask_words() -> None:
    secrets.hide(["true", "5432", ""])
    assert secrets.masked("it is true on port 5432") == "it is true on port 5432"


def test_a_value_is_masked_in_every_form_in_which_it_may_stand() -> None:
    key = "line one of a key\nand line two"
    secrets.hide([PLANTED, key])
    import json
    from urllib.parse import quote

    for form in (PLANTED, repr(PLANTED), json.dumps(PLANTED), quote(PLANTED), key, repr(key)):
        assert re.search(r"hunter|line", secrets.masked(f"see {form}.")) is None
    assert secrets.masked("  line one of a key") == "  ***"


def test_a_file_of_variables_is_read_and_own_variables_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"OWN": "mine"})
    file = tmp_path / ".env"
    read_env_file(tmp_path, FROM_ENV_FILE)
    assert dict(os.environ) == {"OWN": "mine"}
    file.write_text(
        "# a comment\n\nOWN=theirs\nPLAIN = a b # said\nexport HASH=a#b\nSINGLE='a \\n # b'\n"
        'DOUBLE="a \\"b\\"\\n" # said\nEMPTY=\n',
        encoding="utf-8",
    )
    text = file.read_text()
    read_env_file(tmp_path, FROM_ENV_FILE)
    expected = {
        "OWN": "mine",
        "PLAIN": "a b",
        "HASH": "a#b",
        "SINGLE": "a \\n # b",
        "DOUBLE": 'a "b"\n',
        "EMPTY": "",
    }
    assert {name: os.environ[name] for name in expected} == expected
    assert file.read_text() == text
    file.write_text("PLAIN=other\n")
    read_env_file(tmp_path, FROM_ENV_FILE)  # as a process that runs on, or one that it started
    assert os.environ["PLAIN"] == "other"
    assert "HASH" not in os.environ
    for wrong in ("hunter2", 'A="hunter2', "A B=hunter2"):
        file.write_text(f"PLAIN=x\n{wrong}\n")
        with pytest.raises(ProjectError, match=r"\.env:2 is no variable") as caught:
            read_env_file(tmp_path, FROM_ENV_FILE)
        assert "hunter2" not in str(caught.value)


def test_the_config_of_a_run_holds_no_secret(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Login(dg.Config):
        user: str = "reader"
        password: dg.Secret[str] = "default-word"

    class Access(dg.Config):
        login: Login = Login()
        token: dg.Secret[str] | None = None
        wrapped: SecretStr | None = None
        host: str = ""

    @dg.asset
    def told(context: dg.AssetExecutionContext, config: Access) -> None:
        context.log.info(f"{config!r}")
        print(config.token, config.host, config.login.password[:3] == PLANTED[:3])
        raise RuntimeError(f"no {config.token} at {config.host}")

    monkeypatch.setenv("PLANTED", PLANTED)
    monkeypatch.setenv("HOST", TOKEN)
    for literal in (
        {"token": TOKEN},
        {"wrapped": TOKEN},
        {"login": {"password": PLANTED}},
        {"login": Login(password=TOKEN)},
    ):
        with pytest.raises(dg.AssetGraphError, match=r"is secret, and what is given") as caught:
            dg.materialize([told], run_config={"told": literal}, instance=instance)
        assert leaks("", str(caught.value).encode()) == []
    config = Access(
        login=Login(password=dg.EnvVar("PLANTED")),
        token=dg.EnvVar("PLANTED"),
        host=dg.EnvVar("HOST"),
    )
    result = dg.materialize(
        [told], run_config=dg.RunConfig({"told": config}), instance=instance, raise_on_error=False
    )
    assert result.failures["told"].message == "no *** at ***"
    out, err = capfd.readouterr()
    assert "*** *** True" in out
    found = [
        leak for name, data in written(Path(instance.store.folder)) for leak in leaks(name, data)
    ]
    assert found + leaks("printed", (out + err).encode()) == []
    assert "default-word" not in repr(Access()) + repr(Login())


class Login(pydantic.BaseModel):
    user: str
    password: dg.Secret[str]
    token: pydantic.SecretStr


@dataclasses.dataclass
class Key:
    name: str
    text: dg.Secret[str]


class Holder(dg.ConfigurableResource):
    login: Login
    key: Key
    more: dict[str, list[Login]]


def test_secrets_in_models_that_a_resource_holds_stand_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = [f"planted-{name}-value" for name in ("password", "token", "key", "inner", "deep")]
    password, token, key, inner, deep = planted
    login = Login(user="ann", password=password, token=token)
    more = {"a": [Login(user="bo", password=inner, token=deep)]}
    holder = Holder(login=login, key=Key("k", key), more=more)

    @dg.asset
    def leaks(holder: Holder) -> str:
        held = [holder.login, *holder.more["a"]]
        text = " ".join([one.password + one.token.get_secret_value() for one in held])
        print(text, holder.key.text)
        return "done"

    instance = dg.Instance(tmp_path / "store")
    dg.materialize([leaks], resources={"holder": holder}, instance=instance)
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files) + capfd.readouterr().out.encode()
    assert [one for one in planted if one.encode() in written] == []
    assert b'"user":"ann"' in written
