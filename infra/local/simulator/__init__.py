"""Simulates OpenAI and Azure OpenAI, with and without faults, for `antiphon local` and for tests.

server         builds the application, and serves it in an event loop or in a thread
├── routes         one handler per endpoint of responses, conversations and models
├── files, uploads, vector_stores, vector_store_files
│                  the same for the objects that file, upload and vector_store define
├── file_search    finds words in the files of vector stores
├── resource_delivery   replies to the creation of an object, and sends contents
├── resource_scenarios  the table of scenarios by the name of such an object
├── api_request    one HTTP request, its provider and its account
├── request_body   validates bodies, and reads the fields of a create request
├── multipart      reads forms; pages builds pages of lists
├── scenarios      the table of scenarios by model name; scenario defines what one may change
├── responses      builds a response; output, schema_values and items build its parts
├── events         the response as stream events; stream encodes them as bytes
├── delivery       sends a response, until its end or until the scenario disconnects
├── recording      records requests and sends scripted answers, for tests
├── state          what an account has, in stores that bounded_store limits
└── errors         error responses of the providers
"""
