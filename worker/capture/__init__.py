"""Ways in: what the outside world calls, and the processes that listen to it."""
