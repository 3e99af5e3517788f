"""What keeps the page up to date."""
