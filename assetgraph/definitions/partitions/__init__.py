"""Partitions: their definitions, their keys, and how those of one asset map to those of another."""
