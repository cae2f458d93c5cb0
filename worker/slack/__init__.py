"""Alerts as people read them, and the way to Slack: words, Block Kit, the console card, sending."""
