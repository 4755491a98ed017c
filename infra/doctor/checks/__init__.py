"""The checks: each takes a session, asks for what it needs, and gives a finding."""
