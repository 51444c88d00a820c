"""The built front end: the wall at `/`, the console at `/console`, open data at `/data`, and their
files at `/assets`."""

import os
from collections.abc import Mapping
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.web.security import PAGE, policy, style_source

DIST = Path(__file__).parent / "wall" / "dist"
_STYLE = "body { font: 20px sans-serif; background: #14181D; color: #E6EAEE; padding: 3em }"
_NOT_BUILT = f"""<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>一网</title><style>{_STYLE}</style>
<body>
<h1>大屏尚未构建 · The wall has not been built</h1>
<p>请运行 <code>make wall</code>，然后刷新本页。</p>
<p>Run <code>make wall</code>, then reload this page.</p>
</body></html>
"""


class Assets(StaticFiles):
    """Files whose names carry the hash of their content: kept for ever.

    Where the build left a packed copy beside a file (`.gz`), whoever can unpack it is sent that.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, with headers that let it be kept."""
        packed = Path(f"{os.fspath(full_path)}.gz")
        if "gzip" in Headers(scope=scope).get("accept-encoding", "") and packed.is_file():
            response = super().file_response(packed, packed.stat(), scope, status_code)
            response.headers["Content-Type"] = guess_type(packed.stem)[0] or "text/plain"
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        return response


def pages_router(dist: Path = DIST) -> APIRouter:
    """The pages."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def wall() -> Response:
        return _page(dist / "index.html")

    @router.get("/console")
    async def console() -> Response:
        return _page(dist / "console.html")

    @router.get("/data")
    async def data() -> Response:
        return _page(dist / "data.html")

    return router


def _page(file: Path) -> Response:
    if file.is_file():
        return FileResponse(file, headers=_headers(PAGE))
    styled = PAGE | {"style-src": style_source(_STYLE)}
    return HTMLResponse(_NOT_BUILT, status_code=503, headers=_headers(styled))


def _headers(rules: Mapping[str, str]) -> dict[str, str]:
    return {"Content-Security-Policy": policy(rules), "Cache-Control": "no-cache"}
