"""The only SQL of tiewatch: tables, sessions, the event log, stats, flags, outbox and messages."""
