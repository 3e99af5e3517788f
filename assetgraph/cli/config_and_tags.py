"""Config and tags from the command line: `--config`, `--config-file` and `--tag`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.run_config import config_by_asset
from assetgraph.errors import ConfigError
from assetgraph.project.data_text import DataError, decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


Settings = dict[str, dict[str, Any]]
_KINDS = {".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}


def read_config(file: Path | None, settings: Sequence[str]) -> Settings:
    """{asset key: {field: value}} from a file and from `KEY.FIELD=VALUE`, which override it.

    Raises `ConfigError`.
    """
    config = read_config_file(file) if file else {}
    for setting in settings:
        place, equals, value = setting.partition("=")
        key, _, field = place.rpartition(".")
        if not (equals and key and field):
            is_file = setting.endswith(tuple(_KINDS))
            raise ConfigError(
                f"cannot read --config {setting!r}.",
                hint=f"A file goes into: --config-file {shlex.quote(setting)}"
                if is_file
                else "Write KEY.FIELD=VALUE, as in: --config trips.limit=100",
            )
        config.setdefault(key, {})[field] = value
    return config


def read_config_file(file: Path) -> Settings:
    """{asset key: {field: value}} from a file. Raises `ConfigError`."""
    kind = _KINDS.get(file.suffix.lower())
    if kind is None:
        raise ConfigError(f"{file} has no known format.", hint="Name it .json, .toml or .yaml.")
    try:
        given = decode(file.read_bytes(), kind)
    except ImportError as error:
        raise ConfigError(
            f"reading {file} needs the package PyYAML.",
            hint="Install it with: pip install pyyaml, or use JSON or TOML.",
        ) from error
    except DataError as error:
        hint = "Correct the file there." if str(error).startswith("line ") else None
        raise ConfigError(f"{file} cannot be read: {error}.", hint=hint) from error
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}.") from error
    return config_by_asset(given, str(file))


def parse_tags(tags: Sequence[str]) -> Mapping[str, str]:
    """{key: value} from `KEY=VALUE`. Raises `ConfigError`."""
    return parse_pairs("--tag", tags)


def parse_pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """{key: value} from each `KEY=VALUE` of an option. Raises `ConfigError`."""
    parsed: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not (equals and key):
            raise ConfigError(f"cannot read {option} {pair!r}.", hint="Write KEY=VALUE.")
        if key in parsed:
            raise ConfigError(f"{option} sets {key!r} twice.", hint="Give each name one value.")
        parsed[key] = value
    return parsed
