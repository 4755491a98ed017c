"""Builds the OpenAPI 3.1 document from the models that validate: functions/reference/openapi.json.

`python -m infra.reference` writes it; with `--check` it compares, and fails with the difference.
"""
