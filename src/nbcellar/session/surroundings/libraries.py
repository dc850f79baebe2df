"""Ambient state of libraries, when they are loaded: numpy, torch, pandas, matplotlib.

Invariant: as in `ambient.py`; nothing is imported, and a state is compared with the last one before it is encoded.
Values that are functions (formatters, error handlers) have no encoding here: they are listed as left out and stay as
they are. Not for: state that lives in objects, such as a `numpy.random.Generator`; those are variables.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import msgspec

from nbcellar.session.surroundings.process import encode

_Scalar = None | bool | int | float | str
_MISSING = object()


def _loaded(name: str) -> Any:
    """Return a module that is loaded completely; raise ModuleNotFoundError otherwise."""
    module = sys.modules.get(name)
    if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
        raise ModuleNotFoundError(name=name.partition(".")[0])
    return module


class _LibraryPart:
    """Capture by comparison with the last state that was seen."""

    name = ""
    module = ""

    def __init__(self) -> None:
        self._last: object = _MISSING
        self._bytes = b""

    def capture(self) -> bytes | None:
        try:
            module = _loaded(self.module)
        except ModuleNotFoundError:
            return None
        now = self._read(module)
        if self._last is _MISSING or now != self._last:
            self._bytes = self._encode(now)
            self._last = now
        return self._bytes

    def _read(self, module: Any) -> Any:
        raise NotImplementedError

    def _encode(self, state: Any) -> bytes:
        raise NotImplementedError


class _Generator(msgspec.Struct, frozen=True, array_like=True):
    kind: str  # name of the bit generator
    words: dict[str, bytes]  # arrays; every machine that is supported is little-endian
    numbers: dict[str, str]  # up to 128 bits, so as decimal text; "/" leads those beside the state proper
    has_gauss: int
    gauss: float


class NumpyRandomPart(_LibraryPart):
    """The global stream behind `numpy.random.rand` and `numpy.random.seed`."""

    name = "numpy.random"
    module = "numpy.random"

    def capture(self) -> bytes | None:
        # numpy 2 imports it at its first use: a draw that is undone must find the stream as it was before.
        if "numpy" in sys.modules and self.module not in sys.modules:
            importlib.import_module(self.module)
        return super().capture()

    def _read(self, module: Any) -> _Generator:
        state = module.get_state(legacy=False)
        words: dict[str, bytes] = {}
        numbers: dict[str, str] = {}
        _sort_fields(state["state"], "", words, numbers)
        if len(state) > len(_COMMON_KEYS):  # PCG64 keeps half a word beside its state, Philox a buffer
            _sort_fields({key: state[key] for key in state.keys() - _COMMON_KEYS}, "/", words, numbers)
        return _Generator(state["bit_generator"], words, numbers, int(state["has_gauss"]), float(state["gauss"]))

    def _encode(self, state: Any) -> bytes:
        return encode(state)

    def decode(self, payload: bytes) -> _Generator:
        return msgspec.msgpack.decode(payload, type=_Generator)

    def restore(self, decoded: Any) -> str:
        module = _loaded(self.module)
        current = module.get_state(legacy=False)
        if current["bit_generator"] != decoded.kind:
            module.set_bit_generator(getattr(module, decoded.kind)())
            current = module.get_state(legacy=False)
        target = dict(current) | {"has_gauss": decoded.has_gauss, "gauss": decoded.gauss}
        target["state"] = dict(current["state"])
        for key, packed in decoded.words.items():
            place, name = _place(target, key)
            place[name] = _filled(place[name], packed)
        for key, digits in decoded.numbers.items():
            place, name = _place(target, key)
            place[name] = int(digits)
        module.set_state(target)
        return ""


_COMMON_KEYS = frozenset({"bit_generator", "state", "has_gauss", "gauss"})


def _sort_fields(fields: dict[str, Any], prefix: str, words: dict[str, bytes], numbers: dict[str, str]) -> None:
    for key, value in fields.items():
        if getattr(value, "ndim", 0):
            words[prefix + key] = value.tobytes()
        else:
            numbers[prefix + key] = str(int(value))


def _place(target: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    return (target, key[1:]) if key.startswith("/") else (target["state"], key)


def _filled(like: Any, packed: bytes) -> Any:
    filled = like.copy()
    filled.reshape(-1).view("uint8")[:] = memoryview(packed)
    return filled


class TorchPart(_LibraryPart):
    """torch's default generator of the CPU."""

    name = "torch"
    module = "torch"

    def _read(self, module: Any) -> bytes:
        state = module.get_rng_state()
        try:
            return bytes(state.numpy().tobytes())
        except RuntimeError:  # torch without numpy
            return bytes(state.tolist())

    def _encode(self, state: Any) -> bytes:
        return encode(state)

    def decode(self, payload: bytes) -> bytes:
        return msgspec.msgpack.decode(payload, type=bytes)

    def restore(self, decoded: Any) -> str:
        module = _loaded(self.module)
        module.set_rng_state(module.frombuffer(bytearray(decoded), dtype=module.uint8))
        return ""


class NumpyPrintPart(_LibraryPart):
    """numpy's print options."""

    name = "numpy.print"
    module = "numpy"

    def _read(self, module: Any) -> dict[str, Any]:
        return dict(module.get_printoptions())

    def _encode(self, state: Any) -> bytes:
        return _encode_scalars(state)

    def decode(self, payload: bytes) -> dict[str, _Scalar]:
        return _decode_scalars(payload)

    def restore(self, decoded: Any) -> str:
        module = _loaded(self.module)
        known = module.get_printoptions()
        module.set_printoptions(**{key: value for key, value in decoded.items() if key in known})
        return _not_known([key for key in decoded if key not in known])


