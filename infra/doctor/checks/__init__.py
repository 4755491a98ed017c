"""The checks: each takes a session, sends the requests it needs, and returns a finding."""
