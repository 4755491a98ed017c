"""`antiphon local`: the deployed functions on a developer's machine, in real runtime processes.

command, options    CLI; accepted keys, configuration, ports and limits
supervisor          runs a gateway until a signal
└── gateway         starts all of the following in order, and ends them
    ├── target_setup   which targets are simulated, and the credentials of the others
    ├── aws            a moto server in a process of its own; event source mappings
    ├── simulator      the simulated provider, in a process of its own
    ├── runtime_api    runtime processes, each with a Runtime API and an invocation slot
    └── http           Function URL and REST API: requests to events, chunks to responses
startup_report      lines and files once the gateway is ready; instance_file: for other commands
processes           child processes
"""
