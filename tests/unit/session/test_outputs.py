"""Outputs are recorded as the front end shows them: in real kernels, and as a log of messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from nbcellar.session.outputs import OutputLog, fold_carriage_returns

SETUP = """
import sys, json
sys.path.insert(0, {src!r})
from nbcellar.session.outputs import OutputRecorder
_recorder, _records = OutputRecorder(get_ipython()), []
def _start(info=None): _recorder.start()
def _finish(result=None): _records.append(_recorder.finish())
get_ipython().events.register('pre_run_cell', _start)
get_ipython().events.register('post_run_cell', _finish)
"""


class Kernel:
    """A real kernel that records; `run` returns what it sent and what the recorder kept."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.execute(SETUP.format(src=str(Path(__file__).parents[3] / "src")))

    def execute(self, source: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        self.client.execute_interactive(source, output_hook=messages.append, timeout=60)
        return [m for m in messages if m["msg_type"] not in ("status", "execute_input")]

    def printed(self, expression: str) -> str:
        return "".join(message["content"]["text"] for message in self.execute(f"print({expression})"))

    def run(self, source: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
        sent = self.execute(source)
        record = json.loads(self.printed("(_records[-1] or b'null').decode()"))
        if record is not None:
            cell = nbformat.v4.new_code_cell("", outputs=record)
            nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
        return sent, record


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    manager, client = start_new_kernel()
    try:
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def as_front_end(sent: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Build the outputs from the messages as nbformat's own function does, streams merged."""
    outputs: list[Any] = []
    for message in sent:
        if message["msg_type"] in ("clear_output", "update_display_data", "comm_open", "comm_msg"):
            continue
        output = dict(nbformat.v4.output_from_msg(message))
        if output["output_type"] == "stream" and outputs and outputs[-1].get("name") == output["name"]:
            outputs[-1]["text"] += output["text"]
        else:
            outputs.append(output)
    return outputs or None


THREADS = """
import threading
def count():
    for i in range(200):
        print(i, flush=i % 50 == 0)
threads = [threading.Thread(target=count) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "print('a'); print('b')",
        "import sys\nprint('a')\nprint('e', file=sys.stderr)\nprint('b')",
        "6 * 7",
        "print('before')\n6 * 7",
        "display(1); print('between'); display(2, 'x')\n3",
        "print('a')\n1 / 0",
        "def f(",
        "raise ValueError('x' * 10)",
        "from IPython.display import HTML\nHTML('<b>bold</b>')",
        "display({'application/json': {'a': [1, None, 1.5]}, 'text/plain': 'z'}, raw=True, metadata={'m': 1})",
        "display({'image/png': b'bytes', 'text/plain': 'z'}, raw=True)",
        "import warnings; warnings.warn('careful')",
        "!echo from a shell",
        "%%time\nprint('timed')",
        "%%capture kept\nprint('hidden')\n5",
        "import asyncio\nprint('a')\nawait asyncio.sleep(0.01)\nprint('b')",
        "import threading\nt = threading.Thread(target=print, args=('in a thread',)); t.start(); t.join()",
        "import time\nfor i in range(3): print(i, flush=True); time.sleep(0.12)",
        THREADS,
        "import subprocess, sys\nprint(subprocess.run(['echo', 'x'], capture_output=True).stdout)",
        "5;",
    ],
)
def test_the_record_is_what_was_sent(kernel: Kernel, source: str) -> None:
    sent, record = kernel.run(source)
    expected = as_front_end(sent)
    assert json.loads(json.dumps(record)) == json.loads(json.dumps(expected))


def test_clear_output_and_updates_are_applied(kernel: Kernel) -> None:
    _, record = kernel.run("from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('stays')")
    assert [output["text"] for output in record or []] == ["stays\n"]
    _, record = kernel.run("print('stays')\nclear_output(wait=True)")
    assert [output["text"] for output in record or []] == ["stays\n"]
    _, record = kernel.run("print('gone')\nclear_output(wait=True)\nprint('shown')")
    assert [output["text"] for output in record or []] == ["shown\n"]
    _, record = kernel.run("h = display('one', display_id=True)\nprint('x')\nh.update('two')")
    assert record is not None and record[0]["data"] == {"text/plain": "'two'"}


def test_what_the_user_changes_later_does_not_change_the_record(kernel: Kernel) -> None:
    _, record = kernel.run("d = {'a': 1}\ndisplay({'application/json': d}, raw=True)\nd['a'] = object()")
    assert record is not None and record[0]["data"] == {"application/json": {"a": 1}}


def test_a_child_process_records_nothing_and_prints_all_the_same(kernel: Kernel) -> None:
    sent, record = kernel.run(
        "import os\nprint('parent')\npid = os.fork()\n"
        "if pid == 0:\n    print('child', flush=True); os._exit(0)\nos.waitpid(pid, 0)[1]"
    )
    assert any("child" in message["content"].get("text", "") for message in sent)
    assert record is not None and record[0]["text"].startswith("parent")


TRACES = """
import threading
def traces():
    counts, done = [], threading.Event()
    def count():
        counts.extend(len(stream._hooks) for stream in (sys.stdout, sys.stderr))
        done.set()
    sys.stdout.pub_thread.schedule(count)
    done.wait(60)
    shell = get_ipython()
    own = [vars(shell).get('_showtraceback'), vars(shell.displayhook).get('finish_displayhook')]
    return counts, len(shell.display_pub._hooks), len(getattr(shell.displayhook, '_hooks', [])), own
"""


def test_uninstall_leaves_no_trace(kernel: Kernel) -> None:
    kernel.execute(TRACES + "_recorder.uninstall(); before = traces()")
    kernel.execute("_recorder = OutputRecorder(get_ipython()); during = traces()")
    kernel.execute("print('recorded'); 1")
    kernel.execute("_recorder.uninstall(); after = traces(); result = before == after, before == during")
    assert kernel.printed("result") == "(True, False)\n"
    assert {m["msg_type"] for m in kernel.execute("print(1)\n1/0")} == {"stream", "error"}
    kernel.execute("_recorder = OutputRecorder(get_ipython())")
    assert kernel.run("print('again')")[1] is not None


def log(*messages: tuple[str, dict[str, Any]], output_cap: int = 1000, cell_cap: int = 3000) -> Any:
    kept = OutputLog(output_cap, cell_cap)
    for kind, content in messages:
        kept.add(kind, content)
    encoded = kept.encode()
    return None if encoded is None else json.loads(encoded)


def stream(text: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": text}


def shown(text: str, display_id: str | None = None, kind: str = "display_data") -> tuple[str, dict[str, Any]]:
    return kind, {"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": display_id}}


def test_no_message_is_no_record() -> None:
    assert log() is None
    assert log(stream("x"), ("clear_output", {"wait": False})) is None


def test_a_stream_over_the_cap_keeps_its_start_and_says_what_is_missing() -> None:
    (output,) = log(stream("a" * 900), stream("b" * 900), stream("c" * 100))
    assert output["text"] == "a" * 900 + "b" * 100 + "\n[900 more characters were not recorded]\n"


def test_an_output_over_the_cap_is_replaced_by_a_note() -> None:
    large, small = log(shown("x" * 2000), shown("small"))
    assert large["data"]["text/plain"].startswith("[output of 2,0")
    assert small["data"] == {"text/plain": "small"}


def test_a_cell_keeps_to_its_cap_and_a_clear_gives_room_again() -> None:
    outputs = log(*[shown("x" * 900) for _ in range(5)])
    assert sum(len(o["data"]["text/plain"]) > 800 for o in outputs) == 3
    (output,) = log(*[shown("x" * 900) for _ in range(5)], ("clear_output", {"wait": False}), shown("y" * 900))
    assert output["data"]["text/plain"] == "y" * 900


def test_a_display_shown_twice_is_updated_in_both_places() -> None:
    outputs = log(shown("one", "a"), shown("other", "b"), shown("two", "a"), shown("three", "a", "update_display_data"))
    assert [o["data"]["text/plain"] for o in outputs] == ["three", "other", "three"]


def test_what_is_not_json_is_noted_and_the_rest_is_kept() -> None:
    bad = ("display_data", {"data": {"application/json": {"o": object()}}, "metadata": {}})
    noted, good = log(bad, shown("good"))
    assert "not recorded" in noted["data"]["text/plain"] and good["data"] == {"text/plain": "good"}


lines = st.lists(st.text("ab\r\n", max_size=8), max_size=8)


@given(lines)
def test_folding_in_pieces_is_folding_the_whole(pieces: list[str]) -> None:
    whole = "".join(pieces)
    outputs = log(*[stream(piece) for piece in pieces if piece])
    assert outputs is None or outputs[0]["text"] == fold_carriage_returns(whole)
    assert fold_carriage_returns(fold_carriage_returns(whole)) == fold_carriage_returns(whole)
    assert fold_carriage_returns(whole).count("\n") == whole.count("\n")


@given(st.text("ab\n", max_size=20))
def test_text_without_carriage_returns_is_kept(text: str) -> None:
    assert fold_carriage_returns(text) == text


def test_a_progress_bar_of_any_length_keeps_its_last_state() -> None:
    (output,) = log(*[stream(f"\r{i} of 5000") for i in range(5001)])
    assert output["text"] == "5000 of 5000"
