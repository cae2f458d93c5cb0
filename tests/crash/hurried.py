"""`python -m worker`, but what a killed worker leaves comes back after seconds, not a minute.

Only the waiting is shorter: a test of recovery would otherwise do little else. And less is taken in
as one, so that a load gives more occasions to kill.
"""

from worker import cli
from worker.celery_app import app
from worker.running import gathering, transport


def hurry() -> None:
    """Wait less, and take in less as one, in this process and those it starts."""
    app.conf.task_time_limit = 8
    app.conf.broker_transport_options["visibility_timeout"] = 12
    transport.BACK_AFTER = 10.0
    gathering.FAT = 30_000
    app.conf.worker_lost_wait = 1  # seconds from a child's death until its batch is free again


if __name__ in ("__main__", "__mp_main__"):  # the gateway's processes are spawned as the latter
    hurry()
if __name__ == "__main__":
    cli.main()
