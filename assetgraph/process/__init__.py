"""What a run changes in its own process: output, signals, the garbage collector; and what its steps
read there."""
