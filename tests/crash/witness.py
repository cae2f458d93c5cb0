"""`tests.crash.hurried`, but its children tell on which database connection each of them works."""

import os

from sqlalchemy import text

from tests.crash.hurried import hurry
from worker import cli
from worker.celery_app import INGEST, app
from worker.running.runtime import engine
from worker.store.database import writing

TELL = "tests.tell"


def tell() -> None:
    """Note which process has which backend of PostgreSQL."""
    with writing(engine()) as db:
        db.execute(
            text("INSERT INTO witness VALUES (:process, pg_backend_pid())"),
            {"process": os.getpid()},
        )


app.task(name=TELL, queue=INGEST)(tell)

if __name__ == "__main__":
    hurry()
    cli.main()
