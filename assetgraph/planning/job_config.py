"""What is wrong with the config of jobs, found without a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assetgraph.definitions.config_env import variables_in
from assetgraph.definitions.config_fields import fields_of
from assetgraph.definitions.run_config import run_config_texts
from assetgraph.errors import AssetGraphError, Problem
from assetgraph.planning.checked_config import checked_config
from assetgraph.planning.request import config_by_key, resource_config
from assetgraph.planning.resource_config import configured

if TYPE_CHECKING:
    from assetgraph.definitions.automation.job import JobDefinition
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.graph.definitions import Definitions


def job_config_problems(definitions: Definitions) -> Iterator[Problem]:
    """A problem for each job whose config does not fit its assets. What comes from environment
    variables is known in a run only."""
    for job in definitions.jobs:
        try:
            _check(definitions.graph, job)
        except AssetGraphError as error:
            file, line = job.place
            what = f"the config of the job {job.name!r}: {error.message}"
            yield Problem(file, line, what, error.hint or "")


def _check(graph: AssetGraph, job: JobDefinition) -> None:
    config = run_config_texts(job.config)
    if given := resource_config(graph, config):
        configured(graph, given)
    for key, fields in config_by_key(graph, config).items():
        kind = graph.computation(key).config_type
        if kind is None or not variables_in(fields_of(kind), fields):
            checked_config(graph, {key: fields})
