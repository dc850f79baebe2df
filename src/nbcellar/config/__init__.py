"""Settings: typed values from files and the environment.

Order, later wins: defaults, the user's file, the repository's `.cellar/config.toml`, environment variables.

Invariant: settings are values only. No key names code, a module, a command or a path to load from, so a repository that
came from someone else cannot run anything through its file; and a key that nobody knows is an error, never ignored.

Not for: what a command's options say; where a repository is (`history/repository.py`).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from nbcellar.config.describing import doc
from nbcellar.config.documents import Clean, Notebooks
from nbcellar.errors import InvalidInputError, StoreUnavailableError

FILE_NAME = "config.toml"
ENVIRONMENT_PREFIX = "NBCELLAR_"
_ALIASES = {"NBCELLAR_RECORD": "record.enabled"}
_LONGEST_FILE_BYTES = 1_000_000
_SWITCHES = ("record.enabled", "clean.outputs", "clean.on_save")  # true, false or "auto"

# Names of constants broadly; names in small letters only where no analysis uses them: `key`, `tokens`, `token_ids`,
# `secretary` are data. A name that a pattern misses is a matter for `cellar secrets scan`.
SECRET_NAMES: tuple[str, ...] = tuple(
    """
    KEY *_KEY *_KEYS *_KEY_* *APIKEY* *TOKEN *_TOKEN_* *SECRET *SECRETS *SECRET_* *PASSWORD* *PASSWD* *PASSPHRASE*
    *CREDENTIAL* *_PWD *_PASS *CONN_STR* *CONNECTION_STRING* *DATABASE_URL *_DSN *password* *passwd* *passphrase*
    secret secrets secret_* *_secret *_secrets *_secret_* credentials *_credentials *_pwd *api_key* *apikey*
    *access_key* *account_key* *auth_key* *private_key* *api_token* *access_token* *auth_token* *bearer_token*
    *refresh_token* *session_token* *bot_token* *github_token* *gitlab_token* *slack_token* gh_token hf_token
    *conn_str* *connection_string* *database_url *Password* *[aA]piKey* *[aA]ccessKey* *[pP]rivateKey*
    *[aA]ccessToken* *[aA]uthToken* *[cC]lientSecret*
    """.split()
)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a kernel records."""

    enabled: Annotated[
        bool | Literal["auto"],
        doc(
            'Whether kernels record themselves; "auto": in an initialised folder, but not in continuous integration, '
            "papermill, nbconvert or an IPython terminal.",
            'true, false or "auto"',
        ),
    ] = "auto"
    skip_names: Annotated[
        tuple[str, ...],
        doc(
            "Variables and environment variables that are never recorded, as shell patterns in which case matters. "
            "A repository's file adds to the user's list, it does not shorten it. See docs/secrets.md.",
            "a list of patterns",
        ),
    ] = SECRET_NAMES
    off_notebooks: Annotated[
        tuple[str, ...],
        doc(
            "Notebooks that are not recorded, as shell patterns of paths relative to the repository's folder.",
            "a list of patterns",
        ),
    ] = ()
    outputs: Annotated[bool, doc("Whether the outputs of a cell are recorded with it.", "true or false")] = True
    budget_s: Annotated[
        float,
        Meta(gt=0),
        doc("Seconds after which one capture is given up and noted as over budget.", "a number above 0"),
    ] = 2.0
    check_ms: Annotated[
        float,
        Meta(ge=0),
        doc(
            "Milliseconds after each cell for checking variables that the cell does not seem to have touched.",
            "a number, 0 or more",
        ),
    ] = 2.0
    memory_mb: Annotated[
        int,
        Meta(ge=1),
        doc("Memory, in MiB, for copies of data that is still being written.", "a whole number above 0"),
    ] = 256
    max_variable_mb: Annotated[
        int,
        Meta(ge=1),
        doc("Size, in MiB, above which a variable is listed but its value is not stored.", "a whole number above 0"),
    ] = 4096
    never_store: Annotated[
        tuple[str, ...],
        doc(
            "Classes whose objects are listed but never stored, as shell patterns of their full names: "
            '"torch.cuda.*", "mylab.Session". Cells can be run again to bring them back (--replay).',
            "a list of patterns",
        ),
    ] = ()
    never_store_names: Annotated[
        tuple[str, ...],
        doc(
            "Variables that are listed but whose values are never stored, as shell patterns in which case matters; "
            "cells can be run again to bring them back (--replay).",
            "a list of patterns",
        ),
    ] = ()
    max_store_mb: Annotated[
        int,
        Meta(ge=0),
        doc(
            "Size, in MiB, of packs and database together from which on values are not saved (code, outputs and "
            "previews are); 0: no cap. Whatever it is, some of the disk is left free.",
            "a whole number, 0 or more",
        ),
    ] = 0


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Running cells again for what cannot be stored."""

    allowed: Annotated[
        Literal["ask", "always", "never"],
        doc(
            "Whether undo, redo, checkout and restore may run cells again to bring back what is not stored; "
            '"ask": after a question on a terminal, else only with --replay.',
            '"ask", "always" or "never"',
        ),
    ] = "ask"


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """Which states keep the values of all their variables when `cellar gc` thins out."""

    last: Annotated[
        int,
        Meta(ge=1),
        doc("So many newest states of each notebook keep their values.", "a whole number above 0"),
    ] = 200
    all_hours: Annotated[
        int,
        Meta(ge=0),
        doc("Hours for which every state keeps its values.", "a whole number, 0 or more"),
    ] = 48
    hourly_days: Annotated[
        int,
        Meta(ge=0),
        doc("Days for which the last state of each hour keeps its values.", "a whole number, 0 or more"),
    ] = 14
    daily_days: Annotated[
        int,
        Meta(ge=0),
        doc(
            "Days for which the last state of each day keeps its values; after them, the last of each week does.",
            "a whole number, 0 or more",
        ),
    ] = 180
    below_kb: Annotated[
        int,
        Meta(ge=0),
        doc("Size, in KiB, below which a value is never thinned out.", "a whole number, 0 or more"),
    ] = 16
    auto: Annotated[
        bool,
        doc("Whether idle kernels thin out once a day; else `cellar gc` does, when it is run.", "true or false"),
    ] = False


class Gc(msgspec.Struct, frozen=True, kw_only=True):
    """What garbage collection keeps."""

    keep_ops_days: Annotated[
        int,
        Meta(ge=0),
        doc(
            "Days for which what an earlier operation showed is kept, so that it can be undone.",
            "a whole number, 0 or more",
        ),
    ] = 30


class Ui(msgspec.Struct, frozen=True, kw_only=True):
    """How commands show things."""

    color: Annotated[
        Literal["auto", "always", "never"],
        doc(
            'Colours in the output; "auto": on a terminal, unless NO_COLOR is set.',
            '"auto", "always" or "never"',
        ),
    ] = "auto"


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who commits are by."""

    name: Annotated[
        str,
        doc("Name written into commits; empty: the login name and the machine's name.", "text"),
    ] = ""


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What the scan for secrets passes over."""

    allow: Annotated[
        tuple[str, ...],
        doc(
            "What `cellar secrets scan` takes for no secret: ids that it has shown, or shell patterns of texts.",
            "a list of ids and patterns",
        ),
    ] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, by section."""

    record: Record = Record()
    replay: Replay = Replay()
    keep: Keep = Keep()
    gc: Gc = Gc()
    ui: Ui = Ui()
    author: Author = Author()
    secrets: Secrets = Secrets()
    clean: Clean = Clean()
    notebooks: Notebooks = Notebooks()


