"""Real kernels for tests: a project folder, kernels that record into it, cells, commands, requests.

Invariant: nothing here waits for a time; a test waits for a message, a reply or for what the kernel says is saved.
Every process that is started ends with the test. Not for: what is right (the tests).
"""

from __future__ import annotations

import ast
import os
import queue
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from nbcellar.api import open_repo, views
from nbcellar.api.asking import Asking
from nbcellar.api.repo import Repo, init
from nbcellar.history.model import Commit, Covariable, State
from nbcellar.ids import CommitId
from nbcellar.session.replay.replayer import Wish

TIMEOUT_S = 90.0
STARTUP_FILE = Path(__file__).parent.parent.parent / "etc" / "ipython" / "startup" / "50-nbcellar.py"

Message = dict[str, Any]


@dataclass
class Result:
    """What a cell sent: the reply, and the messages on iopub in their order."""

    reply: Message
    messages: list[Message] = field(default_factory=list)

    @property
    def error(self) -> str:
        """The exception's name; empty when the cell was fine."""
        return str(self.reply.get("ename", "")) if self.reply.get("status") == "error" else ""

    @property
    def text(self) -> str:
        """What was printed to stdout and stderr."""
        return "".join(m["content"]["text"] for m in self.messages if m["msg_type"] == "stream")

    @property
    def traceback(self) -> str:
        """The traceback as text."""
        return "\n".join(self.reply.get("traceback", []))


class Running:
    """A cell that was sent and may still run."""

    def __init__(self, kernel: Kernel, message_id: str) -> None:
        self._kernel = kernel
        self._id = message_id
        self.messages: list[Message] = []
        self._idle = False

    def wait_for(self, text: str) -> None:
        """Return when the cell has printed `text`."""
        while text not in Result({}, self.messages).text:
            assert not self._idle, f"the cell ended without printing {text!r}"
            self._next()

    def wait_idle(self) -> None:
        """Return when the kernel is idle again, whether or not it replied."""
        while not self._idle:
            self._next()

    def finish(self) -> Result:
        """Wait for reply and idle."""
        self.wait_idle()
        return Result(self._kernel.reply_to(self._id), self.messages)

    def _next(self) -> None:
        message = self._kernel.next_output()
        if message["parent_header"].get("msg_id") != self._id:
            return
        self.messages.append(message)
        self._idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"


