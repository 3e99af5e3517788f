#!/usr/bin/env bash
# Run the tests with the lowest versions that pyproject.toml allows, in an environment of its own.
#
#     benchmarks/lowest_versions.sh [--install] [PYTEST ARGUMENTS]
#
# The environment is .venv-lowest/ and stays. --install makes it anew, after a bound was changed.
set -euo pipefail
cd "$(dirname "$0")/.."
place=.venv-lowest

if [ "${1:-}" = --install ]; then
    shift
    rm -f "$place/complete"
fi
if [ ! -f "$place/complete" ]; then
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/python" - > "$place/lowest.txt" <<'PY'
import re
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = project["optional-dependencies"]
needed = [*project["dependencies"], *extras["dask"], *extras["taxi"], *extras["ui"], *extras["test"]]


def numbers(version):
    return [int(part) for part in version.split(".")]


# What only drives the tests may be newer: it is no library that a user has beside assetgraph.
tools = {"hypothesis", "moto", "playwright", "axe-playwright-python", "httpx2"}
lowest = {}
for requirement in needed:
    found = re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", requirement)
    if found and found[1] not in tools and not found[1].startswith("pytest"):
        name, version = found.groups()
        lowest[name] = max(lowest.get(name, "0"), version, key=numbers)
print(*(f"{name}=={version}" for name, version in sorted(lowest.items())), sep="\n")
PY
    "$place/bin/pip" install --quiet --constraint "$place/lowest.txt" --editable '.[test]'
    touch "$place/complete"
fi
exec "$place/bin/python" -m pytest -q -n 2 "$@"
