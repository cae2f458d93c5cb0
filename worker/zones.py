"""Time zones by the names that events and settings give, which may be wrong."""

from functools import lru_cache
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")


@lru_cache(maxsize=1_000)
def zone(*names: str | None) -> ZoneInfo:
    """The first of these that is a time zone, such as `Europe/Berlin`; UTC if none is."""
    for name in names:
        if name:
            try:
                return ZoneInfo(name)
            except (LookupError, ValueError, OSError):  # no such file, no file name, or a folder
                continue
    return UTC
