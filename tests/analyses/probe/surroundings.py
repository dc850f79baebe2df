"""What surrounds the variables: random streams, folder, environment, options of libraries."""

from __future__ import annotations

import decimal
import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from .pieces import ADDRESS, digest_of
from .walk import Walk


def ambient(stream: Any) -> dict[str, dict[str, str]]:
    """Return what surrounds the variables, as part -> key -> text; parts are called as reports call them."""
    found: dict[str, dict[str, str]] = {
        "random": {"stream": digest_of(repr(stream))},
        "cwd": {"folder": os.getcwd()},  # noqa: PTH109 - what cells call
        "environ": {k: v for k, v in sorted(os.environ.items()) if k not in _PROCESS},
        "sys.path": {"list": json.dumps([str(entry) for entry in sys.path])},
        "warnings": {"filters": "; ".join(map(_filter, warnings.filters[1:]))},  # the first is the child's own
        "decimal": {"context": repr(decimal.getcontext())},
    }
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        state = numpy.random.get_state(legacy=False)
        found["numpy.random"] = {"stream": Walk({}).visit(state, "state")}
        found["numpy.print"] = {key: repr(value) for key, value in numpy.get_printoptions().items()}
        found["numpy.err"] = dict(numpy.geterr())
    config = sys.modules.get("pandas._config.config")
    if config is not None and "pandas" in sys.modules:
        found["pandas.options"] = dict(_options(config._global_config, ""))
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None and hasattr(matplotlib, "rcParams"):
        options = {key: str(dict.__getitem__(matplotlib.rcParams, key)) for key in sorted(matplotlib.rcParams)}
        found["matplotlib.rc"] = {key: text for key, text in options.items() if key != "backend"}
    return found


def _options(level: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in level.items():
        if isinstance(value, dict):
            yield from _options(value, f"{prefix}{key}.")
        else:
            yield prefix + key, ADDRESS.sub("", repr(value))


_PROCESS = frozenset({"JPY_PARENT_PID", "JPY_INTERRUPT_EVENT", "PYTEST_CURRENT_TEST", "MPLBACKEND"})


def _filter(entry: Any) -> str:
    action, message, category, module, line = entry
    patterns = [getattr(p, "pattern", p) for p in (message, module)]
    return f"{action} {category.__qualname__} {patterns} {line}"
