"""`/livez`, `/readyz` and `/metrics` of every process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from shared.metrics import READY

Check = Callable[[], Awaitable[str | None]]
CHECK_SECONDS = 3.0


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`checks`: name → coroutine that answers None, or why the part is not ready."""
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Every part this process needs answers; 503 and the reasons otherwise."""
        reasons = await unready(checks)
        status = "unavailable" if reasons else "ok"
        return JSONResponse({"status": status, "reasons": reasons}, 503 if reasons else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def unready(checks: Mapping[str, Check]) -> dict[str, str]:
    """Part → why it is not ready; the gauge says whether there are any."""
    answers = await asyncio.gather(*(_answer(check) for check in checks.values()))
    reasons = {name: why for name, why in zip(checks, answers, strict=True) if why is not None}
    READY.set(0 if reasons else 1)
    return reasons


async def _answer(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:.0f} s"
    except Exception as error:  # a check that breaks is a part that is not ready
        return str(error) or type(error).__name__
