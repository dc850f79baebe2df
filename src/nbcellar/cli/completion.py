"""Print a completion script for a shell.

bash:  eval "$(cellar completion bash)"          in ~/.bashrc
zsh:   eval "$(cellar completion zsh)"           in ~/.zshrc, after compinit
fish:  cellar completion fish > ~/.config/fish/completions/cellar.fish
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console

_BASH = """\
# Completion of cellar for bash; made by: cellar completion bash
_cellar() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command="" i skip=0
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ $skip == 1 ]]; then skip=0; continue; fi
        case "${{COMP_WORDS[i]}}" in
            -C|-n|--color) skip=1 ;;
            -*) ;;
            *) command="${{COMP_WORDS[i]}}"; break ;;
        esac
    done
    local IFS=$'\\n'
    case "$previous" in
        -C) COMPREPLY=($(compgen -d -- "$word")); return ;;
        -n|--out) COMPREPLY=($(compgen -f -X '!*.ipynb' -- "$word") $(compgen -d -- "$word")); return ;;
        --color) COMPREPLY=($(compgen -W $'auto\\nalways\\nnever' -- "$word")); return ;;
    esac
    if [[ -z $command ]]; then
        COMPREPLY=($(compgen -W $'{commands}' -- "$word"))
        return
    fi
    local words="" actions=""
    case "$command" in
{cases}
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
        return
    fi
    case "$command" in
        {file_commands}) COMPREPLY=($(compgen -f -X '!*.ipynb' -- "$word") $(compgen -d -- "$word")) ;;
        {ref_commands}) COMPREPLY=($(compgen -W "$(cellar completion --refs 2>/dev/null)" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "${{actions:-$words}}" -- "$word")) ;;
    esac
}}
complete -o filenames -F _cellar cellar
"""

_ZSH = """\
#compdef cellar
# Completion of cellar for zsh; made by: cellar completion zsh
_cellar() {{
    local -a commands
    commands=(
{described}
    )
    local command="" i skip=0
    for ((i = 2; i < CURRENT; i++)); do
        if (( skip )); then skip=0; continue; fi
        case "$words[i]" in
            -C|-n|--color) skip=1 ;;
            -*) ;;
            *) command="$words[i]"; break ;;
        esac
    done
    case "$words[CURRENT-1]" in
        -C) _files -/; return ;;
        -n|--out) _files -g '*.ipynb'; return ;;
        --color) compadd auto always never; return ;;
    esac
    if [[ -z $command ]]; then
        _describe command commands
        return
    fi
    local -a options actions
    case "$command" in
{zsh_cases}
    esac
    if [[ $PREFIX == -* ]]; then
        compadd -- $options
        return
    fi
    case "$command" in
        {file_commands}) _files -g '*.ipynb' ;;
        {ref_commands}) compadd -- ${{(f)"$(cellar completion --refs 2>/dev/null)"}} ;;
        *) compadd -- ${{actions:-$options}} ;;
    esac
}}
compdef _cellar cellar
"""

_FILE_COMMANDS = ("attach", "detach", "run")
_REF_COMMANDS = ("log", "show", "vars", "checkout", "restore", "branch", "tag", "message", "forget")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", nargs="?", choices=("bash", "zsh", "fish"), help="which shell")
    # For the scripts: the names that complete a reference.
    parser.add_argument("--refs", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace, console: Console) -> int:
    if args.refs:
        return _print_refs(console)
    from nbcellar.errors import InvalidInputError

    if args.shell is None:
        raise InvalidInputError("which shell?", hint="cellar completion bash|zsh|fish")
    console.out.write({"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell]())
    return exit_codes.OK


def words_of_commands() -> dict[str, list[str]]:
    """Return the words that may follow each command: its options and the actions under it."""
    import io

    from nbcellar.cli import main

    found = {}
    for group in main.COMMANDS.values():
        for name in group:
            parser = main.command_parser(name, main.load(name), io.StringIO())
            found[name] = _words(parser)
    return found


def actions_of_commands() -> dict[str, list[str]]:
    """Return what may follow a command without a dash: the actions under it, the settings of `config`."""
    from nbcellar import config

    found = {name: [word for word in words if word[:1] != "-"] for name, words in words_of_commands().items()}
    return found | {"config": list(config.KEYS)}


def _words(parser: argparse.ArgumentParser) -> list[str]:
    words: list[str] = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        words += action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            words += list(action.choices)
            words += [word for inner in action.choices.values() for word in _words(inner)]
        elif action.choices and not action.option_strings:
            words += [str(choice) for choice in action.choices]
    return list(dict.fromkeys(words))


def _descriptions() -> dict[str, str]:
    from nbcellar.cli import main

    return {name: text for group in main.COMMANDS.values() for name, text in group.items()}


def _bash() -> str:
    actions = actions_of_commands()
    cases = "\n".join(
        f"        {name}) words=$'{_lines(words)}' actions=$'{_lines(actions[name])}' ;;"
        for name, words in words_of_commands().items()
    )
    return _BASH.format(
        commands=_lines(list(_descriptions())),
        cases=cases,
        file_commands="|".join(_FILE_COMMANDS),
        ref_commands="|".join(_REF_COMMANDS),
    )


def _zsh() -> str:
    described = "\n".join(f"        {_quoted(f'{name}:{text}')}" for name, text in _descriptions().items())
    actions = actions_of_commands()
    cases = "\n".join(
        f"        {name}) options=({' '.join(words)}) actions=({' '.join(actions[name])}) ;;"
        for name, words in words_of_commands().items()
    )
    return _ZSH.format(
        described=described,
        zsh_cases=cases,
        file_commands="|".join(_FILE_COMMANDS),
        ref_commands="|".join(_REF_COMMANDS),
    )


def _fish() -> str:
    lines = ["# Completion of cellar for fish; made by: cellar completion fish", "complete -c cellar -f"]
    lines.append("complete -c cellar -s C -r -a '(__fish_complete_directories)' -d 'act as if started in DIR'")
    lines.append("complete -c cellar -s n -r -a '(__fish_complete_suffix .ipynb)' -d 'the notebook'")
    for name, text in _descriptions().items():
        lines.append(f"complete -c cellar -n __fish_use_subcommand -a {name} -d {_quoted(text)}")
    for name, words in words_of_commands().items():
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        for word in words:
            option = f"-l {word[2:]}" if word.startswith("--") else f"-s {word[1:]}" if len(word) == 2 else ""
            lines.append(f"complete -c cellar {seen} {option or f'-a {word}'}")
        if name in _FILE_COMMANDS:
            lines.append(f"complete -c cellar {seen} -a '(__fish_complete_suffix .ipynb)'")
        if name in _REF_COMMANDS:
            lines.append(f"complete -c cellar {seen} -a '(cellar completion --refs 2>/dev/null)'")
        if name == "config":
            lines.append(f"complete -c cellar {seen} -a '{' '.join(actions_of_commands()[name])}'")
    return "\n".join(lines) + "\n"


def _print_refs(console: Console) -> int:
    with console.open_repo() as repo:
        history = repo.repository
        chosen = [repo.notebook()] if console.options.get("notebook") else [info.id for info in history.notebooks()]
        found = [ref.name for notebook in chosen for ref in (*history.branches(notebook), *history.tags(notebook))]
    for name in dict.fromkeys(["HEAD", *found]):
        console.print(name)
    return exit_codes.OK


def _lines(words: list[str]) -> str:
    return "\\n".join(words)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
