"""What the running cell sends to the front end, as nbformat 4 outputs.

Invariant: every message is passed on unchanged; only messages of the cell between `start` and `finish` are kept,
encoded when they are sent, so that what the user changes later does not change the record. A record keeps to its caps.

Works through ipykernel's hooks, which are kept for each thread: the streams' run in the I/O thread, the others in the
main thread. Not recorded: `display()` in a thread of the user, updates of outputs of earlier cells, what bypasses
ipykernel. Not for: changing or hiding outputs.
"""

from __future__ import annotations

import numbers
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

Message = dict[str, Any]

OUTPUT_CAP_BYTES = 1 << 20
CELL_CAP_BYTES = 8 << 20
_HANDSHAKE_S = 1.0
_CUT = " more characters were not recorded]"


class OutputRecorder:
    """Collects outputs between `start()` and `finish()`. Lives in the kernel's main thread; mutable."""

    def __init__(
        self, shell: Any, *, output_cap_bytes: int = OUTPUT_CAP_BYTES, cell_cap_bytes: int = CELL_CAP_BYTES
    ) -> None:
        self._shell = shell
        self._output_cap = output_cap_bytes
        self._cell_cap = cell_cap_bytes
        self._lock = threading.Lock()
        self._thread = threading.get_ident()
        self._parent = ""
        self._log: OutputLog | None = None
        self._streams: list[Any] = [s for s in (sys.stdout, sys.stderr) if _is_kernel_stream(s)]
        self._undo: list[Callable[[], object]] = []
        self._install()

    def start(self) -> None:
        """Begin a new record: the cell that is about to run."""
        self._parent = _message_id(self._shell)
        with self._lock:
            self._log = OutputLog(self._output_cap, self._cell_cap)

    def finish(self, *, flushed: bool = False) -> bytes | None:
        """Return the record as a JSON list, or None when the cell sent nothing, and stop recording.

        flushed: the caller knows that the streams were flushed since the cell ended (true once the reply was sent);
        else what is still on its way is waited for: some 0.2 ms, a second at most.
        """
        if self._log is not None and not flushed:
            self._flush()
        with self._lock:
            log, self._log = self._log, None
        return log.encode() if log is not None else None

    def uninstall(self) -> None:
        """Take every hook back."""
        with self._lock:
            self._log = None
        while self._undo:
            self._undo.pop()()

    def _install(self) -> None:
        for stream in self._streams:
            _in_thread_of(stream, stream.register_hook, self._on_message)
            self._undo.append(partial(_in_thread_of, stream, stream.unregister_hook, self._on_message))
        publisher: Any = getattr(self._shell, "display_pub", None)
        if hasattr(publisher, "register_hook"):
            publisher.register_hook(self._on_message)
            self._undo.append(partial(publisher.unregister_hook, self._on_message))
        display_hook: Any = getattr(self._shell, "displayhook", None)
        if hasattr(display_hook, "register_hook"):  # ipykernel 7
            display_hook.register_hook(self._on_message)
            self._undo.append(partial(display_hook.unregister_hook, self._on_message))
        elif hasattr(display_hook, "finish_displayhook") and hasattr(display_hook, "pub_socket"):
            self._wrap(display_hook, "finish_displayhook", self._finish_displayhook)
        if hasattr(self._shell, "_showtraceback"):  # errors pass no hook in any version
            self._wrap(self._shell, "_showtraceback", self._showtraceback)

    def _wrap(self, owner: Any, name: str, replacement: Callable[..., None]) -> None:
        """Set an attribute of the instance over its method; taken back only while it is still ours."""
        original = getattr(owner, name)
        had_own = name in vars(owner)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return replacement(original, *args, **kwargs)

        def undo() -> None:
            if vars(owner).get(name) is wrapper:
                if had_own:
                    setattr(owner, name, original)
                else:
                    delattr(owner, name)

        setattr(owner, name, wrapper)
        self._undo.append(undo)

    def _on_message(self, message: Message) -> Message:
        """Keep a copy of what concerns the cell. A hook must return the message, or it is not sent."""
        if self._log is not None:
            try:
                self._record(message["header"]["msg_type"], message)
            except Exception:  # the record may miss an output; the user must not
                pass
        return message

    def _record(self, kind: str, message: Message) -> None:
        if message.get("parent_header", {}).get("msg_id", "") != self._parent:
            return
        with self._lock:
            if self._log is not None:
                self._log.add(kind, message["content"])

    def _finish_displayhook(self, original: Callable[[], object]) -> None:
        message = getattr(self._shell.displayhook, "msg", None)
        original()  # flushes the streams first, so their text is recorded before this
        if message and message["content"]["data"] and threading.get_ident() == self._thread:
            self._on_message(message)

    def _showtraceback(self, original: Callable[..., object], etype: Any, evalue: Any, stb: Any) -> None:
        original(etype, evalue, stb)
        if self._log is None or threading.get_ident() != self._thread:
            return
        try:
            content = {"ename": str(etype.__name__), "evalue": str(evalue), "traceback": list(stb)}
            with self._lock:
                if self._log is not None:
                    self._log.add("error", content)
        except Exception:
            pass

    def _flush(self) -> None:
        """Wait until the I/O thread has sent what the cell wrote."""
        for stream in self._streams:
            if getattr(stream, "_flush_pending", True):
                stream.flush()
        thread = self._streams[0].pub_thread if self._streams else None
        if thread is not None and thread.thread.is_alive():
            done = threading.Event()
            thread.schedule(done.set)  # a flush that is under way in that thread ends before this
            done.wait(_HANDSHAKE_S)


