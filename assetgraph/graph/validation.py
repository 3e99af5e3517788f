"""Problems among the assets of a graph: duplicates, cycles, types that clash."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import EMPTY, edge_contradiction
from assetgraph.definitions.computation import is_config_type
from assetgraph.definitions.problems import definition_problems
from assetgraph.errors import Problem
from assetgraph.graph.walk import walk
from assetgraph.hints import UTF8_REMEDY
from assetgraph.keys import AssetKey

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.graph.connected import Connected


_REMEDY_OF_PARTITIONS = (
    "To read earlier partitions of the asset itself, say which: "
    "AssetIn(partition_mapping=TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))."
)


def graph_problems(graph: Connected) -> Iterator[Problem]:
    """Every problem except unresolved names, which `Connections` finds."""
    yield from _duplicates(graph)
    yield from _names_of_two_computations(graph)
    yield from _keys_that_differ_in_case(graph)
    if sys.getfilesystemencoding() != "utf-8":
        yield from _keys_that_name_no_file(graph)
    for computation in graph.computations.values():
        yield from definition_problems(computation)
    yield from _cycles(graph)
    if graph.checks:
        from assetgraph.graph.check_problems import check_problems

        yield from check_problems(graph)
    for computation in graph.computations.values():
        if len(computation.specs) > 1:
            yield from _waits_for_itself(graph, computation)
            yield from _differ_in_partitions(computation)
        yield from _annotations_that_clash(graph, computation)
        yield from _config_or_asset(graph, computation)
    if graph.externals:
        for computation in graph.computations.values():
            yield from _loads_what_is_elsewhere(graph, computation)
    yield from _wrong_partitions(graph)
    if graph.resources or any(map(_needs_resources, graph.computations.values())):
        from assetgraph.graph.bound_resources import resource_problems

        yield from resource_problems(graph.computations.values(), graph.resources)


def graph_warnings(graph: Connected) -> Iterator[Problem]:
    """What is allowed but may be a mistake.

    That is a parameter that keeps its default although an asset has its name, a call of another
    asset, an annotation of unknown names, or a variable of a resource that is not set.
    """
    from assetgraph.graph.code_warnings import code_warnings  # only `check` asks

    for computation in graph.computations.values():
        if computation.is_external:
            continue
        for message, remedy in code_warnings(computation):
            yield _problem(computation, message, remedy)
        for parameter in computation.parameters:
            name = parameter.name
            if (
                parameter.has_default
                and name not in graph.inputs(computation.specs[0].key)
                and AssetKey.unchecked([name]) in graph.assets
            ):
                yield _problem(
                    computation,
                    f"parameter {name!r} of {computation.label} has a default, so it does "
                    "not read the asset of that name.",
                    f"To read it, remove the default, or add ins={{{name!r}: {name!r}}}. "
                    "Otherwise rename the parameter.",
                )
    if graph.resources:
        from assetgraph.graph.unset_variables import unset_variables

        yield from unset_variables(graph)


def _needs_resources(computation: Computation) -> bool:
    if computation.required_resource_keys:
        return True
    if computation.parameters and computation.resource_parameters:
        return True
    for spec in computation.specs:  # noqa: SIM110 - a generator takes longer than all the rest
        if spec.io_manager_key is not None:
            return True
    return False


def _duplicates(graph: Connected) -> Iterator[Problem]:
    for key, first, second in graph.duplicates:
        what = "check" if key in graph.checks else "asset"
        yield _problem(
            second,
            f"{what} {key.text!r} is defined twice: {first.place} and {second.place}.",
            "Rename one: name=." if what == "check" else "Rename one, or give it a key_prefix=.",
            key,
        )


def _names_of_two_computations(graph: Connected) -> Iterator[Problem]:
    """Steps are called after their computations."""
    named = graph.computations
    for key in (*graph.assets, *graph.checks):
        made = graph.computation(key)
        if named[made.name] is not made:
            first, second = sorted((made, named[made.name]), key=lambda one: (one.file, one.line))
            yield _problem(
                second,
                f"two computations are called {made.name!r}: {first.place} and {second.place}.",
                "Rename one, or give it a name=.",
            )


def _keys_that_differ_in_case(graph: Connected) -> Iterator[Problem]:
    folded: dict[str, AssetKey] = {}
    for key in (*graph.assets, *graph.checks):
        known = folded.setdefault(key.text.casefold(), key)
        if known is not key:
            place = graph.computation(known).place
            yield _problem(
                graph.computation(key),
                f"the assets {known.text!r} ({place}) and {key.text!r} differ only in case: on "
                "many machines both would be the same file.",
                "Rename one.",
                key,
            )


def _keys_that_name_no_file(graph: Connected) -> Iterator[Problem]:
    """In a locale that is not UTF-8, some letters cannot be in the name of a file."""
    for key in graph.assets:
        try:
            os.fsencode(key.text)
        except UnicodeEncodeError as error:
            yield _problem(
                graph.computation(key),
                f"the asset {key.text!r} cannot have files in this locale ({error.encoding}).",
                UTF8_REMEDY,
                key,
            )


def _cycles(graph: Connected) -> Iterator[Problem]:
    for path in graph.cycles():
        shown = " -> ".join(key.text for key in path)
        yield _problem(
            graph.computation(path[0]),
            f"assets depend on each other in a cycle: {shown}.",
            _REMEDY_OF_PARTITIONS
            if len(path) == 2 and path[0] in graph.partitioned
            else "Remove one of these dependencies.",
            path[0],
        )


def _waits_for_itself(graph: Connected, computation: Computation) -> Iterator[Problem]:
    """One call materializes all outputs, so none may depend on another, directly or not."""
    own = {spec.key for spec in computation.specs if spec.key in graph.assets}
    behind = walk(own, graph.children).keys()
    for key in sorted(own):
        above = [parent for parent in graph.parents(key) if parent in behind and parent != key]
        if above:
            how = "," if above[0] in own else " through"
            yield _problem(
                computation,
                f"{computation.name!r} materializes all its assets in one call, but its asset "
                f"{key.text!r} depends on another of them{how} {above[0].text!r}.",
                f"Materialize {key.text!r} in a computation of its own.",
                key,
            )


def _differ_in_partitions(computation: Computation) -> Iterator[Problem]:
    """One call materializes the same partitions of all its assets."""
    first, *others = computation.specs
    for spec in others:
        if spec.partitions_def != first.partitions_def:
            yield _problem(
                computation,
                f"{first.key.text!r} and {spec.key.text!r} of {computation.name!r} have different "
                "partitions.",
                "Give partitions_def= to @multi_asset, for all of its assets.",
                spec.key,
            )
            return


def _config_or_asset(graph: Connected, computation: Computation) -> Iterator[Problem]:
    """A parameter `config` that is annotated with any class of fields may mean an asset too."""
    if computation.signature.only_names or computation.config_parameter is None:
        return
    name, annotation = computation.config_parameter[:2]
    if name == "config" and not is_config_type(annotation):
        for key in graph.assets:
            if key.name == name:
                yield _problem(
                    computation,
                    f"parameter 'config' of {computation.label} could be config, or the asset "
                    f"{key.text!r}.",
                    f"Write ins={{'config': {key.text!r}}} for the asset, or derive "
                    f"{annotation.__name__} from Config.",
                )


def _annotations_that_clash(graph: Connected, computation: Computation) -> Iterator[Problem]:
    if computation.signature.only_names:
        return
    annotations = {p.name: p.annotation for p in computation.inputs if p.annotation is not EMPTY}
    if not annotations:
        return
    for parameter, upstream in graph.inputs(computation.specs[0].key).items():
        maker = graph.computation(upstream)
        if parameter not in annotations or len(maker.specs) > 1:
            continue
        annotation = annotations[parameter]
        if upstream in graph.partitioned:
            annotation = _of_each_partition(graph, computation, parameter, annotation)
        returns = maker.returns
        if maker.makes_several_partitions:
            returns = _returned_for_each(returns)
        wrong = annotation is not None and edge_contradiction(returns, annotation)
        if wrong:
            yield _problem(
                computation,
                f"parameter {parameter!r} of {computation.label} does not fit what "
                f"{upstream.text!r} ({maker.place}) returns: {wrong}.",
                "Change one of the two annotations.",
            )


def _returned_for_each(returns: Any) -> Any:
    """What a function that returns each partition with its key returns for one, if it says so."""
    from assetgraph.definitions.gathered import gathered_as

    found = gathered_as(returns)
    return found.item if found is not None and found.is_mapping else EMPTY


def _of_each_partition(
    graph: Connected, computation: Computation, parameter: str, annotation: Any
) -> Any:
    """The annotation for each partition that a parameter loads; None where one is a problem of its
    own."""
    from assetgraph.graph.partition_edges import edges_of, of_one_partition

    edges = edges_of(graph, computation.specs[0].key)
    edge = next(edge for edge in edges if edge.parameter == parameter)
    return of_one_partition(annotation) if edge.is_several else annotation


def _wrong_partitions(graph: Connected) -> Iterator[Problem]:
    """Problems of mappings between partitions, and of what takes partitions."""
    partitioned = graph.partitioned
    for key in (*graph.assets, *graph.checks):
        computation = graph.computation(key)
        if key not in partitioned and computation.backfill_policy is not None:
            yield _problem(
                computation,
                f"asset {key.text!r} has a backfill policy, but no partitions.",
                "Give it a partitions_def=, or leave the policy out.",
                key,
            )
        if partitioned or computation.partition_mappings or computation.partition_columns:
            from assetgraph.graph.partition_edges import edge_problems

            for message, remedy in edge_problems(graph, key):
                yield _problem(computation, message, remedy, key)


def _loads_what_is_elsewhere(graph: Connected, computation: Computation) -> Iterator[Problem]:
    for parameter, upstream in graph.inputs(computation.specs[0].key).items():
        maker = graph.computation(upstream)
        if maker.is_external and not maker.has_value:
            yield _problem(
                computation,
                f"parameter {parameter!r} of {computation.label} loads {upstream.text!r} "
                f"({maker.place}), which something else makes and which has no value here.",
                f"Name it in deps=[{upstream.text!r}] and read it in the function, or give it an "
                "io_manager=, or declare its file with source_file.",
            )


def _problem(
    computation: Computation, message: str, remedy: str, key: AssetKey | None = None
) -> Problem:
    key = key or computation.specs[0].key
    return Problem(computation.file, computation.line, message, remedy, key.text)
