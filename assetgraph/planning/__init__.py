"""Planning: which steps a run has, and why."""
