"""The HTTP endpoints in front of a function: a Function URL and an API Gateway REST API."""