def _is_kernel_stream(stream: object) -> bool:
    return hasattr(stream, "register_hook") and hasattr(stream, "pub_thread")


def _message_id(shell: Any) -> str:
    try:
        return str(shell.get_parent()["header"]["msg_id"])
    except Exception:
        return ""


def _in_thread_of(stream: Any, function: Callable[[Any], object], hook: Callable[[Message], Message]) -> None:
    """Call where the stream's hooks are looked up: in its I/O thread, or here when that is gone."""
    thread = stream.pub_thread
    if thread is not None:
        thread.schedule(lambda: function(hook))


class OutputLog:
    """The outputs of one cell in nbformat's terms: streams merged, clears and updates applied, caps kept."""

    def __init__(self, output_cap_bytes: int, cell_cap_bytes: int) -> None:
        self._output_cap = output_cap_bytes
        self._cell_left = cell_cap_bytes
        self._outputs: list[_Stream | _Encoded] = []
        self._clear_on_next = False

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Apply one message: its type and content as in the messaging protocol."""
        if kind == "clear_output":
            if content.get("wait"):
                self._clear_on_next = True
            else:
                self._clear()
        elif kind == "update_display_data":
            self._update(content)
        elif kind in ("stream", "display_data", "execute_result", "error"):
            if self._clear_on_next:
                self._clear()
            if kind == "stream":
                self._add_stream(str(content["name"]), str(content["text"]))
            else:
                self._add_other(kind, content)

    def encode(self) -> bytes | None:
        """Return the JSON list, or None when there is no output."""
        if not self._outputs:
            return None
        return b"[" + b",".join(output.encode() for output in self._outputs) + b"]"

    def _clear(self) -> None:
        self._cell_left += sum(output.size for output in self._outputs)
        self._outputs.clear()
        self._clear_on_next = False

    def _add_stream(self, name: str, text: str) -> None:
        last = self._outputs[-1] if self._outputs else None
        if not isinstance(last, _Stream) or last.name != name:
            last = _Stream(name)
            self._outputs.append(last)
        before = last.size
        last.write(text, min(self._output_cap, before + max(self._cell_left, 0)))
        self._cell_left -= last.size - before

    def _add_other(self, kind: str, content: dict[str, Any]) -> None:
        display_id = (content.get("transient") or {}).get("display_id")
        if display_id is not None:
            self._update(content)  # a display shown twice shows its newest data in both places
        output = _Encoded(kind, display_id, content.get("execution_count"))
        self._fill(output, content)
        self._outputs.append(output)

    def _update(self, content: dict[str, Any]) -> None:
        display_id = (content.get("transient") or {}).get("display_id")
        for output in self._outputs:
            if isinstance(output, _Encoded) and display_id is not None and output.display_id == display_id:
                self._cell_left += output.size
                self._fill(output, content)

    def _fill(self, output: _Encoded, content: dict[str, Any]) -> None:
        output.fill(content, min(self._output_cap, max(self._cell_left, 0)))
        self._cell_left -= output.size


class _Stream:
    """Consecutive text of one stream, with what a carriage return overwrote left out."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0  # characters held; near enough to bytes for a cap
        self._parts: list[str] = []
        self._left_out = 0

    def write(self, text: str, cap: int) -> None:
        if self._left_out:
            self._left_out += len(text)
            return
        self._parts.append(text)
        self.size += len(text)
        if self.size > cap:
            self._fold()
        if self.size > cap:
            whole = self._parts[0]
            self._parts = [whole[:cap]]
            self._left_out = len(whole) - cap
            self.size = cap

    def encode(self) -> bytes:
        self._fold()
        text = self._parts[0]
        if self._left_out:
            text += f"\n[{self._left_out:,}{_CUT}\n"
        return _json({"output_type": "stream", "name": self.name, "text": text})

    def _fold(self) -> None:
        text = fold_carriage_returns("".join(self._parts))
        self._parts = [text]
        self.size = len(text)


