"""Endpoints that act: plan, launch, re-execute, cancel, reload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.config import config_by_asset
from assetgraph.errors import AssetGraphError, ConfigError, UnknownRunError
from assetgraph.planning.reexecution import rerun_request
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.project.data_text import DataError, decode
from assetgraph.queries.asset_views import plan_json
from assetgraph.queries.run_views import find_run
from assetgraph.run.launch_process import LaunchError, launch_process
from assetgraph.text import did_you_mean, listed
from assetgraph.web.api.config_form import config_fields

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.web.live.loaded_definitions import LoadFailure
    from assetgraph.web.live.page_state import PageState

Config = Mapping[str, Mapping[str, Any]]
LAUNCHED_BY = "page"
_MOST_RUNS = 200


def plan(page: PageState, body: Any, _request: Request) -> dict[str, Any]:
    """What would run and why: `{"selection": [texts], "stale": bool, "config": …}`.

    Plans by the files as they are now. If they do not load, it plans by the last valid definitions
    and adds a warning.
    """
    wanted = read_wanted(body)
    page.reload_if_edited()
    broken = page.definitions.failure
    made = plan_run(wanted, page.facts())
    fields = {step.id: config_fields(made.computations[step.computation]) for step in made.steps}
    return {
        "steps": plan_json(made),
        "selects_nothing": made.selects_nothing,
        "warnings": [*([_cannot_start(broken)] if broken else []), *made.warnings],
        "config_fields": {name: own for name, own in fields.items() if own is not None},
        "config_missing": {
            step.id: absent
            for step in made.steps
            if (absent := _absent(fields[step.id] or [], step.config))
        },
    }


def launch(page: PageState, body: Any, _request: Request) -> dict[str, Any]:
    """Start a run: the body of a plan, with `"tags"`, `"executor"` and `"jobs"`."""
    wanted = read_wanted(body)
    if not wanted.selection and not wanted.stale:
        raise AssetGraphError(
            "nothing is selected.", hint='Select everything with "selection": ["*"].'
        )
    reloaded = _reload_if_edited(page)
    return _started(page, wanted, reloaded)


def rerun(page: PageState, body: Any, request: Request) -> dict[str, Any]:
    """Execute a run again: `{"from_failure": bool}` or `{"steps": [keys]}`."""
    _check_fields(body, "from_failure", "steps")
    record = find_run(page.store, request.path_params["run_id"])
    from_failure = _typed(body, "from_failure", bool, False)
    steps = _typed(body, "steps", list[str], [])
    reloaded = _reload_if_edited(page)
    wanted = rerun_request(page.store, record, from_failure=from_failure, steps=steps)
    return _started(page, wanted, reloaded)


def cancel(page: PageState, body: Any, request: Request) -> dict[str, Any]:
    """Ask a run to stop."""
    _check_fields(body)
    from assetgraph.run.cancel import cancel_run

    cancel_run(page.store, page.store.runs.find(request.path_params["run_id"]))
    return {}


def cancel_several(page: PageState, body: Any, _request: Request) -> dict[str, Any]:
    """Ask runs to stop: `{"runs": [ids]}`."""
    from assetgraph.run.cancel import cancel_run

    return _each_run(page, body, lambda run_id: cancel_run(page.store, run_id))


def delete_several(page: PageState, body: Any, _request: Request) -> dict[str, Any]:
    """Delete the records of runs that have ended: `{"runs": [ids]}`."""
    answer = _each_run(page, body, page.store.runs.delete)
    page.tell_gone(answer["done"])
    return answer


def _each_run(
    page: PageState, body: Mapping[str, Any], act: Callable[[str], None]
) -> dict[str, Any]:
    """Act on each named run: which it was done to, and why not to the others. Only whole ids name
    a run here, since a part of one may stand for another by now."""
    _check_fields(body, "runs")
    ids = list(dict.fromkeys(_typed(body, "runs", list[str], [])))
    if not 0 < len(ids) <= _MOST_RUNS:
        raise AssetGraphError(f'name 1 to {_MOST_RUNS} runs: "runs": [ids].')
    done, refused = [], []
    for run_id in ids:
        try:
            if page.store.runs.find(run_id) != run_id:
                raise UnknownRunError(f"there is no run {run_id!r}.")
            act(run_id)
            done.append(run_id)
        except AssetGraphError as error:
            refused.append({"run_id": run_id, "message": error.message, "hint": error.hint})
    return {"done": done, "refused": refused}


def reload(page: PageState, body: Any, _request: Request) -> dict[str, Any]:
    """Load the definitions again."""
    _check_fields(body)
    page.reload()
    return page.definitions_json()


def _reload_if_edited(page: PageState) -> bool:
    """Returns whether the definitions were loaded again. Raises `LaunchError` if they fail to."""
    reloaded = page.reload_if_edited()
    broken = page.definitions.failure
    if broken is not None:
        raise LaunchError(f"{_cannot_start(broken)}\n{broken.details}", hint=broken.hint)
    return reloaded


def _cannot_start(broken: LoadFailure) -> str:
    return f"No run can start: the definitions do not load. {broken.message}"


def _started(page: PageState, wanted: RunRequest, reloaded: bool) -> dict[str, Any]:
    request = msgspec.structs.replace(wanted, launched_by=LAUNCHED_BY)
    started = launch_process(request, page.project, page.store)
    page.look()
    return {"run_id": started.run_id, "message": started.message, "reloaded": reloaded}


def read_wanted(body: Mapping[str, Any]) -> RunRequest:
    """The launch that a request's body asks for. Raises `AssetGraphError` for a bad body."""
    _check_fields(body, "selection", "stale", "config", "config_text", "tags", "executor", "jobs")
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


def _check_fields(body: Mapping[str, Any], *known: str) -> None:
    """Raises `AssetGraphError` for a field that is none of `known`."""
    unknown = next((name for name in body if name not in known), None)
    if unknown is not None:
        names = f"The fields are {listed(known)}." if known else "It takes no fields."
        hint = did_you_mean(unknown, known) or names
        raise AssetGraphError(f"this request has an unknown field {unknown!r}.", hint=hint)


def _absent(fields: list[dict[str, Any]], given: Mapping[str, Any]) -> list[str]:
    """The required fields that are missing from `given`."""
    return [field["name"] for field in fields if field["required"] and field["name"] not in given]


def parse_config(text: str) -> Config:
    """`{asset key: {field: value}}` from JSON, or from YAML where PyYAML is installed."""
    found = _json_or_yaml(text.encode())
    return config_by_asset({} if found is None else found)


def _json_or_yaml(data: bytes) -> Any:
    try:
        return decode(data, "json")
    except DataError as error:
        not_json = error
    try:
        return decode(data, "yaml")
    except ImportError:
        hint = "For YAML: pip install pyyaml"
        raise ConfigError(f"the config is not JSON: {not_json}.", hint=hint) from None
    except DataError as error:
        raise ConfigError(f"the config cannot be read: {error}.") from None


def _typed(body: Mapping[str, Any], name: str, kind: Any, default: Any) -> Any:
    try:
        return msgspec.convert(body.get(name, default), kind)
    except msgspec.ValidationError as error:
        raise AssetGraphError(f"{name}: {error}.") from None
