"""The parts of `docs/` that are written from the code: error codes, CDK options, costs."""
