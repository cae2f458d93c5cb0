"""`tests.crash.hurried`, but large accounts are small, and making one anew takes longer than any
other task may: time enough to kill who is at it."""

import time
from typing import Any

from tests.crash.hurried import hurry
from worker import cli
from worker.celery_app import app
from worker.intake import listening
from worker.store.rebuilding import Rebuilt, rebuild

SECONDS = 5


def _dawdle(*given: Any, most: int | None, **named: Any) -> Rebuilt:
    done = rebuild(*given, most=most, **named)
    if most is None:
        time.sleep(SECONDS + 1)
    return done


if __name__ == "__main__":
    hurry()
    app.conf.task_time_limit = SECONDS
    listening.REREAD_AT_ONCE = 10
    listening.rebuild = _dawdle
    cli.main()
