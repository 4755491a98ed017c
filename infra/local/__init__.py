"""`antiphon local`: the deployed functions on your own machine, in real runtime processes.

command, run     options and help; a gateway until a signal ends it
session          starts all of the following in order, and ends it
├── cast, keys   who plays each target, which keys are accepted
├── aws          a moto server with our table, queue and secrets, in a process of its own
├── simulator    plays targets without a credential, in a process of its own
├── pool         the runtime processes, each an environment that takes one event at a time:
│                runtime (the process), desk (who has the event), runtime_api, exchange, wire
├── feeders      the functions behind the queue and the table's stream, when there is work:
│                queue_event and stream_event make events of what aws_json brings
└── ports        two doors: receive, call, url_event and rest_event make an event of a request;
                 front, prelude and invocation make an HTTP answer of what the runtime writes
report           what is told once all of it serves
"""
