"""Lambda's Runtime API for one function: runtime processes, and the invocations they answer."""
