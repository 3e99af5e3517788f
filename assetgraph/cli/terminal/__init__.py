"""Where lines go, and how text fits into cells."""
