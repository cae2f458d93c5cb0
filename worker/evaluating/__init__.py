"""Accounts evaluated as of a date: facts, flags, and the alerts of what has moved."""
