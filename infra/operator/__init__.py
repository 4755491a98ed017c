"""`antiphon keys`, `adopt` and `usage`: for operators, with their own AWS credentials.

deployment        which installation a command works on: a stack, or the gateway on this machine
stack             a stack's outputs, its resources, and clients for it
aws_errors        errors of AWS as messages that state what to do
output            tables for people, JSON for machines
param_types       the types of options and arguments
keys              the commands for API keys
key_options       the argument KEY, the keyring, and options for limits
key_update        the command `antiphon keys update`
key_settings      what gateway.toml says about keys: served models, limits of tenants
key_limits        the limits of a key and its tenant, with what is used
key_presentation  a key as JSON, as a row, as a list of facts
adopt             the command `antiphon adopt`
usage             the command `antiphon usage`
cost              the command `antiphon cost`, which needs no credentials
usage_report      usage as JSON, CSV, or a table with a chart
"""
