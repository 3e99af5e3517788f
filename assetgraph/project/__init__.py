"""A person's project: its settings, and the assets that its modules define."""
