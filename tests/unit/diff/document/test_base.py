"""A diff is held against the notebook that it was made from."""

from __future__ import annotations

import pytest
from hypothesis import given

from nbcellar.diff.document.base import check_base, document_digest
from nbcellar.diff.document.compare import compare_notebooks
from nbcellar.errors import InvalidInputError
from nbcellar.notebook import Notebook
from nbcellar.notebook.plain import from_plain, to_plain

from ....strategies.notebooks import Edited, edited, notebooks


@given(edited())
def test_the_digest_is_the_same_exactly_if_nothing_differs(pair: Edited) -> None:
    same = document_digest(pair.before) == document_digest(pair.after)
    assert same == (not compare_notebooks(pair.before, pair.after))


@given(notebooks)
def test_the_layout_of_a_file_is_not_in_the_digest(notebook: Notebook) -> None:
    assert document_digest(from_plain(to_plain(notebook))) == document_digest(notebook)


def test_a_diff_of_another_notebook_is_refused() -> None:
    one, other = (from_plain({"nbformat": 4, "metadata": {"title": title}, "cells": []}) for title in "ab")
    check_base(one, document_digest(one))
    with pytest.raises(InvalidInputError, match="made from document") as caught:
        check_base(other, document_digest(one))
    assert caught.value.hint
