"""Edits of small projects: an edit that matters leads to a new version and a reason that names what
changed, any other edit to none."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_projects import Edit, before_and_after, read_edits

from assetgraph.code.changes import Comparison

EDITS = [*read_edits("ordinary.txt"), *read_edits("hard.txt")]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.title)
def test_an_edit_that_matters_is_seen_and_named(edit: Edit, tmp_path: Path) -> None:
    before, after = before_and_after(tmp_path, edit)
    found = Comparison(before.table, after.table).changes(
        before.versions["result"], after.versions["result"]
    )

    assert repr(before.value) != repr(after.value), "the edit should matter"
    assert before.versions["result"] != after.versions["result"]
    assert tuple(change.name + "?" * (change.kind == "value") for change in found) == edit.names
    assert before.versions["unrelated"] == after.versions["unrelated"]


@pytest.mark.parametrize("edit", read_edits("neutral.txt"), ids=lambda edit: edit.title)
def test_an_edit_that_changes_nothing_keeps_the_version(edit: Edit, tmp_path: Path) -> None:
    before, after = before_and_after(tmp_path, edit)

    assert repr(before.value) == repr(after.value), "the edit should not matter"
    assert before.versions == after.versions
