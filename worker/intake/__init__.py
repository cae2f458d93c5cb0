"""Batches of events on their way in: into the log and the stats, exactly once."""
