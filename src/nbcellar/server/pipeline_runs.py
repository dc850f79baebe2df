"""Runs of pipelines: `cellar pipeline run` as a child process in the environment of the notebook's kernel.

Invariant: a notebook has one run at a time, each run ends with a line `end` whatever becomes of the process, and no
process outlives `close`. A server that is killed cannot end it: then the command ends where it tells its next line.

Not for: what a run does, which is the command's.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from nbcellar.errors import AlreadyExistsError, InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.server.pipeline_lines import PipelineLine, read_line

Tell = Callable[[PipelineLine], None]
SpecOf = Callable[[str], Any]
"""Returns the kernelspec of a name. Raises KeyError, as `KernelSpecManager.get_kernel_spec` does."""

# Without the folder that it is started in: a `json.py` beside a notebook is for its cells, not for the command. A
# server in the background may ignore Ctrl-C, and its children would, too.
_START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.path[:] = [path for path in sys.path if path]; "
    "from nbcellar.cli.main import main; sys.exit(main(sys.argv[1:]))"
)
_NOT_INSTALLED = "No module named 'nbcellar"
_OWN_PYTHONS = ("python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}")
_MOST_RUNS = 100
_MOST_ERROR_LINES = 12
_LONGEST_LINE = 1 << 22
_PATIENCE_S = 10.0
_ANSWER_S = 60.0


@dataclass(eq=False)
class _Run:
    name: str
    process: subprocess.Popen[bytes]
    tell: Tell
    hide: Callable[[str], str]
    lines: list[PipelineLine] = field(default_factory=list)
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_ERROR_LINES))
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: list[threading.Thread] = field(default_factory=list)
    was_cancelled: bool = False

    @property
    def is_over(self) -> bool:
        return bool(self.lines) and self.lines[-1].event == "end"

    def add(self, line: PipelineLine) -> None:
        with self.lock:
            if self.is_over:
                return
            numbered = msgspec.structs.replace(line, run=self.name, number=len(self.lines))
            self.lines.append(numbered)
        self.tell(numbered)


class PipelineRuns:
    """The runs of one server, for all threads. `spec_of` finds kernelspecs as the server does."""

    def __init__(self, spec_of: SpecOf | None = None) -> None:
        self._spec_of = spec_of
        self._lock = threading.Lock()
        self._runs: dict[Path, _Run] = {}
        self._is_closed = False

    def start(
        self,
        file: Path,
        words: Sequence[str],
        kernel: str,
        environ: Mapping[str, str],
        tell: Tell,
        hide: Callable[[str], str] = str,
    ) -> str:
        """Run the pipeline of a notebook's file; return the name of the run. words: see `words_of`.

        tell: called, from other threads, with each line. hide: takes paths out of what the process says when it fails.
        Raises AlreadyExistsError while one runs.
        """
        command, env = self._command(kernel, environ)
        words = ["pipeline", "run", "--json-lines", *words]
        with self._lock:
            if self._is_closed:
                raise StoreUnavailableError("the server is being shut down")
            last = self._runs.get(file)
            if last is not None and not last.is_over:
                raise AlreadyExistsError(
                    f"the pipeline of {file.name} is being run", hint="wait for it, or cancel that run"
                )
            run = _Run(secrets.token_hex(8), _launch([*command, *words], file.parent, env), tell, hide)
            self._runs.pop(file, None)
            self._runs[file] = run
            self._forget_old()
        run.threads = [
            threading.Thread(target=_follow, args=(run,), name="cellar-pipeline", daemon=True),
            threading.Thread(target=_keep_errors, args=(run,), name="cellar-pipeline-errors", daemon=True),
        ]
        for thread in reversed(run.threads):
            thread.start()
        return run.name

    def lines(self, file: Path) -> tuple[str, list[PipelineLine]]:
        """Return the name of the last run of a notebook, "" where there was none, and what it told so far."""
        with self._lock:
            run = self._runs.get(file)
        if run is None:
            return "", []
        with run.lock:
            return run.name, list(run.lines)

    def cancel(self, file: Path) -> bool:
        """Have a run end as Ctrl-C does, the second time at once; False where none is under way."""
        with self._lock:
            run = self._runs.get(file)
        if run is None or run.is_over:
            return False
        if run.was_cancelled:
            _kill(run.process)
            return True
        run.was_cancelled = True
        _interrupt(run.process)
        timer = threading.Timer(_PATIENCE_S, _kill, [run.process])
        timer.daemon = True
        timer.start()
        return True

    def is_own(self, kernel: str) -> bool:
        """True if a kernel runs in the very environment of this process."""
        spec = self._spec(kernel)
        python = Path(_python_of(spec))
        own = Path(sys.executable)
        return not spec.env and (python == own or (python.parent == own.parent and python.resolve() == own.resolve()))

    def ask(
        self,
        file: Path,
        words: Sequence[str],
        kernel: str,
        environ: Mapping[str, str],
        *,
        answer_s: float = _ANSWER_S,
    ) -> bytes:
        """Return what a command prints in the environment of a kernel. Raises StoreUnavailableError if it fails."""
        command, env = self._command(kernel, environ)
        try:
            done = subprocess.run(
                [*command, *words],
                cwd=file.parent,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=answer_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StoreUnavailableError(f"the interpreter of this kernel does not answer: {error}") from None
        if done.returncode:
            message, hint = _what_went_wrong(done.stderr.decode("utf-8", "replace").splitlines(), done.returncode)
            raise StoreUnavailableError(message, hint=hint)
        return done.stdout

    def close(self) -> None:
        """End all that runs, and wait until it has."""
        with self._lock:
            self._is_closed = True
            runs = [run for run in self._runs.values() if not run.is_over]
        for run in runs:
            run.was_cancelled = True
            _interrupt(run.process)
        for run in runs:
            try:
                run.process.wait(_PATIENCE_S / 2)
            except subprocess.TimeoutExpired:
                pass
            _kill(run.process)
            for thread in run.threads:
                thread.join(_PATIENCE_S / 2)

    def _command(self, kernel: str, environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """Return what runs Cellar in the environment of a kernel, and the environment variables of its kernelspec."""
        spec = self._spec(kernel)
        own = {str(name): str(value) for name, value in (spec.env or {}).items()}
        return [_python_of(spec), "-c", _START], {**environ, **own}

    def _spec(self, kernel: str) -> Any:
        if self._spec_of is None:
            raise NotFoundError("this server has no kernels, so it runs no pipeline")
        try:
            spec = self._spec_of(kernel)
        except (KeyError, ValueError) as error:  # NoSuchKernel is a KeyError
            raise NotFoundError(
                f"the kernel '{kernel}' of this notebook is not installed here", hint="choose another kernel"
            ) from error
        if inspect.isawaitable(spec):
            getattr(spec, "close", lambda: None)()
            raise InvalidInputError("the kernels of this server run elsewhere, and a pipeline cannot be run there")
        if str(spec.language).lower() != "python" or not spec.argv:
            raise InvalidInputError(
                f"the kernel '{kernel}' runs {spec.language or 'another language'}, and pipelines are Python"
            )
        return spec

    def _forget_old(self) -> None:
        over = [file for file, run in self._runs.items() if run.is_over]
        for file in over[: max(0, len(self._runs) - _MOST_RUNS)]:
            del self._runs[file]


def words_of(file: Path, components: Sequence[str], start: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return the words of the command for a run. Raises InvalidInputError for what can be no word."""
    words = ["--from", start] if start else []
    for name, value in parameters.items():
        words += ["-p", f"{name}={json.dumps(value)}"]
    words += ["--", f".{os.sep}{file.name}", *components]  # "-" and "~" alone would have a meaning
    if any("\0" in word or not _can_be_encoded(word) for word in words):
        raise InvalidInputError("this can be no name of a component or of a parameter")
    return words


