"""`antiphon doctor`: what a deployment is seen to do, from where its users are.

command      the command, its options and how it ends
table        the checks as data: in which order, what each needs, whether it costs
checks       one function for each check: a session in, a finding out
session      one deployment under one key: what several checks look at is asked for once
answer       what one call gave
recording    a stream, with the time at which each event came
finding      what a check found: ok, fails or skipped, and what to do
advice       what to do about an answer or an error that should not be
examination  goes through the table
report       tables for people, JSON for machines

Nothing here knows how the gateway is made: it sees what a client sees.
"""
