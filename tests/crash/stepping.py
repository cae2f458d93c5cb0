"""`tests.crash.hurried`, but of what has waited little is released at once: many steps to kill."""

from tests.crash.hurried import hurry
from worker import cli
from worker.store import waiting

waiting.AT_ONCE = 20

if __name__ == "__main__":
    hurry()
    cli.main()
