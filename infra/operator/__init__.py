"""`antiphon keys` and what else operators do, with their own AWS credentials and no admin endpoint.

deployment   which installation a command is about: a stack, or the gateway on this machine
stack, here  how either is found
failures     what AWS refuses, told in words
printing     tables for people, JSON for machines
durations    durations and points in time, as options take them
keys         the commands about API keys
"""
