"""Which cells look as if they set something for all that comes after, and which do nothing at all."""

from __future__ import annotations

import json

import pytest

from nbcellar.components.paths import lists_folders
from nbcellar.components.reading import read_pipeline
from nbcellar.components.settings import looks_setting
from nbcellar.notebook.codec import read


@pytest.mark.parametrize(
    "source",
    [
        "%cd sub",
        "%env A=1",
        "%matplotlib inline",
        "import os\nos.environ['A'] = '1'",
        "os.environ.update(A='1')",
        "del os.environ['A']",
        "sys.path.append('lib')",
        "sys.path += ['lib']",
        "plt.rcParams['font.size'] = 9",
        "pd.options.display.max_rows = 7",
        "pd.set_option('display.max_rows', 7)",
        "np.random.seed(1)",
        "np.random.set_bit_generator(np.random.PCG64(1))",
        "%%time\nnp.random.seed(1)",
        "y = %timeit -o np.random.seed(1)",
        "import lib\nlib.DEBUG = True",
        "from lib import Model\nModel.speed = 3",
        "if x:\n    import warnings\n    warnings.filterwarnings('ignore')",
    ],
)
def test_it_looks_so(source: str) -> None:
    assert looks_setting(source)


@pytest.mark.parametrize(
    "source",
    ["x = 1", "import os\np = os.path.join('a', 'b')", "self.x = 3", "d['a'] = 1", "%time f()", "(", "!ls", ""],
)
def test_it_does_not(source: str) -> None:
    assert not looks_setting(source)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("!wc -l data.csv", ["wc"]),
        ("%%bash\nls", ["bash"]),
        ("%%writefile a.py\nx = 1", ["writefile"]),
        ("%load_ext sql", ["load_ext"]),
        ("%run other.py", ["run"]),
        ("import asyncio\nawait asyncio.sleep(0)\nprint(1)", ["print"]),
        ("import a\nimport b\na.set()", ["imports"]),
        ("%matplotlib inline", []),
        ("%autoreload 2\n# only that", []),
        ("!pip install pandas", []),
        ("%pip install pandas\n!python -m pip list", []),
        ("'a text'", []),
    ],
)
def test_a_proposal_has_what_may_do_something(source: str, names: list[str]) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    pipeline = read_pipeline(read(json.dumps(document).encode()))
    assert [component.name for component in pipeline.components] == names


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("!ls *.csv", True),
        ("y = !ls", True),
        ("%%time\n!ls", True),
        ("%%capture said\nif x:\n    %time !ls", True),
        ("%sx ls", True),
        ("!wc -l *.csv", True),
        ("!python other.py", True),
        ("%%script python\nprint(1)", True),
        ("import subprocess\nsubprocess.run(['ls'])", True),
        ("!wc -l data.csv", False),
        ("%%time\n!wc -l data.csv", False),
        ("%%bash\necho hello > said.txt\ncat said.txt", False),
        ("!head -3 a.csv | sort", False),
        ("x = 1", False),
    ],
)
def test_a_command_that_may_list_a_folder(source: str, expected: bool) -> None:
    assert lists_folders(source) is expected
