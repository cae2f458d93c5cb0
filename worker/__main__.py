"""`python -m worker`: the command line, for processes that start one another."""

from worker.cli import main

main()
