"""Local days: every date in the product is an Asia/Shanghai day."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local_day(at: datetime) -> date:
    """Tell which Asia/Shanghai day a moment falls on."""
    return at.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """Name the moment at which a local day begins."""
    return datetime.combine(day, time.min, SHANGHAI)


def local_time(at: datetime) -> str:
    """Write a moment as facts keep it: RFC 3339 in Asia/Shanghai, with its offset."""
    return at.astimezone(SHANGHAI).isoformat()
