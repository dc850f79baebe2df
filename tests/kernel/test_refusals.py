"""What a checkout refuses: damaged data, foreign signatures, other versions. The session stays as it was."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from nbcellar.errors import CorruptStoreError, KernelError, NotTrustedError
from nbcellar.trust.keys import load_or_create

from .support import Kernel, Project

BIG = "import numpy as np\nbig = np.random.default_rng(0).random(500_000)\nx = 'then'"


def damage(project: Project) -> None:
    """Change bytes in the middle of each pack, but for those that hold small objects."""
    packs = [path for path in (project.root / ".cellar" / "packs").rglob("*") if path.is_file()]
    largest = max(packs, key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    largest.chmod(0o600)
    largest.write_bytes(data)


def test_a_damaged_pack_is_said_and_nothing_is_changed(fresh: Kernel) -> None:
    fresh.run(BIG, "big = None\nx = 'now'")
    damage(fresh.project)
    with pytest.raises(CorruptStoreError, match="big"):
        fresh.undo()
    fresh.is_true("big is None", "x == 'now'")
    fresh.run("y = 1")
    fresh.undo()
    assert fresh.value("'y' in globals()") is False
    said = fresh.project.cellar("undo")
    assert said.returncode != 0 and "Traceback" not in said.stderr and "big" in said.stderr


def test_a_history_that_somebody_else_signed_is_not_loaded_until_it_is_trusted(project: Project) -> None:
    other = {"NBCELLAR_CONFIG_DIR": str(project.root.parent / "somebody else")}
    theirs = project.kernel(**other)
    assert not theirs.try_run("x = ['theirs']\nclass A: pass").error
    with pytest.raises(KernelError, match="not written by you"):
        theirs.ask("wait_saved")
    theirs.shut_down()
    ours = project.kernel()
    ours.run("y = 1")
    before = ours.value("sorted(n for n in globals() if not n.startswith('_'))")
    with pytest.raises(NotTrustedError):
        ours.restore()
    assert ours.value("sorted(n for n in globals() if not n.startswith('_'))") == before
    assert project.cellar("log").returncode == 0 and project.cellar("vars", "HEAD~2").returncode == 0
    key = load_or_create(Path(other["NBCELLAR_CONFIG_DIR"]))
    with project.open() as repo:
        [entry] = [found for found in repo.trusted_keys().keys if found.trust != "own"]
        repo.trust(entry.key)
    assert key is not None
    ours.restore()
    ours.is_true("x == ['theirs']", "A.__name__ == 'A'")


def test_a_request_of_another_protocol_is_refused_with_a_sentence(fresh: Kernel) -> None:
    fresh.run("x = 1")
    request = base64.b64encode(json.dumps({"protocol": 99, "version": "9.9", "command": "undo"}).encode()).decode()
    answer = fresh.value(f"__import__('nbcellar.session.remote', fromlist=['x']).handle('{request}')")
    said = json.loads(base64.b64decode(answer))
    assert said["ok"] is False and "9.9" in said["error"]["message"] and said["error"]["hint"]
    assert fresh.value("x") == 1


def test_a_request_that_nobody_knows_is_refused(fresh: Kernel) -> None:
    fresh.run("x = 1")
    with pytest.raises(Exception, match="knows no request 'explode'"):
        fresh.ask("explode")


def test_without_cellar_in_the_kernel_the_command_says_how_to_install_it(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.do_aside(
        """
        import sys
        for name in [name for name in sys.modules if name.startswith('nbcellar')]:
            del sys.modules[name]
        sys.path[:] = [path for path in sys.path if not path.endswith('src')]
        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.startswith('nbcellar'):
                    raise ModuleNotFoundError(f'No module named {name!r}', name=name)
        sys.meta_path.insert(0, Refuse())
        """
    )
    with pytest.raises(KernelError, match="cannot be imported in the kernel") as caught:
        fresh.undo()
    assert "pip install" in (caught.value.hint or "")
    assert not fresh.try_run("y = 2").error