class _Encoded:
    """An output that was encoded when it was sent."""

    def __init__(self, kind: str, display_id: str | None, execution_count: int | None) -> None:
        self.kind = kind
        self.display_id = display_id
        self._execution_count = execution_count
        self._payload = b""

    @property
    def size(self) -> int:
        return len(self._payload)

    def encode(self) -> bytes:
        return self._payload

    def fill(self, content: dict[str, Any], cap: int) -> None:
        body = self._error(content) if self.kind == "error" else self._display(content)
        size = _text_size(body)
        payload = b""
        if size <= cap:
            try:
                payload = _json(body)
                size = len(payload)
            except Exception as error:
                payload = self._note(f"output not recorded: {type(error).__name__}")
        self._payload = payload if size <= cap else self._note(f"output of {size:,} bytes not recorded: too large")

    def _display(self, content: dict[str, Any]) -> dict[str, Any]:
        body = {"output_type": self.kind, "data": content["data"], "metadata": content.get("metadata") or {}}
        if self.kind == "execute_result":
            body["execution_count"] = self._execution_count
        return body

    def _error(self, content: dict[str, Any]) -> dict[str, Any]:
        return {"output_type": "error", **{key: content[key] for key in ("ename", "evalue", "traceback")}}

    def _note(self, text: str) -> bytes:
        if self.kind == "error":
            return _json({"output_type": "error", "ename": "", "evalue": f"[{text}]", "traceback": []})
        return _json(self._display({"data": {"text/plain": f"[{text}]"}}))


def printed_text(record: bytes) -> str:
    """Return what a recorded cell wrote to its standard output; empty for a record that cannot be read."""
    try:
        outputs = msgspec.json.decode(record, type=list[dict[str, Any]])
    except msgspec.DecodeError:
        return ""
    return "".join(str(o.get("text", "")) for o in outputs if o.get("name") == "stdout")


def is_cut_short(text: str) -> bool:
    """True for the text of a record that was not recorded whole."""
    return _CUT in text


def fold_carriage_returns(text: str) -> str:
    r"""Return the text as a terminal would leave it: of `a\rb\n`, `b` stays, so a progress bar is one line."""
    if "\r" not in text:
        return text
    lines = []
    for line in text.split("\n"):
        body, end = (line.rstrip("\r"), "\r") if line.endswith("\r") else (line, "")
        lines.append(body.rpartition("\r")[2] + end)
    return "\n".join(lines)


def _text_size(value: object) -> int:
    """A lower bound of the encoded size, found without encoding: the long strings of a MIME bundle."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if type(value) is dict:
        return sum(_text_size(v) for v in value.values())
    if type(value) is list:
        return sum(len(v) for v in value if type(v) is str)
    return 0


def _encode_other(value: object) -> object:
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_json = msgspec.json.Encoder(enc_hook=_encode_other).encode
