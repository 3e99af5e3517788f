"""The user's project: finding it, reading its settings, and loading its definitions."""
