"""`python -m nbcellar.server`: a Jupyter server that shows Cellar's own page.

NBCELLAR_UNTIL_END_OF_INPUT: it ends when its standard input does, so with the command that holds the other end.
NBCELLAR_TASK: the page may end it (`finish`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from nbcellar.server.app import CellarServer


def _end_with_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    if os.environ.get("NBCELLAR_UNTIL_END_OF_INPUT"):
        threading.Thread(target=_end_with_input, name="cellar-input", daemon=True).start()
    CellarServer.launch_instance()  # type: ignore[no-untyped-call]
