"""Endpoints: each turns a request into JSON."""
