"""A project that version 0.1.0 materialized: each way to keep a value, each way for a run to end."""
