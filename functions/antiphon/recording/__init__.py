"""Reads provider responses as they pass and writes links and usage."""
