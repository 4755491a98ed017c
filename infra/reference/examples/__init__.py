"""Requests and answers as a reader may copy them."""
