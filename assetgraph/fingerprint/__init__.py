"""Code versions: a hash of everything of the project that a function can reach by name."""

from assetgraph.fingerprint.table import Node, Table
from assetgraph.fingerprint.versions import CodeVersions, Definition

__all__ = ["CodeVersions", "Definition", "Node", "Table"]
