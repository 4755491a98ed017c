"""Plays OpenAI and Azure OpenAI, well and badly, for `antiphon local` and for tests.

server     the application: which path leads to which room
├── routes     one file per resource: creating, stored, conversations, models, counting; listing
├── call       one request in its dialect and account; dialects, checks, refusals
├── scenarios  the table of behaviours by model name; scenario, tunable, tales, cuts, pages, endings
├── answers    an ask made into a response; ask, speech, calls, fitting, items, usage
├── events     a response told as events; pace (when each is due), frames (as bytes)
├── state      what is remembered, per account
└── sending    bytes on their way, until the end that the scenario wants

serving    at an address, as a process (__main__), or beside a test; recording: what tests ask for
"""
