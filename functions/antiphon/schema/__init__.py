"""Request bodies and queries: parsed strictly, with only the fields that the gateway acts on."""
