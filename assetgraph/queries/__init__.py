"""Read-only queries that the command line, the page and notebooks share."""
