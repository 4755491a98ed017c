"""`antiphon doctor`: tests a live deployment from a client's point of view.

command    the command, its options and its exit status
checklist  the checks as data, and how they are run
checks     the checks: each takes a session and returns a finding
session    one deployment with one key; caches what several checks need
responses  what a request returned: a whole response, or a stream with arrival times
findings   the result of a check, and advice for errors
report     tables for people, JSON for machines

Nothing in this package imports the gateway's code: it sees only what a client sees.
"""
