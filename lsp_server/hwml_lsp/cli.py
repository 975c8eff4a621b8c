"""`hwml-lsp`: start the language server on standard input and output, or on a port of this machine."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the client leaves; 0 after an orderly shutdown, 1 otherwise, 2 for wrong arguments."""
    options = _parser().parse_args(argv)
    _log_to(options.log, options.verbose)
    from .lanes import Lanes

    lanes = Lanes()
    lanes.start()  # its imports run while ours do
    try:
        return _serve(lanes, options)
    except KeyboardInterrupt:
        return 130
    finally:
        lanes.close()


def _serve(lanes: object, options: argparse.Namespace) -> int:
    from .lanes import Lanes
    from .named import Model
    from .protocol import Protocol
    from .server import make_server

    assert isinstance(lanes, Lanes)
    model = Model(options.model, options.endpoint, options.adapter)
    server = make_server(lanes, trusted=options.trust, model=model)
    if options.tcp is not None:
        server.start_tcp(*options.tcp)
    else:
        server.start_io()
    assert isinstance(server.protocol, Protocol)
    return 0 if server.protocol.shut_down_cleanly else 1


def _parser() -> argparse.ArgumentParser:
    from hwml_sdk import __version__

    parser = argparse.ArgumentParser(prog="hwml-lsp", description="Language server for HLS and Chisel.")
    parser.add_argument("--version", action="version", version=f"hwml-lsp {__version__}")
    parser.add_argument("--stdio", action="store_true", help="serve on standard input and output (the default)")
    parser.add_argument("--tcp", metavar="HOST:PORT", type=_address, help="serve one client on a port of this machine")
    parser.add_argument("--trust", action="store_true", help="treat the workspace as trusted (see hwml trust)")
    parser.add_argument(
        "--model", default="", metavar="NAME|FOLDER", help="generate modules with a local model, or one of --endpoint"
    )
    parser.add_argument("--endpoint", default="", metavar="URL", help="OpenAI-compatible endpoint, up to /v1")
    parser.add_argument("--adapter", default="", metavar="FOLDER", help="PEFT adapter on the local model")
    parser.add_argument("--log", metavar="FILE", help="log to a file instead of standard error")
    parser.add_argument("--verbose", action="store_true", help="log every message")
    return parser


def _address(text: str) -> tuple[str, int]:
    """HOST:PORT or PORT, on this machine only: what is typed in an editor is nobody else's business."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if host not in LOOPBACK:
        raise argparse.ArgumentTypeError(f"{host!r} is not this machine; use one of {', '.join(LOOPBACK)}")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{port!r} is no port")
    return host, int(port)


def _log_to(file: str | None, verbose: bool) -> None:
    """Standard output belongs to the protocol, so logs go elsewhere."""
    level = logging.DEBUG if verbose else logging.WARNING
    form = "%(asctime)s %(name)s %(levelname)s: %(message)s"
    if file:
        logging.basicConfig(filename=file, level=level, format=form)
    else:
        logging.basicConfig(stream=sys.stderr, level=level, format=form)
