"""`check_chisel`: everything a warm compiler can say about Chisel source, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..config import DEFAULT_CHISEL_VERSION
from ..errors import SourceError
from ..reach import reading_freely
from .serve.client import Client
from .types import CheckRequest, CompileResult

MAX_BYTES = 1_000_000  # generated files that large take scalac minutes; people write a hundredth of it

Check = Callable[[CheckRequest], CompileResult]
_clients: dict[str, Client] = {}


def client_for(version: str, *, keep: bool = True) -> Client:
    """The connection of this process to the daemon for `version`."""
    client = _clients.get(version)
    if client is None:
        with reading_freely():  # Java and the tool chain are where the user has them
            client = _clients[version] = Client(version, keep=keep)
    return client


def check_chisel(
    source: str,
    *,
    files: Sequence[tuple[str, str]] = (),
    version: str | None = None,
    elaborate: str = "trusted",
    args: Sequence[str] = (),
    timeout_s: float = 20.0,
    path: str = "Source.scala",
    outputs: bool = False,
    fence: bool = True,
) -> CompileResult:
    """Compile Chisel, elaborate its modules and lower them; what is wrong is a result, never an exception.

    source: text of one file; path: the name to report it under.
    files: (path, text) of further files to compile with it.
    version: Chisel version with a pinned tool chain (`locked_versions`); None: the newest. Any other one must have been
        resolved before (`hwml chisel setup --trust --version ...`); the result's notes say that nothing vouches for it.
    elaborate: "trusted" runs the constructors of the source, behind a fence; the caller vouches for it.
        "never" stops after the type checker: nothing of the source runs.
    args: instances to elaborate on top of modules without parameters, such as "Fifo(8, 16)".
    timeout_s: limit for the whole check in seconds.
    outputs: keep CHIRRTL and SystemVerilog in the result.
    fence: False runs the constructors with your own rights, also where no fence can be had.

    Raises RefusedError where constructors are to run and no fence can be had, SourceError for text over 1 MB,
    ValueError for a wrong `elaborate`, MissingDependencyError, ToolNotFoundError (Java) or ToolFailedError when the
    tool chain is not there and cannot be fetched or started.
    """
    if elaborate not in ("trusted", "never"):
        raise ValueError(f"elaborate is 'trusted' or 'never', not {elaborate!r}")
    refuse_too_large(source, path)
    request = CheckRequest(
        files=((path, source), *((str(name), text) for name, text in files)),
        elaborate=elaborate == "trusted",
        calls=tuple(args),
        outputs=outputs,
        timeout_s=timeout_s,
        fence=fence,
    )
    return client_for(version or DEFAULT_CHISEL_VERSION).check(request)


def refuse_too_large(source: str, path: str) -> None:
    """Raises SourceError for text over the limit."""
    size = len(source.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise SourceError(
            f"{size / 1e6:.1f} MB is over the limit of {MAX_BYTES / 1e6:g} MB for a check; split the file", path=path
        )
