"""The commands, each in a module of its own or together with a related one."""
