"""Rate limits, concurrency limits and budgets of keys and tenants."""
