"""What `--job` asks for: the selection, the config and the tags of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.cli.session import Session


def of_job(session: Session, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request for a run of a job. The config and the tags that are `given` go
    before its own. Raises `InvalidDefinitionError` for a job that is not defined."""
    from assetgraph.definitions.run_config import run_config_texts
    from assetgraph.states import JOB_TAG

    job = session.project.load().get_job_def(name)
    config = run_config_texts(job.config)
    for key, fields in given.get("config", {}).items():
        config[key] = {**config.get(key, {}), **fields}
    return {
        "selection": (job.selection.text,),
        "config": config,
        "tags": {**job.tags, JOB_TAG: name, **given.get("tags", {})},
    }
