"""The graph of assets, and what is selected in it."""
