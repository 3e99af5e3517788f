"""Text on a terminal: styles, widths, tables, and where output goes."""
