"""The formats of stored values: one module per format, listed in `format_registry`.

`arrow/` and `pickling/` hold the parts of formats that import large libraries.
"""
