"""The assets of the pipeline: `trips` and `zones`, and the `metrics` made of them."""
