"""Where records, values and locks are kept."""
