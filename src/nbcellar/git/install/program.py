"""What git calls: a small program of the shell beside the repository, which starts ours and stands in when it cannot.

Invariant: when the environment that Cellar was installed into is gone, broken or killed at work, a merge leaves both
sides in the file, visibly, and says so; nothing that git passes (paths, labels) is read by a shell as anything but a
word.
Git's own behaviour, which this is there for: after any failure of a driver git keeps *ours* without a mark, and `git
add` then loses theirs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from nbcellar.errors import StoreUnavailableError
from nbcellar.git.install.places import quote

_START = """\
# Written by `cellar git install`: what `run`, beside it, starts.
import sys

# No folder of the repository may be searched for modules: its files are anybody's.
sys.path[0:1] = @PATHS@
# msgspec asks for typing_extensions and does without; loading it takes longer than a notebook.
sys.modules["typing_extensions"] = None
try:
    import msgspec

    del sys.modules["typing_extensions"]
    from nbcellar.cli.git_calls import main
except BaseException as error:
    sys.stderr.write(f"cellar: {type(error).__name__}: {error}\\n")
    sys.exit(70)
code = main(sys.argv[1:])
# A Python that fails to start ends with 1, too: a conflict is told apart from that.
sys.exit(77 if code == 1 else code)
"""

_RUN = """\
#!/bin/sh
# Written by `cellar git install`, removed by `cellar git uninstall`. Git calls it for notebooks.
# Until there is a result, the file of the result says so: were we killed, git would keep ours in it, without a mark.
# $1 says why
note() {
    printf '<<<<<<< ours\\nNot merged: %s. %s\\n=======\\n%s\\n>>>>>>> theirs\\n' "$1" \\
        'Ours: git checkout --ours' 'Theirs: git checkout --theirs; to merge again: git checkout --merge'
}
ours=$3
if test "$1" = merge-driver && test -f "$3"; then
    if mv -f -- "$3" "$3.ours" && note 'the merge was killed' > "$3"; then
        ours=$3.ours
        CELLAR_OURS=$ours
        export CELLAR_OURS
    else
        mv -f -- "$3.ours" "$3"
    fi
fi
python=@PYTHON@
here=$(dirname -- "$0")
call=$1

# Whether a working file goes through the filter: asked here, where it costs least.
filtered() {
    case $1 in
        /*) ;;
        *) CELLAR_FILTERED=$(git check-attr filter -- "$2") && export CELLAR_FILTERED ;;
    esac
}
case $call in
    diff-driver) filtered "$6" "${9:-$2}" ;;
    textconv) filtered "$2" "$2" ;;
esac

code=127
test -x "$python" && {
    "$python" "$here/start.py" "$@"
    code=$?
}
case $code in
    0) exit 0 ;;
    77) exit 1 ;;
    2) exit 2 ;;
    129) exit 129 ;;
esac

# What follows is done when Cellar could not do it.
case "$call $code" in
    'filter-process 70' | 'filter-process 126' | 'filter-process 127') ;;
    filter-process*)
        # It was in a conversation, and git takes the file that it asked for as it is.
        echo "cellar: the filter was ended at work (code $code). Nothing is lost, but git took a notebook as it is." >&2
        echo "cellar: if one lacks its outputs now: delete the file, then git checkout -- FILE puts them back" >&2
        echo "cellar: if outputs were staged or committed: cellar git renormalize takes them out again" >&2
        exit 1
        ;;
esac
if test -x "$python"; then
    echo "cellar: git's call $call ended with code $code" >&2
else
    echo "cellar: $python is gone, which git calls for notebooks" >&2
fi
echo "cellar: to mend it: install nbcellar again and run 'cellar git install', or else remove it: @REMOVE@" >&2

case $call in
    merge-driver)
        # $2 base, $3 the result, $4 theirs, $5 length of marks, $6 path
        size=${5:-7}
        both=$3.cellar.$$
        trap 'rm -f -- "$both" "$3.ours"' EXIT
        git merge-file -p --marker-size="$size" -L ours -L base -L theirs -- "$ours" "$2" "$4" > "$both"
        marks=$?
        # Lines that merged without a conflict may still be no notebook, and what is no text is not merged at all.
        if test "$marks" -eq 0 || test "$marks" -gt 127; then
            {
                echo '<<<<<<< ours' && cat -- "$ours" && echo && echo '=======' &&
                    cat -- "$4" && echo && echo '>>>>>>> theirs'
            } > "$both"
        fi
        if grep -q '^>>>>>>> theirs' "$both"; then
            mv -f -- "$both" "$3" && {
                echo "cellar: $6: both sides are in it, between marks; cellar fix, or an editor, puts it right" >&2
                exit 2
            }
        fi
        # Left as it is, the file would be ours alone; a few words go where it was.
        note 'there was no room to write' > "$3" && exit 2
        exit 129
        ;;
    diff-driver)
        # $2 path, $3 and $6 the files
        git diff --no-index --no-ext-diff --no-textconv -- "$3" "$6"
        exit 0
        ;;
    filter-process)
        # Git ends with an error when nobody answers. An answer that offers nothing makes it take files as they are;
        # it must not come into a conversation that has begun, but here Cellar did not even start.
        echo "cellar: until then notebooks keep their outputs in what is staged" >&2
        printf '0016git-filter-server\\n000eversion=2\\n00000000'
        cat > /dev/null
        exit 0
        ;;
    textconv) cat -- "$2" ;;
    clean | smudge) cat ;;
    pre-commit)
        if git diff --cached --name-only --diff-filter=ACMR -- '*.ipynb' | grep -q .; then
            echo "cellar: notebooks are not committed without it (git commit --no-verify does)" >&2
            exit 1
        fi
        ;;
    *) exit 1 ;;
esac
"""


def write_program(folder: Path, *, remove: str) -> None:
    """Write what git calls into `folder`; `remove` is how the installation is taken away without Cellar.

    Raises StoreUnavailableError when that fails.
    """
    paths = [entry for entry in sys.path if entry and _is_needed(Path(entry))]
    files = {
        "start.py": _START.replace("@PATHS@", repr(paths)),
        "run": _RUN.replace("@PYTHON@", quote(sys.executable)).replace("@REMOVE@", remove),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            aside = folder / f"{name}.new"
            aside.write_text(text, "utf-8", "surrogateescape")
            aside.chmod(0o755 if name == "run" else 0o644)
            aside.replace(folder / name)
    except OSError as error:
        raise StoreUnavailableError(f"{folder}: {error.strerror or error}") from None


def remove_program(folder: Path) -> bool:
    """Remove what was written, and the folder if nothing else is in it; return whether there was anything."""
    had = False
    for name in ("start.py", "run", "waiting"):
        try:
            (folder / name).unlink()
            had = True
        except OSError:
            pass
    try:
        folder.rmdir()
    except OSError:  # not empty, or not there
        pass
    return had


def _is_needed(path: Path) -> bool:
    """Return whether the package is found by this entry of the path and not by Python's own search."""
    import nbcellar

    package = Path(nbcellar.__file__).resolve().parent
    return (path / "nbcellar").resolve() == package and "site-packages" not in path.parts
