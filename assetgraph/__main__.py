"""`python -m assetgraph` is `assetgraph`."""

from assetgraph.cli import main

main()
