from __future__ import annotations

import io

from _pytest._io import TerminalWriter

from nbcellar.notebook import Cell
from nbcellar.testing.comparing import compare_results
from nbcellar.testing.report import CellReport, FailureText
from nbcellar.testing.rules import Rules
from nbcellar.testing.running import CellFailure

SOURCE = "\n".join(f"line_{n}()" for n in range(1, 31))


def drawn(report: CellReport, *, colours: bool) -> str:
    writer = TerminalWriter(io.StringIO())
    writer.hasmarkup, writer.fullwidth = colours, 80
    FailureText(report).toterminal(writer)
    return writer._file.getvalue()


def test_an_error_is_told_with_the_lines_around_it_and_without_what_a_terminal_obeys() -> None:
    failure = CellFailure(
        kind="error", said="E: \x1b[2Jno", traceback=("\x1b[31mTraceback\x1b[0m", "\x07E: no"), line=20
    )
    report = CellReport(path="a.ipynb", line=7, number=3, cell=Cell(type="code", source=SOURCE), failure=failure)
    text = drawn(report, colours=False)
    assert text.startswith("cell 3, line 20: E: no\n  a.ipynb:7\n")
    assert "  >  20 line_20()\n" in text and "line_16()" not in text and "… 6 more lines" in text
    assert "\n    Traceback\n    E: no\n" in text
    assert "\x1b" not in text and "\x07" not in text
    assert str(FailureText(report)) == text.removesuffix("\n")
    coloured = drawn(report, colours=True)
    assert "\x1b[1;31mcell 3, line 20" in coloured and "\x1b[2J" not in coloured


def test_outputs_that_differ_are_drawn_as_cellar_diff_does() -> None:
    stored = [{"output_type": "stream", "name": "stdout", "text": ["a\n", "b 1.5 2.5\n", "c\n"]}]
    found = [{"output_type": "stream", "name": "stdout", "text": ["a\n", "b 1.75 2.5\n", "c\n"]}]
    changes = compare_results(stored, found, Rules())
    report = CellReport(
        path="a.ipynb", line=7, number=1, cell=Cell(type="code", source="f()"), changes=changes, hint="do"
    )
    assert drawn(report, colours=False).splitlines() == [
        "cell 1: 1 output differs from what is stored",
        "  a.ipynb:7",
        "",
        "      1 f()",
        "",
        "    - stored  + now",
        "    ┄ ~ stdout",
        "        a",
        "      - b 1.5 2.5",
        "      + b 1.75 2.5",
        "        c",
        "      1 line changed, 1 number by 0.25 at most (1.5 -> 1.75)",
        "",
        "hint: do",
    ]
    assert FailureText(report).reprcrash.message == "cell 1: 1 output differs from what is stored"
