"""Pictures of a graph, drawn from cards and edges: SVG, a tree for the terminal, Mermaid, DOT."""
