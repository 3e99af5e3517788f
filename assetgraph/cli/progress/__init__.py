"""How a run in progress is shown: as a live window on a terminal, or as plain lines."""
