"""Read-only answers that every view shares: the command line, the page, a notebook."""
