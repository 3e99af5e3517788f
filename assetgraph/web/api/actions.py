"""Addresses that do something: plan, launch, re-execute, cancel, reload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import AssetGraphError, ConfigError
from assetgraph.planning.reexecution import rerun_request
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.queries.asset_views import plan_json
from assetgraph.queries.run_views import find_run
from assetgraph.run.launch_process import LaunchError, launch_process
from assetgraph.web.api.config_form import config_fields
from assetgraph.web.api.shapes import definitions_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.web.live.page_state import Site
    from assetgraph.web.live.workspace import LoadFailure

Config = Mapping[str, Mapping[str, Any]]
LAUNCHED_BY = "page"


def plan(site: Site, body: Any, _request: Request) -> dict[str, Any]:
    """What would run and why: `{"selection": [texts], "stale": bool, "config": …}`. It is by the
    files as they are, or where they do not load, by the last good definitions, with a warning."""
    wanted = read_wanted(body)
    site.take_over_edits()
    broken = site.workspace.failure
    state = site.state()
    made = plan_run(wanted, state)
    fields = {step.id: config_fields(made.computations[step.computation]) for step in made.steps}
    return {
        "steps": plan_json(made),
        "warnings": [*([_cannot_start(broken)] if broken else []), *made.warnings],
        "config_fields": {name: own for name, own in fields.items() if own is not None},
        "config_missing": {
            step.id: absent
            for step in made.steps
            if (absent := _absent(fields[step.id] or [], step.config))
        },
    }


def launch(site: Site, body: Any, _request: Request) -> dict[str, Any]:
    """Start a run: as for a plan, with `"tags"`, `"executor"` and `"jobs"`."""
    wanted = read_wanted(body)
    if not wanted.selection and not wanted.stale:
        raise AssetGraphError("nothing is selected.", hint='Everything is "selection": ["*"].')
    reloaded = _take_over_edits(site)
    return _started(site, wanted, reloaded)


def rerun(site: Site, body: Any, request: Request) -> dict[str, Any]:
    """Execute a run again: `{"from_failure": bool}` or `{"steps": [keys]}`."""
    record = find_run(site.store, request.path_params["run_id"])
    from_failure = _typed(body, "from_failure", bool, False)
    steps = _typed(body, "steps", list[str], [])
    reloaded = _take_over_edits(site)
    wanted = rerun_request(site.store, record, from_failure=from_failure, steps=steps)
    return _started(site, wanted, reloaded)


def cancel(site: Site, _body: Any, request: Request) -> dict[str, Any]:
    from assetgraph.run.cancel import cancel_run

    cancel_run(site.store, site.store.runs.find(request.path_params["run_id"]))
    return {}


def reload(site: Site, _body: Any, _request: Request) -> dict[str, Any]:
    site.reload()
    return definitions_json(site)


def _take_over_edits(site: Site) -> bool:
    """Raises `LaunchError` where the definitions do not load as they are now."""
    reloaded = site.take_over_edits()
    broken = site.workspace.failure
    if broken is not None:
        raise LaunchError(f"{_cannot_start(broken)}\n{broken.details}", hint=broken.hint)
    return reloaded


def _cannot_start(broken: LoadFailure) -> str:
    return f"No run can start: the definitions do not load. {broken.message}"


def _started(site: Site, wanted: RunRequest, reloaded: bool) -> dict[str, Any]:
    request = msgspec.structs.replace(wanted, launched_by=LAUNCHED_BY)
    started = launch_process(request, site.project, site.store)
    site.look()
    return {"run_id": started.run_id, "message": started.message, "reloaded": reloaded}


def read_wanted(body: Mapping[str, Any]) -> RunRequest:
    """Raises `AssetGraphError` for a body of another shape."""
    unknown = set(body) - {
        "selection",
        "stale",
        "config",
        "config_text",
        "tags",
        "executor",
        "jobs",
    }
    if unknown:
        raise AssetGraphError(f"there is no {sorted(unknown)[0]!r} in a launch.")
    config = _typed(body, "config", dict[str, dict[str, Any]], {})
    text = _typed(body, "config_text", str, "")
    return RunRequest(
        selection=tuple(_typed(body, "selection", list[str], [])),
        stale=_typed(body, "stale", bool, False),
        config=parse_config(text) if text.strip() else config,
        tags=_typed(body, "tags", dict[str, str], {}),
        executor=_typed(body, "executor", str | None, None),
        jobs=_typed(body, "jobs", int | None, None),
    )


def _absent(fields: list[dict[str, Any]], given: Mapping[str, Any]) -> list[str]:
    """The required fields that `given` leaves out."""
    return [field["name"] for field in fields if field["required"] and field["name"] not in given]


def parse_config(text: str) -> Config:
    """`{asset key: {field: value}}` from JSON, or from YAML where PyYAML is installed."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        found = _yaml(text)
    try:
        return msgspec.convert({} if found is None else found, dict[str, dict[str, Any]])
    except msgspec.ValidationError as error:
        raise ConfigError(f"config is {{asset key: {{field: value}}}}: {error}.") from None


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise ConfigError("the config is not JSON.", hint="For YAML: pip install pyyaml") from None
    try:
        # What YAML has beyond JSON becomes what the file for the run's process will say.
        return msgspec.json.decode(msgspec.json.encode(yaml.safe_load(text)))
    except Exception as error:  # what a constructor of PyYAML raises is of any type
        raise ConfigError(f"the config is neither JSON nor YAML: {error}.") from None


def _typed(body: Mapping[str, Any], name: str, kind: Any, default: Any) -> Any:
    try:
        return msgspec.convert(body.get(name, default), kind)
    except msgspec.ValidationError as error:
        raise AssetGraphError(f"{name}: {error}.") from None
