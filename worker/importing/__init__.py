"""Ways in for history: what other products export to files."""
