"""`python -m assetgraph` is `assetgraph`."""

from __future__ import annotations

from assetgraph.cli import main

if __name__ == "__main__":  # a child that multiprocessing spawns imports this under another name
    main()
