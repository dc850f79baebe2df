"""The entry point of `cellar`, and of `%cellar` lines in a kernel.

Invariant: an error of the tree becomes `error: ...` and `hint: ...` on the error stream and an exit code of
`exit_codes.py`, never a traceback (NBCELLAR_DEBUG=1 shows it).
"""

from __future__ import annotations

import argparse
import codecs
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TextIO, cast

from nbcellar import __version__
from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console, find_cellar_folder
from nbcellar.cli.lightly import load_msgspec
from nbcellar.errors import CellarError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbcellar.api.kernels import Requests


class Command(Protocol):
    """What a module of this folder that is a command offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, console: Console) -> int: ...


# Name -> what `cellar --help` says of it, in groups; the module of the same name holds the command.
COMMANDS: dict[str, dict[str, str]] = {
    "start": {
        "init": "record the notebooks of a folder from now on",
        "status": "what is recorded, what is off and why, which kernels are live",
        "doctor": "look for what keeps recording from working, with the command that mends it",
        "attach": "record a notebook, its running kernel included",
        "detach": "stop recording a notebook, or all",
        "config": "show or change settings",
        "run": "run a notebook from top to bottom in a fresh kernel, recorded",
    },
    "look": {
        "log": "list the history of a notebook",
        "show": "show one commit, or a notebook",
        "diff": "show what changed between two commits, or two notebooks",
        "vars": "list the variables of a commit with previews",
        "search": "look for a text, or for what became of a variable",
        "web": "show notebooks and their changes in a browser",
    },
    "go back and forth": {
        "undo": "take back what the last cell did to the variables",
        "redo": "bring back what was undone",
        "checkout": "go to any commit: variables, code or both",
        "restore": "bring a session back into a new kernel, after a crash or restart",
    },
    "name": {
        "commit": "keep this point under a message, code and variables",
        "branch": "list, make, rename or delete branches",
        "tag": "list, make or delete tags",
        "message": "change the message of a commit",
        "op": "list every change of branches and HEAD, and undo one",
    },
    "pipelines": {
        "pipeline": "a notebook as a pipeline of cells: components, edges, parameters",
    },
    "git": {
        "git": "make git diff, merge and store notebooks well; install it, look whether it works",
    },
    "keep": {
        "size": "what takes how much space",
        "gc": "remove what nothing refers to any more",
        "check": "verify that everything stored is whole",
        "secrets": "look for passwords and tokens in what is recorded",
        "forget": "remove a variable, a commit or a text from history for good",
    },
    "documents": {
        "patch": "apply a stored diff to a notebook",
        "clean": "bring notebooks into canonical form, for git",
        "fix": "mend notebooks that do not open: conflict marks of git's, what nbformat forbids",
        "merge-file": "merge three versions of a notebook",
        "resolve": "decide the conflicts that a merge left in a notebook",
    },
    "trust": {
        "key": "show the key that signs your commits",
        "trust": "whose variables may be loaded",
    },
    "shell": {
        "completion": "print a completion script for bash, zsh or fish",
    },
}
_ALL = {name: text for group in COMMANDS.values() for name, text in group.items()}


class UsageError(Exception):
    """Arguments that do not fit; `usage` is the line to show."""

    def __init__(self, message: str, usage: str, command: str) -> None:
        super().__init__(message)
        self.usage = usage
        self.command = command


class _Finished(Exception):
    """argparse has printed what was asked for (help)."""


class Parser(argparse.ArgumentParser):
    """Reports wrong arguments as exceptions and prints help to the command's own stream."""

    out: TextIO = sys.stdout
    intermixed = False  # of a command's action: options may stand between the words of a list

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if not self.intermixed:
            return super().parse_known_args(args, namespace)
        self.intermixed = False  # what follows asks here for each of its two passes
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.intermixed = True

    def error(self, message: str) -> NoReturn:
        command = self.prog.partition(" ")[2]
        raise UsageError(message, self.format_usage().strip(), command)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _Finished

    def print_help(self, file: object = None) -> None:
        self.out.write(self.format_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line of this process and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        _replace_what_it_cannot_write(stream)
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in _ALL:
        load_msgspec()
    console = Console(out=sys.stdout, err=sys.stderr, environ=os.environ, folder=Path.cwd(), width=_terminal_width())
    try:
        code = run(words, console)
        sys.stdout.flush()  # here, where a reader that is gone is no error
        return code
    except BrokenPipeError:
        # The reader of our output went away (`cellar log | head`): no error. The interpreter would flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OK


def run_line(
    line: str,
    *,
    kernel_requests: Requests,
    folder: Path,
    notebook: str | None = None,
    environ: Mapping[str, str] | None = None,
    color: bool = False,
) -> str:
    """Run one `%cellar` line inside a kernel and return what it would print; errors are part of the text.

    kernel_requests: carries out what changes the session, in this very process; notebook: the kernel's own.
    """
    import io
    import shlex

    text = io.StringIO()
    environ = os.environ if environ is None else environ
    console = Console(
        out=text,
        err=text,
        environ=environ,
        folder=folder,
        color=color,
        kernel_requests=kernel_requests,
        notebook=notebook or environ.get("JPY_SESSION_NAME"),
    )
    try:
        words = shlex.split(line)
    except ValueError as error:
        return f"error: {error} in: {line}\n"
    run(words, console)
    return text.getvalue()


def run(argv: Sequence[str], console: Console) -> int:
    """Run one command line and return its exit code; everything it says goes to `console`."""
    failure: list[int] = []  # what the command exits with when anything goes wrong, if it says so itself
    try:
        return _dispatch(argv, console, failure)
    except _Finished:
        return exit_codes.OK
    except UsageError as error:
        _report(console, str(error), f"cellar {error.command} --help".replace("  ", " "))
        return exit_codes.USAGE
    except CellarError as error:
        if console.environ.get("NBCELLAR_DEBUG") == "1":
            raise
        _report(console, error.message, error.hint)
        return failure[0] if failure else exit_codes.exit_code(error)
    except KeyboardInterrupt:
        console.notice("interrupted")
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        if console.environ.get("NBCELLAR_DEBUG") == "1":
            raise
        where = f"{error.filename}: " if error.filename else ""
        _report(console, f"{where}{error.strerror or error}", "")
        return failure[0] if failure else exit_codes.exit_code_of_os_error()
    except Exception as error:
        if console.environ.get("NBCELLAR_DEBUG") == "1":
            raise
        _report(console, f"{type(error).__name__}: {error}", "this is a bug in Cellar; NBCELLAR_DEBUG=1 shows where")
        return failure[0] if failure else exit_codes.FINDINGS


def load(name: str) -> Command:
    """Return the module of a command."""
    return cast("Command", importlib.import_module(f"nbcellar.cli.{name.replace('-', '_')}"))


def command_parser(name: str, command: Command, out: TextIO) -> Parser:
    """Return the parser of one command, with the options that every command takes."""
    parser = Parser(
        prog=f"cellar {name}",
        description=(command.__doc__ or _ALL[name]).strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.out = out
    command.configure(parser)
    for each in (parser, *_subparsers(parser)):
        _add_common(each, default=argparse.SUPPRESS)
    return parser


def _subparsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return the parsers of `log` and `undo` in `cellar op log|undo`, and those of actions of actions."""
    actions = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return [each for action in actions for sub in action.choices.values() for each in (sub, *_subparsers(sub))]


def _dispatch(argv: Sequence[str], console: Console, failure: list[int]) -> int:
    top = _top_parser(console)
    first = top.parse_args(argv)
    if first.version:
        console.print(f"cellar {__version__}")
        return exit_codes.OK
    console = _with_surroundings(console, first)
    if first.command in (None, "help"):
        return _help(first.rest, top, console)
    if first.command not in _ALL:
        raise UsageError(_unknown(first.command), top.format_usage().strip(), "")
    command = load(first.command)
    failure += [command.FAILURE] if hasattr(command, "FAILURE") else []
    args = _parse(first.command, command, _with_dashes(argv, first.rest), console)
    console = _with_surroundings(console, args)
    return command.run(args, console.but(color=_wants_color(console)))


def _with_dashes(argv: Sequence[str], rest: list[str]) -> list[str]:
    """Return the words after the command with a `--` that stood first among them, which argparse takes away."""
    place = len(argv) - len(rest) - 1
    return ["--", *rest] if place > 0 and argv[place] == "--" else rest


def _parse(name: str, command: Command, words: list[str], console: Console) -> argparse.Namespace:
    """Return a command's arguments. What stands after `--` goes where the module's AFTER_DASHES says."""
    target = getattr(command, "AFTER_DASHES", None)
    parser = command_parser(name, command, console.out)
    parse = parser.parse_intermixed_args if getattr(command, "INTERMIXED", False) else parser.parse_args
    if target is None or "--" not in words:
        return parse(words)
    place = words.index("--")
    args = parse(words[:place])
    setattr(args, target, [*(getattr(args, target) or ()), *words[place + 1 :]])
    return args


def _help(rest: Sequence[str], top: Parser, console: Console) -> int:
    if rest and rest[0] in _ALL:
        command_parser(rest[0], load(rest[0]), console.out).print_help()
    else:
        top.print_help()
    return exit_codes.OK


def _top_parser(console: Console) -> Parser:
    parser = Parser(
        prog="cellar",
        usage="cellar [-C DIR] [-n NOTEBOOK] COMMAND ...",
        description="Version control for notebooks: every cell run is a commit of the variables and the code.",
        epilog=_command_list(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.out = console.out
    _add_common(parser, default=None)
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    group = parser.add_argument_group("options of every command")
    group.add_argument("-C", dest="folder", metavar="DIR", default=default, help="act as if started in DIR")
    group.add_argument(
        "-n", dest="notebook", metavar="NOTEBOOK", default=default, help="the notebook, where there are several"
    )
    group.add_argument("--color", choices=("auto", "always", "never"), default=default, help="colours in the output")


def _command_list() -> str:
    lines = []
    for group, names in COMMANDS.items():
        lines += ["", f"{group}:", *(f"  {name:<11} {text}" for name, text in names.items())]
    lines += ["", "cellar COMMAND --help explains a command; cellar help COMMAND does the same."]
    return "\n".join(lines).lstrip("\n")


def _with_surroundings(console: Console, args: argparse.Namespace) -> Console:
    """Apply -C, -n and --color, wherever they stood."""
    folder = getattr(args, "folder", None)
    if folder is not None:
        target = console.folder / Path(folder).expanduser()
        if not target.is_dir():
            raise UsageError(f"-C {folder}: there is no such folder", "", "")
        console = console.but(folder=target, notebook=None)  # there, another notebook may be meant
    options = {name: value for name in ("notebook", "color") if (value := getattr(args, name, None)) is not None}
    return console.with_options(**options).but(live_progress=_is_terminal(console.err))


def _wants_color(console: Console) -> bool:
    choice = console.options.get("color") or _color_setting(console)
    if choice in ("always", "never"):
        return bool(choice == "always")
    if console.environ.get("NO_COLOR"):
        return False
    return console.color or (_is_terminal(console.out) and console.environ.get("TERM") != "dumb")


def _color_setting(console: Console) -> str:
    """Return `ui.color`; a wrong setting is told by the commands that need one, not by every line of colour."""
    from nbcellar import config

    try:
        return config.load(find_cellar_folder(console.folder), console.environ).ui.color
    except CellarError:
        return "auto"


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _replace_what_it_cannot_write(stream: TextIO) -> None:
    """Let a terminal without Unicode (LANG=C, Latin-1) show what it can, rather than end the command."""
    if hasattr(stream, "reconfigure"):
        codecs.register_error("cellar", _as_ascii)
        stream.reconfigure(errors="cellar")


def _as_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join("..." if letter == "…" else "?" for letter in letters), error.end


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def _unknown(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, _ALL, n=1)
    return f"'{name}' is no command of cellar" + (f"; did you mean '{near[0]}'?" if near else "")


def _report(console: Console, message: str, hint: str) -> None:
    on_terminal = _is_terminal(console.err) and not console.environ.get("NO_COLOR")
    console = console.but(color=console.color or on_terminal)
    console.notice(f"{console.style('error:', 'red', 'bold')} {message}")
    if hint:
        console.notice(f"{console.style('hint:', 'cyan')} {hint}")


if __name__ == "__main__":
    sys.exit(main())
