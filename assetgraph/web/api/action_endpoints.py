"""Endpoints that act: plan, launch, re-execute, cancel, reload."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from assetgraph.definitions.run_config import config_by_asset
from assetgraph.errors import AssetGraphError, ConfigError, UnknownRunError
from assetgraph.planning.estimate import estimated_seconds
from assetgraph.planning.reexecution import rerun_request
from assetgraph.planning.request import RunRequest, facts_for, nothing_to_do, plan_run
from assetgraph.project.data_text import DataError, decode
from assetgraph.queries.plan_groups import group_json, plan_json, step_groups
from assetgraph.queries.run_views import find_run
from assetgraph.run.launch_process import LaunchError, launch_process
from assetgraph.web.api.bodies import check_fields, typed
from assetgraph.web.api.config_form import config_fields

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.planning.plan import Plan, Step
    from assetgraph.web.live.loaded_definitions import LoadFailure
    from assetgraph.web.live.page_state import PageState

Config = Mapping[str, Mapping[str, Any]]
LAUNCHED_BY = "page"
_MOST_RUNS = 200
_MOST_STEPS = 5000  # in an answer
_WANTED = (
    "selection", "partitions", "stale", "only", "config", "config_text", "tags", "executor", "jobs",
)  # fmt: skip


def plan(page: PageState, body: Any, _request: Request) -> dict[str, Any]:
    """What would run and why: `{"selection": [texts], "partitions": [texts], "stale": bool,
    "only": [states], "config": …}`.

    Plans by the files as they are now. If they do not load, it plans by the last valid definitions
    and adds a warning.
    """
    wanted = _for_project(page, read_wanted(body))
    page.reload_if_edited()
    broken = page.definitions.failure
    facts = facts_for(wanted, page.facts())
    made = plan_run(wanted, facts)
    fields = {
        _named(step): config_fields(made.computations[step.computation])
        for step in _of_assets(made)
    }
    groups = step_groups(made, facts.targets)
    return {
        "steps": plan_json(made)[:_MOST_STEPS],
        "step_count": len(made.steps),
        "groups": [group_json(group) for group in groups[:_MOST_STEPS]],
        "group_count": len(groups),
        "nothing": None if made.steps else nothing_to_do(wanted, made),
        "estimate_s": estimated_seconds(made, facts, wanted.jobs or page.project.jobs or 1),
        "selects_nothing": made.selects_nothing,
        "warnings": [*([_cannot_start(broken)] if broken else []), *made.warnings],
        "config_fields": {name: own for name, own in fields.items() if own is not None},
        "config_missing": {
            _named(step): absent
            for step in _of_assets(made)
            if (absent := _absent(fields[_named(step)] or [], step.config))
        },
    }


def launch(page: PageState, body: Any, _request: Request) -> dict[str, Any]:
    """Start a run: the body of a plan, with `"tags"`, `"executor"` and `"jobs"`."""
    wanted = read_wanted(body)
    if not wanted.selection and not wanted.stale and not wanted.only:
        raise AssetGraphError(
            "nothing is selected.", hint='Select everything with "selection": ["*"].'
        )
    reloaded = _reload_if_edited(page)
    return _started(page, wanted, reloaded)


def rerun(page: PageState, body: Any, request: Request) -> dict[str, Any]:
    """Execute a run again: `{"from_failure": bool}` or `{"steps": [keys]}`."""
    check_fields(body, "from_failure", "steps")
    record = find_run(page.store, request.path_params["run_id"])
    from_failure = typed(body, "from_failure", bool, False)
    steps = typed(body, "steps", list[str], [])
    reloaded = _reload_if_edited(page)
    wanted = rerun_request(page.store, record, from_failure=from_failure, steps=steps)
    return _started(page, wanted, reloaded)


def cancel(page: PageState, body: Any, request: Request) -> dict[str, Any]:
    """Ask a run to stop."""
    check_fields(body)
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
    check_fields(body, "runs")
    ids = list(dict.fromkeys(typed(body, "runs", list[str], [])))
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
    check_fields(body)
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


def _for_project(page: PageState, wanted: RunRequest) -> RunRequest:
    """The request with the default partition of the project."""
    return msgspec.structs.replace(wanted, default_partition=page.project.partition)


def _of_assets(plan: Plan) -> Iterator[Step]:
    """The first step of each computation: config is that of an asset, and not of a partition."""
    first = {step.computation: step for step in reversed(plan.steps)}
    yield from reversed(first.values())


def _named(step: Step) -> str:
    """What the config of a step goes by: its asset, where it makes partitions."""
    first = step.outputs[0]
    return step.id if first.partition is None else first.key.text


def _started(page: PageState, wanted: RunRequest, reloaded: bool) -> dict[str, Any]:
    request = msgspec.structs.replace(_for_project(page, wanted), launched_by=LAUNCHED_BY)
    started = launch_process(request, page.project, page.store)
    page.look()
    return {"run_id": started.run_id, "message": started.message, "reloaded": reloaded}


def read_wanted(body: Mapping[str, Any]) -> RunRequest:
    """The launch that a request's body asks for. Raises `AssetGraphError` for a bad body."""
    check_fields(body, *_WANTED)
    config = typed(body, "config", dict[str, dict[str, Any]], {})
    text = typed(body, "config_text", str, "")
    return RunRequest(
        selection=tuple(typed(body, "selection", list[str], [])),
        partitions=tuple(typed(body, "partitions", list[str], [])),
        stale=typed(body, "stale", bool, False),
        only=tuple(typed(body, "only", list[Literal["missing", "failed"]], [])),
        config=parse_config(text) if text.strip() else config,
        tags=typed(body, "tags", dict[str, str], {}),
        executor=typed(body, "executor", str | None, None),
        jobs=typed(body, "jobs", int | None, None),
    )


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
