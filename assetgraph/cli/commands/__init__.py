"""The commands: a module each, or for two that share their options."""
