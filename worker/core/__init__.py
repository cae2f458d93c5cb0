"""The pure part of tiewatch: no I/O, no clock, no environment. Dates come in as arguments."""
