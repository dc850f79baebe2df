"""What cells give to IPython itself is there for those after them, in whatever process these run."""

from __future__ import annotations

import pytest

from .support import Notebook, printed

MAGIC = "from IPython.core.magic import register_line_magic\n@register_line_magic\ndef five(line): return 5"
TRANSFORMER = """\
import ast
class Sevens(ast.NodeTransformer):
    def visit_Constant(self, node):
        import ast
        return ast.copy_location(ast.Constant(7), node) if node.value == 6 else node
get_ipython().ast_transformers.append(Sevens())
"""
FORMATTER = "_ = get_ipython().display_formatter.formatters['text/plain'].for_type(int, lambda o, p, c: p.text('INT'))"
EVENTS = "def hi(*_): print('HI')\nget_ipython().events.register('pre_run_cell', hi)"
EXTENSION = """\
def load_ipython_extension(shell):
    shell.register_magic_function(lambda line: 2 * int(line), "line", "twice")
"""


@pytest.mark.parametrize(
    ("gives", "uses", "shown"),
    [
        pytest.param(MAGIC, "x = %five\nprint(x)", "5\n", id="magic"),
        pytest.param("%load_ext own_extension", "x = %twice 4\nprint(x)", "8\n", id="extension"),
        pytest.param("%load_ext autoreload", "%autoreload 2\nprint(1)", "1\n", id="autoreload"),
        pytest.param(TRANSFORMER, "x = 6; print(x + 0)", "7\n", id="transformer"),
        pytest.param(
            FORMATTER, "print(get_ipython().display_formatter.format(6)[0])", "{'text/plain': 'INT'}\n", id="for"
        ),
        pytest.param(EVENTS, "print(1)", "HI\n1\n", id="events"),
        pytest.param(
            "get_ipython().ast_node_interactivity = 'all'",
            "print(get_ipython().ast_node_interactivity)",
            "all\n",
            id="interactivity",
        ),
    ],
)
def test_what_a_cell_gives_to_ipython_is_there_for_those_after_it(
    nb: Notebook, gives: str, uses: str, shown: str
) -> None:
    (nb.folder / "own_extension.py").write_text(EXTENSION, "utf-8")
    done = nb.write(gives, uses).run()
    assert done.is_ok, done
    assert printed(done, "b") == shown
    again = nb.write(gives, f"{uses}\ny = 1").run()  # in other processes: those that were given it are not used again
    assert [step.state for step in again.steps] == ["cached", "done"]
    assert printed(again, "b") == shown
    nb.write(b="x = 6; print(x, get_ipython().ast_node_interactivity)")
    assert printed(nb.run(), "b") == "6 last_expr\n", "another notebook in the same processes has none of it"


def test_a_formatter_for_a_class_of_the_notebook_is_told(nb: Notebook) -> None:
    nb.write(f"class K: pass\n{FORMATTER.replace('int', 'K')}", "k = K()")
    done = nb.run()
    assert done.steps[0].notes == [
        "it changed the formatters of IPython for a class of the notebook: those after it do not see that"
    ]


def test_what_libraries_give_to_ipython_for_themselves_makes_nobody_run_again(nb: Notebook) -> None:
    nb.write(
        "%matplotlib inline\n%load_ext autoreload\nimport matplotlib.pyplot as plt", "_ = plt.plot([1])", "print(1)"
    )
    nb.ran()
    nb.write(
        "%matplotlib inline\n%load_ext autoreload\nimport matplotlib.pyplot as plt", "_ = plt.plot([2])", "print(1)"
    )
    assert nb.ran() == "b"
    assert all(not step.notes for step in nb.steps)
