"""The demonstration that `make demo` runs: a real analysis, recorded, broken and brought back, then shared in git.

In a temporary folder with a home of its own, so that nothing of yours is touched. Every command is a real one, shown
after `$ ` with its real output; cells that run in a live kernel are shown after `In [ ]: `. It ends with an exit code
that is not 0 as soon as something is not as it should be.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

NOTEBOOK = "wine.ipynb"
PIPELINE = "diabetes.ipynb"
PAUSE_S = 1.0
HERE = Path(__file__).resolve().parent
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


class DemoError(Exception):
    """A step did not do what it should."""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="cellar-demo-") as name:
        folder = Path(name).resolve() / "wine"
        folder.mkdir()
        shutil.copy(HERE / NOTEBOOK, folder)
        shutil.copy(HERE / PIPELINE, folder)
        try:
            terminal = Terminal(folder)
            tell_the_story(terminal)
            share_in_git(terminal)
            run_a_pipeline(terminal)
        except DemoError as error:
            print(f"\ndemo failed: {error}", file=sys.stderr)
            return 1
    return 0


class Terminal:
    """A terminal in the demonstration's folder, and the environment of its kernels."""

    def __init__(self, folder: Path) -> None:
        home = folder.parent / "home"
        home.mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("NBCELLAR_", "JUPYTER", "IPYTHON", "XDG_"))}
        kept.pop("CI", None)
        self.folder = folder
        self.environment = kept | {
            "HOME": str(home),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", os.defpath))),
            "PYTHONPATH": str(HERE.parent / "src"),
            "JPY_SESSION_NAME": str(folder / NOTEBOOK),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "COLUMNS": "110",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "me@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def run(self, command: str, *, code: int = 0) -> str:
        """Show a command, run it, show its output and return it; it must end with `code`."""
        print(f"\n{BOLD}$ {command}{PLAIN}", flush=True)
        words = shlex.split(command)
        if words[0] == "cellar":
            words[:1] = [sys.executable, "-m", "nbcellar.cli.main"]
        run = subprocess.run(
            words, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if run.stdout.strip():
            print(run.stdout.rstrip(), flush=True)
        if run.returncode != code:
            raise DemoError(f"`{command}` ended with {run.returncode}")
        return run.stdout

    @contextmanager
    def kernel(self) -> Iterator[LiveKernel]:
        """A kernel as a Jupyter server starts it for the notebook."""
        manager = KernelManager()
        manager._kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python", env={}
        )
        manager.start_kernel(cwd=str(self.folder), env=self.environment, stderr=subprocess.DEVNULL)
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=60)
            yield LiveKernel(manager, client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


class LiveKernel:
    """A running kernel whose cells are shown as they run."""

    def __init__(self, manager: Any, client: Any) -> None:
        self._manager = manager
        self._client = client

    def run(self, source: str) -> str:
        """Show a cell, run it, show its output; return its result, without what it printed."""
        print(f"\n{BOLD}In [ ]: {PLAIN}{source}", flush=True)
        messages: list[dict[str, Any]] = []
        reply = self._client.execute_interactive(source, timeout=120, output_hook=messages.append)
        text = "".join(map(_text_of, messages)).rstrip()
        if text:
            print(text, flush=True)
        if reply["content"]["status"] != "ok":
            raise DemoError(f"the cell failed: {source}")
        return "".join(_text_of(m) for m in messages if m["msg_type"] == "execute_result").rstrip()

    def records_itself(self) -> bool:
        """True if Cellar records this kernel already."""
        question = "__import__('nbcellar.session.remote').session.remote.current() is not None"
        reply = self._client.execute_interactive("", silent=True, user_expressions={"it": question}, timeout=60)
        return bool(reply["content"]["user_expressions"]["it"].get("data", {}).get("text/plain") == "True")

    def kill(self) -> None:
        """End the process the way a full memory does."""
        pid = self._manager.provisioner.pid
        print(f"\n{BOLD}$ kill -9 {pid}{PLAIN}   {DIM}# the kernel{PLAIN}", flush=True)
        os.kill(pid, signal.SIGKILL)


def tell_the_story(terminal: Terminal) -> None:
    """Run the steps, checking each one that matters."""
    say("An analysis of 18 cells, run without a browser. Every cell is recorded.")
    terminal.run("cellar init")
    terminal.run(f"cellar run {NOTEBOOK}")
    terminal.run("cellar log")
    say("What did the cell that drops the outliers change?")
    expect("drop(index" in terminal.run("cellar show HEAD~8"), "HEAD~8 is not the cell that drops the outliers")
    say("Somebody opens the notebook: a new kernel, and the variables of the run come back instead of being computed.")
    with terminal.kernel() as kernel:
        join(kernel)
        terminal.run("cellar restore")
        shape = kernel.run("df.shape")
        expect(shape == "(168, 16)", "the restored frame has another shape")
        say("A slip: two columns that everything rests on are deleted, in place.")
        expect(kernel.run('del df["proline"], df["flavanoids"]\ndf.shape') != shape, "the cell changed nothing")
        terminal.run("cellar undo")
        expect(kernel.run("df.shape") == shape, "undo did not bring the columns back")
        say("The work goes on, and the kernel dies.")
        kernel.run("best = curve[curve == curve.max()].index.tolist()\nbest")
        kernel.run("sample = np.random.random()\nsample")
        # A cell counts as recorded once its commit is durable, some milliseconds after the reply; nobody is faster.
        time.sleep(PAUSE_S)
        kernel.kill()
    with terminal.kernel() as kernel:
        join(kernel)
        terminal.run("cellar restore")
        back = kernel.run("df.shape, best, sample")
        expect(back.startswith(f"({shape}, [3], 0."), "restore did not bring the session back")
        kernel.run("forest.predict(X_test)[:3]")
    say("All of it is in one history; what was undone is still there, and so is the dead kernel's last state.")
    terminal.run("cellar log --all --graph -N 10")
    terminal.run("cellar size")


def share_in_git(terminal: Terminal) -> None:
    """Two people change the notebook; git merges it by cell."""
    notebook = terminal.folder / NOTEBOOK
    say("The notebook goes into git, without its outputs: those stay in the file.")
    terminal.run("git init -q -b main")
    terminal.run("cellar git install")
    terminal.run(f"git add {NOTEBOOK}")
    terminal.run("git commit -qm 'wine'")
    terminal.run("git switch -qc colleague")
    say("A colleague takes a larger forest, and adds a cell at the end.")
    edit(notebook, "n_estimators=50", "n_estimators=200", add="board.scores")
    terminal.run("git commit -qam 'a larger forest'")
    terminal.run("git switch -q main")
    say("Meanwhile, here: another forest, another split, a word in the text.")
    edit(notebook, "n_estimators=50", "n_estimators=100")
    edit(notebook, "test_size=0.3", "test_size=0.25")
    edit(notebook, "How few measurements are enough?", "How few are enough?")
    terminal.run("git diff")
    terminal.run("git commit -qam 'another split'")
    terminal.run("git merge colleague", code=1)
    say("Two edits of one line: that is for a person. All else is merged, and the notebook opens.")
    terminal.run(f"cellar resolve {NOTEBOOK} --list", code=1)
    terminal.run(f"cellar resolve {NOTEBOOK} --theirs")
    terminal.run("git commit -qam 'merged'")
    said = terminal.run(f"cellar diff git:HEAD~1 {NOTEBOOK} --stat")
    expect("cell" in said, "the merge changed nothing")
    merged = notebook.read_text("utf-8")
    for text in ("n_estimators=200", "test_size=0.25", "How few are enough?", "board.scores"):
        expect(text in merged, f"{text} is not in the merged notebook")


def run_a_pipeline(terminal: Terminal) -> None:
    """Run cells as components: only what is needed, beside each other, with a reason for each that runs."""
    notebook = terminal.folder / PIPELINE
    say("Another notebook, whose cells are components of a pipeline. What needs what, its cells say themselves.")
    terminal.run(f"cellar pipeline show {PIPELINE}")
    said = terminal.run(f"cellar pipeline run {PIPELINE} --executor process")
    expect("8 ran" in said, "not all components ran")
    say("Nothing changed, so nothing runs.")
    expect("8 cached" in terminal.run(f"cellar pipeline run {PIPELINE}"), "the results were not used")
    say("What would another parameter run, and why?")
    said = terminal.run(f"cellar pipeline run {PIPELINE} -p alpha=10.0 --dry-run")
    expect("parameter alpha 1.0 -> 10.0" in said and "4 would run, 4 cached" in said, "the reasons are others")
    terminal.run(f"git add {PIPELINE}")
    terminal.run("git commit -qm 'two models as a pipeline'")
    say("A smaller forest: the linear model, and all before the two, stay as they are.")
    edit(notebook, "RandomForestRegressor(200", "RandomForestRegressor(100")
    expect("4 ran, 4 cached" in terminal.run(f"cellar pipeline run {PIPELINE}"), "more ran than had to")
    expect("forest" in terminal.run(f"cellar pipeline diff {PIPELINE}"), "the difference is not shown")
    terminal.run(f"git restore {PIPELINE}")
    say("As it was: its results are there still. The picture's file alone has to be drawn again.")
    said = terminal.run(f"cellar pipeline run {PIPELINE}")
    expect("1 ran, 7 cached" in said, "the results before are gone")
    script = f"import nbcellar; print(nbcellar.load_results('{PIPELINE}', 'scores')['scores'].round(2))"
    expect("forest" in terminal.run(f'python -c "{script}"'), "the values were not loaded")
    say("More: cellar --help, and cellar COMMAND --help. The notebooks: examples/wine.ipynb, examples/diabetes.ipynb.")


def edit(notebook: Path, old: str, new: str, *, add: str = "") -> None:
    """Change a cell's source in the file, as an editor does; `add` is the source of a cell at the end."""
    value = json.loads(notebook.read_text("utf-8"))
    for cell in value["cells"]:
        cell["source"] = [line.replace(old, new) for line in cell["source"]]
    if add:
        cell = {"cell_type": "code", "execution_count": None, "id": "added", "metadata": {}, "outputs": []}
        value["cells"].append(cell | {"source": [add]})
    notebook.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def join(kernel: LiveKernel) -> None:
    """Make the kernel record itself, unless it does: an installed Cellar loads itself at a kernel's start."""
    if not kernel.records_itself():
        kernel.run("%load_ext nbcellar")


def say(text: str) -> None:
    """Show a line of the story."""
    print(f"\n{DIM}# {text}{PLAIN}", flush=True)


def expect(condition: bool, failure: str) -> None:
    """Raise DemoError unless the condition holds."""
    if not condition:
        raise DemoError(failure)


def _text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    if message["msg_type"] == "stream":
        return str(content["text"])
    if message["msg_type"] in ("execute_result", "display_data"):
        return f"{content['data'].get('text/plain', '')}\n"
    if message["msg_type"] == "error":
        return "\n".join((*content["traceback"], ""))
    return ""


if __name__ == "__main__":
    sys.exit(main())