class NumpyErrorPart(_LibraryPart):
    """What numpy does on overflow, division by zero and the like."""

    name = "numpy.err"
    module = "numpy"

    def _read(self, module: Any) -> dict[str, str]:
        return dict(module.geterr())

    def _encode(self, state: Any) -> bytes:
        return encode(state)

    def decode(self, payload: bytes) -> dict[str, str]:
        return msgspec.msgpack.decode(payload, type=dict[str, str])

    def restore(self, decoded: Any) -> str:
        _loaded(self.module).seterr(**decoded)
        return ""


class PandasPart(_LibraryPart):
    """pandas options that differ from their defaults."""

    name = "pandas.options"
    module = "pandas"

    def capture(self) -> bytes | None:
        config = sys.modules.get("pandas._config.config")
        if config is None or self.module not in sys.modules:
            return None
        now = config._global_config  # nested dictionaries: compared in C, some 4 us
        if self._last is _MISSING or now != self._last:
            self._bytes = _encode_scalars(self._changed(config))
            self._last = _copy_nested(now)
        return self._bytes

    def decode(self, payload: bytes) -> dict[str, _Scalar]:
        return _decode_scalars(payload)

    def restore(self, decoded: Any) -> str:
        pandas, config = _loaded(self.module), _loaded("pandas._config.config")
        now = self._changed(config)
        unknown = [key for key in decoded if key not in config._registered_options]
        target = {key: config._registered_options[key].defval for key in now if _is_scalar(now[key])}
        target |= {key: value for key, value in decoded.items() if key in config._registered_options}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some options warn when they are set at all
            for key, value in target.items():
                if now.get(key, config._registered_options[key].defval) != value:
                    pandas.set_option(key, value)
        return _not_known(unknown)

    def _changed(self, config: Any) -> dict[str, Any]:
        changed = {}
        for key, option in config._registered_options.items():
            value = config._global_config
            for part in key.split("."):
                value = value[part]
            if value is not option.defval and value != option.defval:
                changed[key] = value
        return changed


class MatplotlibPart(_LibraryPart):
    """rcParams that differ from matplotlib's defaults; the backend is not among them."""

    name = "matplotlib.rc"
    module = "matplotlib"

    _UNTOUCHED = frozenset({"backend", "backend_fallback"})

    def _read(self, module: Any) -> dict[str, Any]:
        # Read below RcParams: asking it for "backend" would choose one.
        items = dict.items(module.rcParams)
        return {key: list(value) if type(value) is list else value for key, value in items}

    def _encode(self, state: Any) -> bytes:
        defaults = _loaded(self.module).rcParamsDefault
        changed = {}
        for key, value in state.items():
            if key not in self._UNTOUCHED and value != dict.get(defaults, key, _MISSING):
                changed[key] = _describe_rc(value)
        return _encode_scalars(changed)

    def decode(self, payload: bytes) -> dict[str, Any]:
        return _decode_scalars(payload)

    def restore(self, decoded: Any) -> str:
        module = _loaded(self.module)
        unknown = [key for key in decoded if key not in module.rcParams]
        now, defaults = self._read(module), dict(dict.items(module.rcParamsDefault))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated keys
            for key in now:
                target = _build_rc(decoded[key]) if key in decoded else defaults.get(key, now[key])
                if key not in self._UNTOUCHED and now[key] != target:
                    module.rcParams[key] = target
        return _not_known(unknown)


class FiguresPart(_LibraryPart):
    """The numbers of pyplot's figures in the order of their last use: the last one is current. The figures themselves
    are recorded as variables (`session/figures.py`).
    """

    name = "matplotlib.figures"
    module = "matplotlib._pylab_helpers"

    def capture(self) -> bytes | None:
        holder = getattr(sys.modules.get(self.module), "Gcf", None)
        if holder is None or not holder.figs:
            return None
        return super().capture()

    def _read(self, module: Any) -> list[int]:
        return [int(number) for number in list(module.Gcf.figs) if hasattr(number, "__index__")]

    def _encode(self, state: Any) -> bytes:
        return encode(state)

    def decode(self, payload: bytes) -> list[int]:
        return msgspec.msgpack.decode(payload, type=list[int])

    def restore(self, decoded: Any) -> str:
        holder = getattr(sys.modules.get(self.module), "Gcf", None)
        if holder is not None:
            for number in decoded:
                if number in holder.figs:  # one that could not be restored is named as a variable
                    holder.figs.move_to_end(number)
        return ""


def _describe_rc(value: Any) -> Any:
    if hasattr(value, "by_key"):  # a Cycler
        return {"cycler": value.by_key()}
    return list(value) if isinstance(value, tuple) else value


def _build_rc(value: Any) -> Any:
    if isinstance(value, dict) and "cycler" in value:
        return sys.modules["cycler"].cycler(**value["cycler"])
    return value


def _copy_nested(options: dict[str, Any]) -> dict[str, Any]:
    return {key: _copy_nested(value) if type(value) is dict else value for key, value in options.items()}


def _is_scalar(value: object) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_scalar, value))  # type: ignore[call-overload]
    if type(value) is dict:
        return all(type(k) is str and _is_scalar(v) for k, v in value.items())
    return value is None or type(value) in (bool, int, float, str)


def _encode_scalars(options: dict[str, Any]) -> bytes:
    """Return msgpack of the plain options and the names of those left out."""
    plain = {key: value for key, value in options.items() if _is_scalar(value)}
    return encode((plain, sorted(set(options) - set(plain))))


def _decode_scalars(payload: bytes) -> dict[str, Any]:
    plain, _left_out = msgspec.msgpack.decode(payload, type=tuple[dict[str, Any], list[str]])
    return plain


def _not_known(names: list[str]) -> str:
    return f"options that this version does not have: {', '.join(sorted(names))}" if names else ""
