"""On which installed distributions a component depends, in processes that have loaded others before."""

from __future__ import annotations

import importlib.metadata

import msgspec
import numpy as np
import pandas as pd

from nbcellar.pipeline.imported import Imported
from nbcellar.pipeline.said import modules_of


def versions(namespace: tuple[object, ...] = (), source: str = "", given: tuple[str, ...] = ()) -> dict[str, str]:
    imported = Imported()
    imported.begin("/nowhere")  # numpy, pandas and what they need are loaded by now
    return imported.versions(namespace, modules_of(source), given)


def test_plain_values_depend_on_nothing() -> None:
    assert versions((1, "text", [2.5]), "x = len(y)") == {}


def test_values_depend_on_their_library_and_on_what_that_works_with() -> None:
    found = versions((pd.DataFrame({"a": [1]}),), "")
    assert found["pandas"] == importlib.metadata.version("pandas")
    assert found["numpy"] == importlib.metadata.version("numpy")
    assert "numpy" in versions((np.arange(3),)) and "pandas" not in versions((np.arange(3),))


def test_an_import_counts_though_it_was_loaded_before() -> None:
    assert "pandas" in versions((), "def f():\n    from pandas.api import types\n    return types")
    assert "msgspec" in versions((), "import msgspec") and "msgspec" not in versions((), "x = 'msgspec'")
    assert "msgspec" in versions((msgspec,), "")


def test_what_given_values_depend_on_counts() -> None:
    assert "numpy" in versions((), "total = sum(parts[0])", ("pandas",))
