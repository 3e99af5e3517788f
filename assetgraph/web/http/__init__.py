"""Requests, rules and files of the page."""
