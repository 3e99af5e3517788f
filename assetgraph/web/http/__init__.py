"""The server, its routes, the guard, and the files that browsers load."""