class Key(msgspec.Struct, frozen=True):
    """One setting: its name (`section.key`), what it means and what it may be."""

    name: str
    type: Any
    default: Any
    description: str
    allowed: str

    @property
    def variable(self) -> str:
        """Return the environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.name.upper().replace(".", "_")


class Value(msgspec.Struct, frozen=True):
    """A setting's value and where it came from: "default", a file's path or an environment variable's name."""

    key: Key
    value: Any
    origin: str


def _collect_keys() -> dict[str, Key]:
    keys = {}
    for section in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(section.type):
            metas = [part for part in get_args(field.type) if isinstance(part, Meta)]
            described = next(meta for meta in metas if meta.description)
            allowed = (described.extra or {})["allowed"]
            name = f"{section.name}.{field.name}"
            keys[name] = Key(name, field.type, field.default, described.description or "", allowed)
    return keys


KEYS: Mapping[str, Key] = _collect_keys()
_VARIABLES = {**_ALIASES, **{key.variable: name for name, key in KEYS.items()}}
_SECTIONS = tuple({f"{ENVIRONMENT_PREFIX}{name.partition('.')[0].upper()}_" for name in KEYS})


def user_file(environ: Mapping[str, str]) -> Path:
    """Return the path of the user's file, whether it exists or not."""
    return user_folder(environ) / FILE_NAME