def _python_of(spec: Any) -> str:
    return sys.executable if spec.argv[0] in _OWN_PYTHONS else str(spec.argv[0])


def _can_be_encoded(word: str) -> bool:
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _launch(command: list[str], folder: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        # A session of its own: Ctrl-C in the server's terminal is a question to the server.
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise InvalidInputError(
            f"the interpreter of this kernel does not start: {error.strerror or error}", hint="cellar doctor says more"
        ) from None


def _follow(run: _Run) -> None:
    """Tell the lines of a process until it ends; the last one is an `end`, ours if the process has told none."""
    assert run.process.stdout is not None
    with run.process.stdout as out:
        while text := out.readline(_LONGEST_LINE):
            line = read_line(text)
            if line is not None:
                run.add(line)
    code = run.process.wait()
    run.threads[1].join()
    if run.was_cancelled:
        run.add(PipelineLine(event="end", state="cancelled"))
    else:
        message, hint = _what_went_wrong(run.errors, code)
        run.add(PipelineLine(event="end", state="failed", message=run.hide(message), hint=run.hide(hint)))


def _keep_errors(run: _Run) -> None:
    assert run.process.stderr is not None
    with run.process.stderr as errors:
        while text := errors.readline(_LONGEST_LINE):
            run.errors.append(text.decode("utf-8", "replace").rstrip())


def _what_went_wrong(errors: Sequence[str], code: int) -> tuple[str, str]:
    """Return why a process ended without having said so itself, and what helps."""
    text = "\n".join(errors)
    if _NOT_INSTALLED in text:
        return "Cellar is not installed in this kernel's environment", "in a cell: %pip install nbcellar"
    said = next((line.removeprefix("error: ") for line in reversed(errors) if line.startswith("error: ")), "")
    hint = next((line.removeprefix("hint: ") for line in reversed(errors) if line.startswith("hint: ")), "")
    if said:
        return said, hint
    last = next((line for line in reversed(errors) if line.strip()), "")
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"the run {how}" + (f": {last}" if last else ""), ""


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that has not ended, and all that it started."""
    if process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


__all__ = ["PipelineRuns", "SpecOf", "words_of"]
