"""A standalone asset-graph engine: functions become assets, parameters become lineage."""
