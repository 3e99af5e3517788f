"""What a run does to its own process: captured output, interrupts, a garbage collector at rest."""
