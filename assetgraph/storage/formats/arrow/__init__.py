"""Tables as Arrow data: made from what an asset returns, hashed, written, read and converted.

Everything here imports pyarrow, so other modules import it only when a value is a table.
"""
