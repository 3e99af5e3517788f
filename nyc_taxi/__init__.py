"""The NYC taxi pipeline of the Dagster Essentials course, built with assetgraph."""
