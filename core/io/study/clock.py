"""The time and the person, as they are written into a study."""

import getpass
from datetime import UTC, datetime


def now() -> str:
    """The time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def person() -> str:
    """The name of who is logged in, or "unknown" where the system does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
