"""`antiphon keys`: the keys that apps call the gateway with.

group       the command group, and its help
creating    create: tenant, models, limits, expiry
listing     list, show
ending      revoke, rotate
arguments   what the commands take: a named key, a tenant, models, limits
telling     a key as JSON, as a row, as facts; never the key itself, nor its hash
"""
