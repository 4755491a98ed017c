"""Simulates OpenAI and Azure OpenAI, with and without faults, for `antiphon local` and for tests.

server         builds the application, and serves it in an event loop or in a thread
├── routes         one handler per endpoint of responses, conversations and models
├── files, uploads, vector_stores, vector_store_files, containers, container_files, skills, batches
│                  the same for the objects that file, upload, vector_store and so on define
├── batch_run      runs the requests of a batch
├── creation       creates responses, for routes and for batch_run
├── resource_delivery   replies to the creation of an object, and sends contents
├── resource_scenarios  the table of scenarios by the name of such an object
├── references     checks that the objects exist that a body names
├── hosted_tools   uses the tools that the provider runs: web_search, image_generation, mcp and
│                  file_search play one each; tool_use is what the use adds to a response
├── client_calls   calls the tools that the client runs; tool_choice selects among all tools
├── api_request    one HTTP request, its provider and its account
├── request_body   validates bodies, and reads the fields of a create request; parameters,
│                  supported_values, tool_definitions, strict_schemas and item_pairs have checks
├── multipart      reads forms; pages builds pages of lists
├── scenarios      the table of scenarios by model name; scenario defines what one may change
├── responses      builds a response; output, schema_values, logprobs and items build its parts
├── events         the response as stream events, item_events those of one item; stream encodes them
├── delivery       sends a response, until its end or until the scenario disconnects
├── recording      records requests and sends scripted answers, for tests
├── state          responses and conversations of an account; project has its other objects
└── errors         error responses of the providers
"""
