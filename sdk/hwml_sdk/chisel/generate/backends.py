"""A backend from what a command line says."""

from __future__ import annotations

import argparse

from ...errors import HwmlError
from .types import Backend

SIMULATION = "simulation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that name a model. Nothing but the command line can name one: no workspace, no project file."""
    parser.add_argument(
        "--model", metavar="NAME|FOLDER", help="folder of a local model; with --endpoint: its model's name"
    )
    parser.add_argument("--endpoint", metavar="URL", help="OpenAI-compatible endpoint, up to /v1; requests go there")
    parser.add_argument(
        "--key-variable", default="HWML_API_KEY", metavar="NAME", help="environment variable of its key"
    )
    parser.add_argument("--at-once", type=int, default=0, metavar="N", help="requests at once; default 4, local 16")
    parser.add_argument(
        "--silence", type=float, default=60.0, metavar="SECONDS", help="longest wait for a piece of an answer"
    )
    parser.add_argument("--adapter", metavar="FOLDER", help="PEFT adapter on the local model")
    parser.add_argument("--4bit", dest="four_bit", action="store_true", help="load the local model in 4 bits (GPU)")
    parser.add_argument("--temperature", type=float, default=0.8, help="0: always the likeliest")
    parser.add_argument("--seed", type=int, default=0, help="of a local model's samples")


def backend_of(arguments: argparse.Namespace) -> Backend:
    """Raises HwmlError where the arguments do not name one model."""
    if not 0.0 <= arguments.temperature <= 5.0 or arguments.at_once < 0 or arguments.silence <= 0:
        raise HwmlError("--temperature is 0 to 5, --at-once at least 1, --silence over 0")
    if arguments.endpoint:
        return _endpoint(arguments)
    if not arguments.model:
        raise HwmlError("name a model: --model FOLDER, or --endpoint URL --model NAME")
    from .local import LocalBackend, LocalConfig

    return LocalBackend(
        LocalConfig(
            arguments.model,
            arguments.adapter or "",
            arguments.four_bit,
            arguments.temperature,
            at_once=arguments.at_once or 16,
            seed=arguments.seed,
        )
    )


def _endpoint(arguments: argparse.Namespace) -> Backend:
    from .endpoint import EndpointBackend, EndpointConfig

    if not arguments.model:
        raise HwmlError("--endpoint wants --model NAME as well: the name under which it serves the model")
    if arguments.adapter or arguments.four_bit:
        raise HwmlError("--adapter and --4bit are for local models; an endpoint loads what it serves itself")
    return EndpointBackend(
        EndpointConfig(
            arguments.endpoint,
            arguments.model,
            key_variable=arguments.key_variable,
            temperature=arguments.temperature,
            at_once=arguments.at_once or 4,
            silence_s=arguments.silence,
        )
    )
