"""The one table's shape: what the stack creates is what the store reads and writes.

Partition keys: `K#sha256(key)` a key, `G#…` what holds for all tenants, `T#tenant#R#response` and
`T#tenant#C#conversation` links of responses and conversations. Every other one begins so, too.
"""

PARTITION_KEY = "pk"
SORT_KEY = "sk"
TTL = "expires_at"  # epoch seconds; DynamoDB is late, so readers check it too
INDEXES = {  # index: (partition key, sort key), all strings, all projected
    "by_time": ("by_time_pk", "by_time_sk"),  # a tenant's links, in the order they were made
    "by_root": ("by_root_pk", "by_root_sk"),  # a tree of responses, by its root
}
