"""Pictures of a graph. They know cards and edges, not assets."""
