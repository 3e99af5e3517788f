"""The graph of assets, and the selection language."""