class Kernel:
    """A kernel of one notebook in a project."""

    def __init__(self, project: Project, notebook: str, environ: Mapping[str, str]) -> None:
        self.project = project
        self.notebook = notebook
        self.environ = dict(environ)
        self._start()

    def _start(self) -> None:
        for last in (False, False, True):
            try:
                self._start_once()
                return
            except RuntimeError:  # another process took a port between its choice and its use
                if last:
                    raise
                self.close()

    def _start_once(self) -> None:
        self.manager = KernelManager(kernel_name="python3", connection_file=str(self.project.connection_file()))
        self.manager.start_kernel(env=self.environ, cwd=str(self.project.root))
        self._connect()

    def _connect(self) -> None:
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_S)

    # cells --------------------------------------------------------------------------------------------------------

    def start(self, code: str, *, cell_id: str = "") -> Running:
        """Send a cell and return at once."""
        message = self.client.session.msg(
            "execute_request",
            {
                "code": textwrap.dedent(code).strip("\n"),
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
        )
        if cell_id:
            message["metadata"] = {"cellId": cell_id}
        self.client.shell_channel.send(message)
        return Running(self, str(message["header"]["msg_id"]))

    def try_run(self, code: str, *, cell_id: str = "") -> Result:
        """Run a cell, whatever becomes of it."""
        return self.start(code, cell_id=cell_id).finish()

    def run(self, *cells: str) -> Result:
        """Run cells that must not fail, each recorded before the next; return the last one's result."""
        for code in cells:
            result = self.try_run(code)
            assert not result.error, result.traceback
        self.settle()
        return result

    def fail(self, code: str, error: str) -> Result:
        """Run a cell that must fail with this exception."""
        result = self.try_run(code)
        assert result.error == error, result.traceback or "the cell did not fail"
        self.settle()
        return result

    def value(self, expression: str) -> Any:
        """Return the value of an expression in the kernel, without a trace in history. Its repr must be a literal."""
        message_id = self.client.execute("", silent=True, store_history=False, user_expressions={"value": expression})
        found = self.reply_to(message_id)["user_expressions"]["value"]
        assert found["status"] == "ok", f"{expression}: {found.get('ename')}: {found.get('evalue')}"
        return ast.literal_eval(found["data"]["text/plain"])

    def is_true(self, *expressions: str) -> None:
        """Hold that each expression is true in the kernel."""
        wrong = [text for text in expressions if self.value(f"bool({text})") is not True]
        assert not wrong, f"not true in the kernel: {wrong}"

    def do_aside(self, code: str) -> None:
        """Run statements in a namespace of their own, `aside` among the builtins: nothing that is recorded."""
        space = "__import__('builtins').__dict__.setdefault('aside', {'__name__': 'aside'})"
        self.do(f"exec({textwrap.dedent(code)!r}, {space})")

    def do(self, code: str) -> None:
        """Run statements in the user's namespace that no hook sees, as a widget's callback does."""
        message_id = self.client.execute(textwrap.dedent(code), silent=True, store_history=False)
        reply = self.reply_to(message_id)
        assert reply["status"] == "ok", reply

    def comes_back(self, make: str, change: str, *truths: str) -> None:
        """Hold that the truths are true after `make`, and again after `change` and an undo, and after redo and undo."""
        self.run(make)
        self.is_true(*truths)
        self.run(change)
        for _ in range(2):
            self.undo()
            self.is_true(*truths)
            self.redo()
        self.undo()

    # messages -----------------------------------------------------------------------------------------------------

    def next_output(self) -> Message:
        """Return the next message on iopub."""
        message: Message = self.client.get_iopub_msg(timeout=TIMEOUT_S)
        return message

    def until_quiet(self) -> None:
        """Return when the kernel answers again: one that is interrupted may lose reply and idle of the cell it runs."""
        for _ in range(4):
            message_id = self.client.execute("None", silent=True, store_history=False)
            until = time.monotonic() + TIMEOUT_S / 4
            while time.monotonic() < until:
                try:
                    message = self.client.get_shell_msg(timeout=1.0)
                except queue.Empty:
                    assert self.manager.is_alive(), "the kernel died"
                    continue
                if message["parent_header"].get("msg_id") == message_id and message["content"]["status"] == "ok":
                    return
        raise AssertionError("the kernel does not answer")

    def reply_to(self, message_id: str) -> Message:
        """Return the content of the reply to a request; replies to others are dropped."""
        while True:
            try:
                message = self.client.get_shell_msg(timeout=1.0)
            except queue.Empty:
                assert self.manager.is_alive(), "the kernel died"
                continue
            if message["parent_header"].get("msg_id") == message_id:
                content: Message = message["content"]
                return content

    # Cellar -------------------------------------------------------------------------------------------------------

    def ask(self, command: str, **args: Any) -> dict[str, Any]:
        """Send a request to the kernel's session, as commands do."""
        with self.project.open(self.notebook) as repo:
            return repo.requests(repo.notebook(), command, args)

    def settle(self) -> None:
        """Wait until everything is recorded."""
        assert self.ask("wait_saved") == {"saved": True}

    def status(self) -> dict[str, Any]:
        """Return what the kernel says about its recording."""
        return self.ask("status")

    def undo(self, steps: int = 1, *, replay: Wish = "no") -> views.SessionChange:
        with self.project.open(self.notebook) as repo:
            return repo.undo(steps, replay=replay)

    def redo(self, steps: int = 1) -> views.SessionChange:
        with self.project.open(self.notebook) as repo:
            return repo.redo(steps)

    def checkout(self, ref: str, *, replay: Wish = "no") -> views.SessionChange:
        with self.project.open(self.notebook) as repo:
            return repo.checkout(ref, code=False, replay=replay)

    def restore(self, ref: str | None = None, *, replay: Wish = "no") -> views.SessionChange:
        with self.project.open(self.notebook) as repo:
            return repo.restore(ref, replay=replay)

    def commit(self, message: str) -> str:
        with self.project.open(self.notebook) as repo:
            return repo.commit(message).id

    def head(self, back: int = 0) -> Commit:
        """Return the commit HEAD~back."""
        return self.project.commit(f"HEAD~{back}", self.notebook)

    def variable(self, name: str, ref: str = "HEAD") -> Covariable:
        """Return the recorded co-variable of a name."""
        state = self.project.state(ref, self.notebook)
        return next(entry for entry in state.covariables if name in entry.names)

    def names(self, ref: str = "HEAD") -> set[str]:
        """Return the recorded names."""
        return {name for entry in self.project.state(ref, self.notebook).covariables for name in entry.names}

    # the process --------------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The kernel's process."""
        return int(self.value("__import__('os').getpid()"))

    def interrupt(self) -> None:
        """Interrupt as a front end does."""
        self.manager.interrupt_kernel()

    def kill(self) -> None:
        """End the process as a crash does."""
        self.client.stop_channels()
        self.manager.signal_kernel(signal.SIGKILL)
        wait_until(lambda: not self.manager.is_alive())

    def restart(self) -> None:
        """Restart as a front end does."""
        self.client.stop_channels()
        self.manager.restart_kernel()
        self._connect()

    def shut_down(self) -> None:
        """End the process as a front end does: a request, and time to follow it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel()

    def start_again(self) -> None:
        """Start a new process after the kernel ended."""
        self.manager.cleanup_resources()
        self._start()

    def close(self) -> None:
        """End the kernel, whatever state it is in."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


class Project:
    """A folder with `.cellar` and everything a kernel in it would otherwise take from the user's home."""

    def __init__(self, folder: Path, *, initialised: bool = True) -> None:
        self.root = folder / "project"
        self.root.mkdir(parents=True)
        self._own = folder / "own"
        (self._own / "runtime").mkdir(parents=True)
        self.environ = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED} | {
            "NBCELLAR_CONFIG_DIR": str(self._own / "config"),
            "NBCELLAR_RECORD": "1",
            "IPYTHONDIR": str(self._own / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(self._own / "runtime"),
        }
        self._give_startup_file()
        self._count = 0
        self._kernels: list[Kernel] = []
        if initialised:
            init(self.root, environ=self.environ).close()

    def startup_folder(self) -> Path:
        """Return the folder of the files that IPython runs at the start."""
        folder = self._own / "ipython" / "profile_default" / "startup"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _give_startup_file(self) -> None:
        """Put the startup file where IPython looks, unless it is installed with the package."""
        if not Path(sys.prefix, *STARTUP_FILE.parts[-4:]).is_file():
            shutil.copy(STARTUP_FILE, self.startup_folder())

    def connection_file(self) -> Path:
        """Return a new name of a connection file."""
        self._count += 1
        return self._own / "runtime" / f"kernel-{self._count}.json"

    def kernel(self, notebook: str = "a.ipynb", *, joins: bool = True, **environ: str) -> Kernel:
        """Start a kernel, which must join by itself unless `joins` is false.

        Keywords are added to its environment, an empty value removes.
        """
        wanted = self.environ | {"JPY_SESSION_NAME": str(self.root / notebook)} | environ
        kernel = Kernel(self, notebook, {name: value for name, value in wanted.items() if value})
        self._kernels.append(kernel)
        if joins:
            assert kernel.value(_WHY_NOT) == "", "the kernel does not record"
        return kernel

    def close(self) -> None:
        """End all kernels."""
        for kernel in self._kernels:
            kernel.close()

    def open(self, notebook: str = "a.ipynb", asking: Asking | None = None) -> Repo:
        """Return the repository, with this notebook as the default."""
        return open_repo(self.root, environ=self.environ, notebook=notebook, asking=asking)

    def commit(self, ref: str, notebook: str = "a.ipynb") -> Commit:
        """Return a commit."""
        with self.open(notebook) as repo:
            return repo.repository.read_commit(repo.resolve(ref))

    def commit_id(self, ref: str, notebook: str = "a.ipynb") -> CommitId:
        """Return a commit's id."""
        with self.open(notebook) as repo:
            return repo.resolve(ref)

    def state(self, ref: str, notebook: str = "a.ipynb") -> State:
        """Return the state of a commit."""
        with self.open(notebook) as repo:
            return repo.repository.read_state(repo.resolve(ref))

    def log(self, notebook: str = "a.ipynb", *, all: bool = False) -> list[views.CommitLine]:
        """Return the commits, newest first."""
        with self.open(notebook) as repo:
            return repo.log(all=all).commits

    def show(self, ref: str = "HEAD", notebook: str = "a.ipynb") -> views.Show:
        """Return one commit in full."""
        with self.open(notebook) as repo:
            return repo.show(ref)

    def cellar(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return subprocess.run(
            [sys.executable, "-m", "nbcellar.cli.main", *args],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def write(self, name: str, text: str) -> Path:
        """Write a file beside the notebooks; indentation common to all lines does not count."""
        path = self.root / name
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def configure(self, text: str) -> None:
        """Write the repository's settings; a kernel reads them when it starts."""
        (self.root / ".cellar" / "config.toml").write_text(text)


_MODULES = "*(__import__('nbcellar.session.' + name, fromlist=['x']) for name in ('join', 'remote'))"
_WHY_NOT = f"(lambda join, remote: '' if remote.current() else join.reason() or 'nobody asked')({_MODULES})"
_NOT_INHERITED = ("CI", "JPY_PARENT_PID", "JPY_SESSION_NAME")


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when something outside of our reach is so; fails after the time that ends all waiting."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def values_of(entry: Covariable) -> list[str]:
    """Return the previews' texts."""
    return [preview.text for preview in entry.previews]


__all__ = ["Kernel", "Project", "Result", "Running", "values_of", "wait_until"]
