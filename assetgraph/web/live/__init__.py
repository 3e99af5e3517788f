"""The state that the page answers from, kept up to date."""
