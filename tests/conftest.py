"""What every test stands on: an environment of its own.

Invariant: no test reads or writes the developer's home, keys, git settings or Jupyter folders, and none behaves
otherwise because it runs in continuous integration. Kernels and commands that a test starts inherit this environment.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A shell that starts the tests in the background has interrupts ignored, and kernels and commands would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The time of one example says more about the machine than about the code; and the same examples come each time.
settings.register_profile(
    "cellar", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("cellar")

# Set by continuous integration or by git, when a hook runs the tests; both would change what is tested.
_UNWANTED = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JPY_SESSION_NAME", "PYTHONWARNINGS")


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point home, git and Jupyter at an empty folder; yield that home."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in _UNWANTED or (name.startswith(("GIT_", "NBCELLAR_", "XDG_", "JUPYTER_")) and name not in _KEPT):
                patch.delenv(name)
        # Kernels and commands run this checkout, wherever the interpreter would find an installed one.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent / "src"))
        for name, value in _settings(home).items():
            patch.setenv(name, value)
        yield home


@pytest.fixture(autouse=True)
def _own_kernelspecs(own_environment: Path) -> Iterator[None]:
    """Take away the kernelspecs that a test adds: commands ask the interpreter of each, and some never answer."""
    folder = Path(os.environ["JUPYTER_DATA_DIR"], "kernels")
    before = set(folder.glob("*"))
    yield
    for added in set(folder.glob("*")) - before:
        shutil.rmtree(added)


# Where git finds its own parts, which is no setting of the developer.
_KEPT = ("GIT_EXEC_PATH", "GIT_SSL_CAINFO")


def _settings(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(home / "jupyter-data"),
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter-runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "CELLAR_PAGE": "never",  # no browser opens on the developer's screen
    }
