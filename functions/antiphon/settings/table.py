"""The keys of the one DynamoDB table: the stack creates what the store reads and writes.

The tenant is part of every partition key, except that of `K#…`, `G#…`, `W#…` and of two partitions
of the index `by_time` that only operators read (`KEYS`, `USAGE`).

Partition key                       Sort key      Row                                  Expires
K#sha256(key)                       KEY           an API key
G#CIRCUITS                          STATE         targets with an open circuit
W#account#id                        OWNER         the tenant of an id that is reported yes
T#tenant#R#response                 LINK          the link of a response               yes
T#tenant#C#conversation             LINK          the link of a conversation           yes
T#tenant#Z#request                  LINK          the link of a compaction             yes
T#tenant#file#id, …#container#id, … LINK          the link of a resource               yes
T#tenant#R#response, …#Z#request    COUNTED       what was added to the usage sums     yes
(as LINK)                           ANNOUNCED     that its end was announced          yes
T#tenant#file#id, …                 STORED        what was added to the storage rows   yes
T#tenant#X#item                     ITEM          the owner of an item                 yes
T#tenant#M#R#sha256(pair)           time#id       the metadata index                   yes
T#tenant#I#sha256(Idempotency-Key)  CLAIM         the request that a key stands for    yes
T#tenant#L, T#tenant#L#key_id       LIMITS        counters and reservations            yes
T#tenant#L#HELD, …#L#key_id#HELD    reservation   a reservation that was moved         yes
T#tenant#S, T#tenant#S#key_id       LIMITS        what is stored, and reservations
T#tenant#U                          day#model#…   a usage sum
T#tenant#W                          ENDPOINTS     all webhook endpoints of a tenant
T#tenant#W#endpoint                 time+event    the state of a delivery              yes
"""

PARTITION_KEY = "pk"
SORT_KEY = "sk"
# The TTL attribute, in epoch seconds. DynamoDB deletes rows up to days late, so readers check it.
TTL = "expires_at"
# By name: the partition key and the sort key, both strings. Every attribute is projected.
INDEXES = {
    "by_time": ("by_time_pk", "by_time_sk"),  # the links of a tenant by their creation time
    "by_root": ("by_root_pk", "by_root_sk"),  # a tree of responses by its root
}
