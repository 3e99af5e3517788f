"""The assets of the pipeline: `trips`, `zones`, and the `metrics` computed from them."""
