"""What a person writes: assets, their options, config and results."""
