"""Selections of assets, as texts of the selection language and as `AssetSelection`."""
