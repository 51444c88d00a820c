"""What no answer may show: how the platform is made inside."""

import re

_INSIDES = re.compile(
    rb"Traceback \(most|File \"|site-packages|sqlalchemy|psycopg|asyncpg|aiokafka|uvicorn"
    rb"|starlette|pydantic\.dev|\.py\b|INSERT INTO|SELECT [a-z*]|UPDATE [a-z.]+ SET|\bpg_[a-z]+"
    rb"|/work/|/home/|/usr/lib|/tmp/|0x[0-9a-f]{12}",
    re.IGNORECASE,
)


def insides_of(body: bytes) -> str:
    """What a body shows that it may not; "" when there is nothing."""
    found = _INSIDES.search(body)
    return found[0].decode(errors="replace") if found else ""
