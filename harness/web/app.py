"""The store as web pages: list, filter, open, compare, download.  It only reads.

The pages are for the person at this machine.  A request that names another host (a foreign name
may be made to point here), that another site's page makes, or that is no GET or HEAD is refused,
and what is served may load nothing from anywhere.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Iterator, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from harness.web import shelf
from histories.store import PAGE

TEXT = (".txt", ".json", ".jsonl")
CHUNK_BYTES = 1 << 16
POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
          "base-uri 'none'; frame-ancestors 'none'")
WITH_SCRIPTS = f"{POLICY}; script-src 'unsafe-inline'"       # the report's own, and no others
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
TEMPLATES = Environment(loader=PackageLoader("harness.web", "."), autoescape=True,
                        undefined=StrictUndefined)


def app(root: Path, hosts: Sequence[str] = ("127.0.0.1", "localhost")) -> Starlette:
    """The pages of the store at `root`, for requests to one of `hosts`."""
    served = Starlette(
        routes=[Route("/", listing), Route("/compare", compare),
                Route("/run/{name}/{number}", one_run),
                Route("/run/{name}/{number}/{file}", one_file),
                Route("/zip/{name}/{number}", download)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
                    Middleware(BaseHTTPMiddleware, dispatch=guard)])
    served.state.root = root
    return served


async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Refuse what another site asks; say in every answer what its content may do."""
    origin, host = request.headers.get("origin"), request.headers.get("host")
    foreign = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    if request.method not in ("GET", "HEAD"):
        answer: Response = Response("this only reads\n", 405, {"Allow": "GET, HEAD"})
    elif origin not in (None, f"http://{host}") \
            or foreign and request.headers.get("sec-fetch-mode") != "navigate":
        answer = Response("not for other sites\n", 403)
    else:
        answer = await call_next(request)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


def listing(request: Request) -> Response:
    """All runs, or those that the filters leave."""
    root: Path = request.app.state.root
    everything = shelf.rows(root)
    wanted = {key: request.query_params.get(key, "") for key in shelf.FILTERS}
    shown = [row for row in everything if row.matches(wanted)]
    return _page("list.html", title=str(root), rows=shown[:shelf.ROWS_MAX], count=len(shown),
                 total=len(everything), wanted=wanted, choices=shelf.values(everything))


def one_run(request: Request) -> Response:
    """What a run was, came to, and left."""
    row = _asked(request, f"{_param(request, 'name')}/{_param(request, 'number')}")
    files = shelf.files(row.path)
    return _page("run.html", title=row.name, row=row, page=PAGE if PAGE in files else "",
                 files={name: path.stat().st_size for name, path in files.items()})


def one_file(request: Request) -> Response:
    """One file of a run, as text where it is text."""
    row = _asked(request, f"{_param(request, 'name')}/{_param(request, 'number')}")
    path = shelf.files(row.path).get(_param(request, "file"))
    if path is None:
        raise HTTPException(404)
    if path.name == PAGE:
        return FileResponse(path, media_type="text/html",
                            headers={"Content-Security-Policy": WITH_SCRIPTS})
    if path.suffix in TEXT:
        return FileResponse(path, media_type="text/plain")
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def compare(request: Request) -> Response:
    """Two runs side by side, and where their records differ first, in the words of `diff`."""
    one, other = (_asked(request, request.query_params.get(key, "")) for key in ("one", "other"))
    return _page("compare.html", title="Two runs", one=one, other=other,
                 difference="\n".join(shelf.first_difference(one, other)),
                 tests=shelf.side_by_side(one.test, other.test),
                 parts=shelf.side_by_side(one.parts, other.parts))


def download(request: Request) -> Response:
    """A run's files as one zip archive."""
    row = _asked(request, f"{_param(request, 'name')}/{_param(request, 'number')}")
    name = row.name.replace("/", "-")
    return StreamingResponse(
        _zipped(row, name), media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}.zip"'})


def _zipped(row: shelf.Row, name: str) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in shelf.files(row.path).values():
                archive.write(each, f"{name}/{each.name}")
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _param(request: Request, key: str) -> str:
    return str(request.path_params[key])


def _asked(request: Request, name: str) -> shelf.Row:
    """The run of this name, or 404."""
    row = shelf.find(request.app.state.root, name)
    if row is None:
        raise HTTPException(404)
    return row


def _page(template: str, **values: object) -> Response:
    return HTMLResponse(TEMPLATES.get_template(template).render(**values))
