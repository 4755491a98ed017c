"""Sends requests to the providers and reads their responses."""
