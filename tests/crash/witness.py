"""`tests.crash.hurried`, but its children tell on which database connection each of them works."""

import os

from sqlalchemy import text

from tests.crash.hurried import main
from worker.celery_app import INGEST, app
from worker.store.database import writing
from worker.tasks import engine

TELL = "tests.tell"


@app.task(name=TELL, queue=INGEST)
def tell() -> None:
    """Note which process has which backend of PostgreSQL."""
    with writing(engine()) as db:
        db.execute(
            text("INSERT INTO witness VALUES (:process, pg_backend_pid())"),
            {"process": os.getpid()},
        )


if __name__ == "__main__":
    main()
