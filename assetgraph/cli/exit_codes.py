"""The exit codes of the command line. Errors with a code of their own are in `errors.py`."""

from __future__ import annotations

RUN_FAILED = 1
NOT_FRESH = 1
STORE_DAMAGED = 1
WRONG_USE = 2
BUG = 70
CANCELED = 130
READER_GONE = 141  # what a shell reports for a process that SIGPIPE ended
