"""Where the migrations and rules that ship are: inside the wheel, else in the checkout."""

from pathlib import Path

_WHEEL = Path(__file__).parent / "_shipped"
_CHECKOUT = Path(__file__).parent.parent


def alembic_dir() -> Path:
    """The folder of the database migrations, as Alembic's `script_location`."""
    return _folder("alembic")


def rules_dir() -> Path:
    """The folder of the rule files that ship, used where an admin has none."""
    return _folder("rules")


def _folder(name: str) -> Path:
    packed = _WHEEL / name
    return packed if packed.is_dir() else _CHECKOUT / name
