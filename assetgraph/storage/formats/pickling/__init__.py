"""Pickles: how a value is written, hashed and read, and how our own classes are named in it."""
