"""The version of assetgraph, which every run records."""

__version__ = "0.1.0"
