"""`-p NAME=VALUE` of the commands that give parameters to a notebook."""

from __future__ import annotations

import argparse
import json
from typing import Any

from nbcellar.errors import InvalidInputError


def configure(parser: argparse.ArgumentParser, told: str) -> None:
    """Add the option; told: its help."""
    parser.add_argument("-p", "--parameter", metavar="NAME=VALUE", action="append", default=[], help=told)


def parse(word: str) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE; the value is JSON, and what is none is text."""
    name, equals, value = word.partition("=")
    if not equals or not name.strip():
        raise InvalidInputError(f"'{word}' is no NAME=VALUE")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


__all__ = ["configure", "parse"]
