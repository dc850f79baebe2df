"""What every Snakefile of ours holds besides the components: the program that runs one, and the code that starts it.

`RUNNER` is a whole program, for a process of its own: it reads its job from standard input, loads the names that the
component takes, runs the source, and writes the names that others take. Pickles are read that rules of the same
Snakefile wrote, and no others.
"""

from __future__ import annotations

RUNNER = '''
import __future__
import ast
import asyncio
import inspect
import io
import linecache
import os
import pickle
import random
import sys
import traceback
import types

import cloudpickle

job = pickle.load(sys.stdin.buffer)
module = types.ModuleType("__main__")
space = module.__dict__
sys.modules["__main__"] = module


class Pickler(cloudpickle.Pickler):
    """Leaves out what functions of the notebook take from its namespace: each of these names has a file of its own."""

    def _dynamic_function_reduce(self, function):
        reduced = super()._dynamic_function_reduce(function)
        if function.__globals__ is space:
            attributes, slots = reduced[2]
            reduced = (*reduced[:2], (attributes, {**slots, "__globals__": {}}), *reduced[3:])
        return reduced


class Unpickler(pickle.Unpickler):
    """Gives functions of the notebook the namespace in which they are used."""

    def find_class(self, module_name, name):
        found = super().find_class(module_name, name)
        if name == "_make_function" and module_name.startswith("cloudpickle"):
            return make_function
        return found


def make_function(code, names, *rest):
    own = names if names.get("__name__") != "__main__" else space
    return types.FunctionType(code, own, *rest)


def take(name, path):
    with open(path, "rb") as file:
        is_bound, value = Unpickler(file).load()
    if is_bound:
        space[name] = value


def give(name, path):
    written = io.BytesIO()
    try:
        Pickler(written, 5).dump((name in space, space.get(name)))
    except Exception as error:
        kind = type(space.get(name)).__qualname__
        raise SystemExit(f"{job['name']!r} cannot hand over {name!r} ({kind}) in a file: {error}")
    with open(path, "wb") as file:
        file.write(written.getvalue())


def take_state(path):
    with open(path, "rb") as file:
        state = pickle.load(file)
    random.setstate(state["random"])
    if "numpy" in state:
        import numpy

        numpy.random.set_state(state["numpy"])
    if "torch" in state:
        import torch

        torch.set_rng_state(state["torch"])


def give_state(path):
    state = {"random": random.getstate()}
    if "numpy.random" in sys.modules:
        state["numpy"] = sys.modules["numpy.random"].get_state()
    if "torch" in sys.modules:
        state["torch"] = sys.modules["torch"].get_rng_state()
    with open(path, "wb") as file:
        pickle.dump(state, file)


def prepare():
    if job["magics"]:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        settings = Config({"HistoryManager": {"enabled": False}})
        shell = InteractiveShell.instance(user_module=module, user_ns=space, config=settings)
        space["get_ipython"] = lambda: shell
    if job["display"]:
        try:
            from IPython.display import display
        except ImportError:
            display = print
        space["display"] = display
    for name, path in job["takes"].items():
        take(name, path)
    space.update(job["parameters"])
    if job["state"]:
        take_state(job["state"])


def run():
    name = f"<{job['name']}>"
    linecache.cache[name] = (len(job["source"]), None, job["source"].splitlines(True), name)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for future in job["futures"]:
        flags |= getattr(__future__, future).compiler_flag
    code = compile(job["source"], name, "exec", flags, dont_inherit=True)
    made = eval(code, space)
    if inspect.iscoroutine(made):
        asyncio.run(made)


prepare()
try:
    run()
except BaseException as error:
    if isinstance(error, SystemExit) and error.code in (None, 0):
        pass
    else:
        shown = error.__traceback__.tb_next
        traceback.print_exception(type(error), error, shown.tb_next if shown is not None else None)
        sys.exit(1)
if job["next_state"]:
    give_state(job["next_state"])
for name, path in job["gives"].items():
    give(name, path)
'''

STATES = '''
def state_in(before, seeding):
    """Return the file with the random numbers to go on with: of the component before, or of the one that seeds them."""
    return seeding if str(config.get("random_in_turn", True)).lower() == "false" else before
'''

SNAKEFILE = '''
def value_of(name):
    """Return a parameter, from the configuration where that has it: --config NAME=VALUE."""
    import ast

    kind, default = PARAMETERS[name]
    if name not in config:
        return default
    value = config[name]
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    kinds = {"boolean": bool, "integer": int, "number": float, "string": str, "array": list, "object": dict}
    if kind == "null":
        return value
    if kind not in kinds:
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise ValueError(f"parameter {name}: {value!r} is no {kind}")
        if type(value).__name__ != kind:
            raise ValueError(f"parameter {name}: {value!r} is no {kind}")
        return value
    if not isinstance(value, kinds[kind]) or (kind != "boolean" and isinstance(value, bool)):
        raise ValueError(f"parameter {name}: {value!r} is of another type than {kind}")
    return value


def digest_of(component):
    """Return what changes when a parameter of a component does, so that it is run again."""
    import hashlib

    values = [(name, value_of(name)) for name in COMPONENTS[component]["parameters"]]
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def run_component(component, done, log):
    """Run a component in a process of its own; what it prints goes into its log."""
    import pickle
    import subprocess
    import sys

    job = dict(COMPONENTS[component])
    job["parameters"] = {name: value_of(name) for name in job["parameters"]}
    timeout = job.pop("timeout")
    with open(log, "wb") as printed:
        try:
            ended = subprocess.run(
                [sys.executable, "-c", RUNNER],
                input=pickle.dumps(job),
                stdout=printed,
                stderr=subprocess.STDOUT,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{job['name']!r} took longer than {timeout:g} s")
    if ended.returncode:
        with open(log, encoding="utf-8", errors="replace") as printed:
            sys.stderr.write("".join(printed.readlines()[-40:]))
        raise RuntimeError(f"{job['name']!r} failed; see {log}")
    with open(done, "wb"):
        pass
'''

__all__ = ["RUNNER", "SNAKEFILE", "STATES"]
