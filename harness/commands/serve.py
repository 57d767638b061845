"""Serve the store as web pages: list, filter, open, compare, download; on this machine only."""

from __future__ import annotations

import argparse
import socket

from harness.commands.run import add_store
from histories import UsageError

HOST, PORT = "127.0.0.1", 8011
PORT_MAX = 65535


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which store, and where."""
    add_store(parser)
    parser.add_argument("--host", default=HOST, metavar="NAME",
                        help="address to listen on, and name to answer to (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORT,
                        help="0 takes a free one (default: %(default)s)")


def execute(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        import uvicorn

        from harness.web.app import app
    except ImportError as problem:
        raise UsageError("serve takes the extra: pip install 'double-eleven[serve]' "
                         f"({problem})") from None
    if not 0 <= arguments.port <= PORT_MAX:
        raise UsageError(f"port is {arguments.port}, expected a number from 0 to {PORT_MAX}")
    if not arguments.store.is_dir():
        raise UsageError(f"{arguments.store}: no such folder")
    pages = app(arguments.store, (HOST, "localhost", arguments.host))
    with listening(arguments.host, arguments.port) as taken:
        print(f"http://{arguments.host}:{taken.getsockname()[1]}/  serves {arguments.store}; "
              "Ctrl-C ends it", flush=True)
        server = uvicorn.Server(uvicorn.Config(pages, log_level="warning", access_log=False,
                                               lifespan="off"))
        try:
            server.run(sockets=[taken])
        except KeyboardInterrupt:
            pass
    return 0


def listening(host: str, port: int) -> socket.socket:
    """A socket there, or one line that says why not."""
    try:
        return socket.create_server((host, port))
    except OSError as problem:
        raise UsageError(f"{host}:{port}: cannot listen there: {problem.strerror}") from None