def user_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the user's own files: $NBCELLAR_CONFIG_DIR, else `nbcellar` in the XDG config folder."""
    own = environ.get("NBCELLAR_CONFIG_DIR")
    if own:
        return Path(own)
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".config") / "nbcellar"


def load(cellar_folder: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings that hold for a repository (its `.cellar` folder), or for none.

    Raises InvalidInputError naming file, key and what is allowed.
    """
    return load_values(cellar_folder, environ)[0]


def load_values(cellar_folder: Path | None, environ: Mapping[str, str]) -> tuple[Settings, Mapping[str, Value]]:
    """Return the settings and, by key, each value with its origin."""
    files = [user_file(environ)] + ([cellar_folder / FILE_NAME] if cellar_folder else [])
    return _settings_of(tuple((path, read_text(path)) for path in files), cellar_folder, tuple(variables(environ)))


@lru_cache(maxsize=8)
def _settings_of(
    texts: tuple[tuple[Path, str], ...], cellar_folder: Path | None, variables: tuple[tuple[str, str, str], ...]
) -> tuple[Settings, Mapping[str, Value]]:
    """Return what texts and variables say: a worker asks for each component, and they are the same nearly always."""
    values = {name: Value(key, key.default, "default") for name, key in KEYS.items()}
    for path, found in texts:
        for name, value in read_values(path, found):
            if name == "record.skip_names" and cellar_folder is not None and path.parent == cellar_folder:
                value = tuple(dict.fromkeys((*values[name].value, *value)))  # a repository can hide more, never less
            values[name] = Value(KEYS[name], value, str(path))
    for variable, name, text in variables:
        values[name] = Value(KEYS[name], parse_text(KEYS[name], text, where=variable), variable)
    sections: dict[str, dict[str, Any]] = {section.name: {} for section in msgspec.structs.fields(Settings)}
    for name, known in values.items():
        sections[name.partition(".")[0]][name.partition(".")[2]] = known.value
    return msgspec.convert(sections, Settings), MappingProxyType(values)


def find_key(name: str, *, where: str = "") -> Key:
    """Return the key of a name. Raises InvalidInputError that suggests names for an unknown one."""
    if name in KEYS:
        return KEYS[name]
    prefix = f"{where}: " if where else ""
    section = name.partition(".")[0]
    near = [key for key in KEYS if key.startswith(section + ".")]
    known = f"in [{section}] there are: {', '.join(key.partition('.')[2] for key in near)}"
    sections = ", ".join(dict.fromkeys(key.partition(".")[0] for key in KEYS))
    hint = known if near else f"sections are: {sections}; all keys: cellar config"
    raise InvalidInputError(f"{prefix}unknown key '{name}'", hint=hint)


def parse_text(key: Key, text: str, *, where: str) -> Any:
    """Return the value that `text` (an environment variable, an argument) stands for."""
    return _check(key, _from_text(key, text.strip()), where)


def write_value(path: Path, key: Key, value: Any) -> bool:
    """Set a key in a file, or remove it (None), and leave all other lines as they are; return if it was there before.

    Raises InvalidInputError when the file writes the key in a form that a line edit does not reach.
    """
    before = path.read_text("utf-8") if path.exists() else ""
    old = dict(read_values(path))
    if value is None and key.name not in old:
        return False
    after = _edit(before, key.name, value)
    wanted = {name: item for name, item in old.items() if name != key.name}
    if value is not None:
        wanted[key.name] = _check(key, value, str(path))
    if dict(read_values(path, after)) != wanted:
        raise InvalidInputError(f"{path}: '{key.name}' is written in an unusual form", hint=f"edit it there: {path}")
    _write_text(path, after)
    return key.name in old


def remove_line(path: Path, name: str) -> bool:
    """Take the line of a key out of a file that cannot be read as settings; return if it was there."""
    before = path.read_text("utf-8") if path.exists() else ""
    after = _edit(before, name, None)
    if after == before:
        return False
    _write_text(path, after)
    return True


def _write_text(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}.new")
        aside.write_text(text, "utf-8")
        aside.replace(path)
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror or error}") from None


def to_toml(value: Any) -> str:
    """Return a setting's value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_quote(item) for item in value) + "]"
    return repr(value)


def read_values(path: Path, text: str | None = None) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of a settings file, or of its text if that is known; none where there is no file."""
    text = read_text(path) if text is None else text
    yield from check_values(parse_toml(text, path), path, remedy="to remove the line: cellar config --unset ")


def read_text(path: Path) -> str:
    """Return the text of a settings file, "" where there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror or error}") from None
    if len(data) > _LONGEST_FILE_BYTES:
        raise InvalidInputError(f"{path}: longer than {_LONGEST_FILE_BYTES} bytes, so not a settings file")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidInputError(f"{path}: not UTF-8 text") from None


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the tables of a settings file. Raises InvalidInputError."""
    if not text.strip():
        return {}
    # Imported here: most kernels and commands find no file, and tomllib costs more than the rest of this module.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{path}: not TOML: {error}", hint="mend it in an editor, or remove the file") from None


def check_values(sections: Mapping[str, Any], path: Path, *, remedy: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys and checked values of a file's tables. Raises InvalidInputError for what does not fit."""
    for section, content in sections.items():
        if not isinstance(content, dict):
            find_key(section, where=str(path))
        for field, value in content.items():
            name = f"{section}.{field}"
            try:
                key = find_key(name, where=str(path))
                yield key.name, _check(key, value, str(path))
            except InvalidInputError as error:
                hint = "; ".join(part for part in (error.hint, remedy and remedy + name) if part)
                raise InvalidInputError(error.message, hint=hint) from None


def variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield (variable, key, text); a variable of a section with an unknown key is an error, other ones are not ours."""
    for variable in sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX)):
        if variable in _VARIABLES:
            yield variable, _VARIABLES[variable], environ[variable]
        elif variable.startswith(_SECTIONS):
            raise InvalidInputError(
                f"environment variable {variable}: no such setting", hint="all keys and their variables: cellar config"
            )


def _check(key: Key, value: Any, where: str) -> Any:
    try:
        return msgspec.convert(value, key.type)
    except msgspec.ValidationError:
        shown = _quote(value) if isinstance(value, str) else repr(value)
        raise InvalidInputError(f"{where}: {key.name} must be {key.allowed}, not {shown}") from None


def _from_text(key: Key, text: str) -> Any:
    if isinstance(key.default, tuple):
        return [item.strip() for item in text.split(",") if item.strip()]
    if isinstance(key.default, bool) or key.name in _SWITCHES:
        words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False}
        return {**words, "off": False, "": False}.get(text.lower(), text)
    if isinstance(key.default, (int, float)):
        try:
            return int(text) if isinstance(key.default, int) else float(text)
        except ValueError:
            return text
    return text


def _edit(text: str, name: str, value: Any) -> str:
    section, _, field = name.partition(".")
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    new = [] if value is None else [f"{field} = {to_toml(value)}\n"]
    start = next((n for n, line in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]", line)), None)
    if start is None:
        gap = ["\n"] if lines and new else []
        return "".join(lines + ([*gap, f"[{section}]\n", *new] if new else []))
    end = next((n for n in range(start + 1, len(lines)) if re.match(r"\s*\[", lines[n])), len(lines))
    for n in range(start + 1, end):
        if re.match(rf"\s*{field}\s*=", lines[n]):
            return "".join(lines[:n] + new + lines[n + 1 :])
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return "".join(lines[:end] + new + lines[end:])


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
