"""What people do about flags from Slack, apart from how Slack asks and how its answer looks.

Everything here can be called again with the same key, and has its effect once.
"""
