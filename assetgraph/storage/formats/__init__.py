"""One module a format: how a value of that kind becomes bytes, is hashed, and comes back."""
