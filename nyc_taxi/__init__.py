"""The NYC taxi pipeline of the Dagster Essentials course, on assetgraph."""
