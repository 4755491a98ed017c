"""The checks of a deployed stack, by AWS's own APIs: each takes an account, returns a finding."""
