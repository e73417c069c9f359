"""The sandbox on the command line: flags, what it prints, and how it ends."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import logging
import signal
import sys
from collections.abc import Callable, Sequence

from .bill import BillError
from .handler import logger
from .register import Register
from .server import DEFAULT_APPID, DEFAULT_SECRET_ID, DEFAULT_SECRET_KEY, Sandbox

DEFAULT_PORT = 8410
EXIT_OK = 0
EXIT_CANNOT_START = 2

Write = Callable[[str], object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until Ctrl-C or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m django_faceverify.sandbox",
        description="Play the face comparison provider's HTTP service for development and tests.",
    )
    add_arguments(parser)
    return serve(parser.parse_args(arguments), sys.stdout.write, sys.stderr.write)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="0 takes a free one (%(default)s)"
    )
    parser.add_argument("--appid", default=DEFAULT_APPID, help="the customer (%(default)s)")
    parser.add_argument("--secret-id", default=DEFAULT_SECRET_ID, help="its key's id (%(default)s)")
    parser.add_argument("--secret-key", help=f"its key ({DEFAULT_SECRET_KEY})")
    parser.add_argument(
        "--bill",
        metavar="FILE",
        help="keep the bill in this file, as JSON lines, and continue it (default: in memory)",
    )
    parser.add_argument("--quiet", action="store_true", help="do not log each request")


def serve(
    options: argparse.Namespace,
    write: Write,
    complain: Write,
    register: Register | None = None,
) -> int:
    """Run the sandbox as ``options`` say; ``write`` and ``complain`` take whole lines."""
    try:
        sandbox = _sandbox(options, register)
    except BillError as error:
        complain(f"The bill cannot be continued: {error}. Choose another file with --bill.\n")
        return EXIT_CANNOT_START
    except OSError as error:
        complain(_explain(error, options))
        return EXIT_CANNOT_START
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if not options.quiet:
            _log_to_stderr()
        if not _is_loopback(options.host):
            complain("Warning: other machines can reach this sandbox, and its bill is public.\n")
        write(_introduction(sandbox, options, register))
        sys.stdout.flush()
        sandbox.serve_forever()
    except KeyboardInterrupt:
        sandbox.stop()
    return EXIT_OK


def _sandbox(options: argparse.Namespace, register: Register | None) -> Sandbox:
    return Sandbox(
        host=options.host,
        port=options.port,
        appid=options.appid,
        secret_id=options.secret_id,
        secret_key=options.secret_key or DEFAULT_SECRET_KEY,
        bill_path=options.bill,
        register=register,
    )


def _introduction(sandbox: Sandbox, options: argparse.Namespace, register: Register | None) -> str:
    bill = options.bill or "in memory"
    people = f"  register    {len(register)} people, compared by face\n" if register else ""
    return (
        f"The face comparison sandbox listens on {sandbox.url}\n"
        f"  successor   {sandbox.faceid_url} (FaceID, ImageRecognitionV2)\n"
        f"  appid       {options.appid}\n"
        f"  secret_id   {options.secret_id}\n"
        f"  secret_key  {'(as given)' if options.secret_key else DEFAULT_SECRET_KEY}\n"
        f"  bill        {bill}; {sandbox.base_url}/bill\n"
        f"  scenarios   {sandbox.base_url}/\n{people}"
        "Stop it with Ctrl-C.\n"
    )


def _explain(error: OSError, options: argparse.Namespace) -> str:
    if error.filename is not None:
        return f"The bill {error.filename} cannot be written: {error.strerror}.\n"
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {options.port} on {options.host} is in use: stop the program that uses it, "
            "or choose another port with --port.\n"
        )
    return f"Cannot listen on port {options.port} of {options.host}: {error.strerror}.\n"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _log_to_stderr() -> None:
    stderr = logging.StreamHandler()
    stderr.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(stderr)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)
