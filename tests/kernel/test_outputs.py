"""Outputs are recorded with the cell that sent them, and `cellar show` shows them."""

from __future__ import annotations

from typing import Any

from .support import Kernel


def outputs(kernel: Kernel, ref: str = "HEAD") -> list[dict[str, Any]]:
    """Return the recorded outputs of a cell."""
    cell = kernel.project.show(ref).cell
    assert cell is not None
    return cell.outputs


def test_streams_results_and_displays_are_recorded_in_order(kernel: Kernel) -> None:
    kernel.run(
        """
            from IPython.display import display, HTML
            import sys
            print('out')
            print('err', file=sys.stderr)
            display(HTML('<b>bold</b>'))
            [1, 2]
            """
    )
    found = outputs(kernel)
    kinds = [(o["output_type"], o.get("name")) for o in found]
    assert sorted(kinds, key=str) == sorted(
        [("stream", "stdout"), ("stream", "stderr"), ("display_data", None), ("execute_result", None)], key=str
    )
    assert kinds[-1] == ("execute_result", None) and found[-1]["data"]["text/plain"] == "[1, 2]"
    assert next(o for o in found if o["output_type"] == "display_data")["data"]["text/html"] == "<b>bold</b>"


def test_an_error_is_recorded_with_its_traceback(kernel: Kernel) -> None:
    kernel.fail("print('before')\n1/0", "ZeroDivisionError")
    found = outputs(kernel)
    assert [o["output_type"] for o in found] == ["stream", "error"]
    assert found[1]["ename"] == "ZeroDivisionError" and found[1]["traceback"]


def test_what_is_shown_is_what_was_sent_then(kernel: Kernel) -> None:
    kernel.run("x = [1]\nprint(x)\nx", "x.append(2)")
    assert outputs(kernel, "HEAD~1")[-1]["data"]["text/plain"] == "[1]"


def test_the_terminal_shows_outputs(kernel: Kernel) -> None:
    kernel.run("print('hello from a cell')\n41 + 1")
    shown = kernel.project.cellar("show", "HEAD")
    assert shown.returncode == 0
    assert "hello from a cell" in shown.stdout and "42" in shown.stdout


def test_outputs_of_a_loop_are_joined_and_capped(kernel: Kernel) -> None:
    kernel.run("for i in range(20_000):\n    print('line', i, 'x' * 100)")
    found = outputs(kernel)
    assert sum(len(str(o)) for o in found) < 3 << 20
    assert "line 0" in str(found[0])


def test_a_cell_without_outputs_has_none(kernel: Kernel) -> None:
    kernel.run("quiet = 1")
    assert outputs(kernel) == []


def test_the_cell_id_of_the_document_is_recorded(kernel: Kernel) -> None:
    assert not kernel.try_run("x = 1", cell_id="abc-123").error
    kernel.settle()
    commit = kernel.head()
    assert commit.cell is not None and commit.cell.cell_id == "abc-123" and commit.cell.source == "x = 1"
