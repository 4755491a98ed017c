"""`antiphon doctor`: tests a live deployment, from a client's point of view and in its account.

command          the command, its options and its exit status
base_url         base URLs as users give them
runs             runs of all checks, with their progress
check            a check as data, its result, and how checks run one after the other
findings         the result of a check, and advice for errors
report           tables for people, JSON for machines

From a client's point of view, without any knowledge of the gateway's code:
checklist        the checks as data
checks           the checks: each takes a session and returns a finding
session          one deployment with one key; caches what several checks need
responses        what a request returned: a whole response, or a stream with arrival times

In the account, with the operator's AWS credentials:
stack_checklist  the checks as data
stack_checks     the checks: each takes an account and returns a finding
account          a stack in its account; what AWS refuses, as exceptions
"""
