"""What differs between providers, as pure functions: addresses, errors, capabilities."""
