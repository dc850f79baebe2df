"""Cleaning files and notebooks in memory: what is written, what stays, what Jupyter goes on trusting."""

from __future__ import annotations

import copy
import json
import os
import stat
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

import nbcellar
from nbcellar import save_hook
from nbcellar.api import documents_clean, notebook_files
from nbcellar.api.documents_clean import clean_file, clean_notebook
from nbcellar.api.jupyter_trust import data_folder
from nbcellar.clean import Rules
from nbcellar.config.documents import Clean
from nbcellar.errors import CellarError, ConflictError, InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.notebook import Notebook, read

HTML = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>1</b>"}}


def notebook(**metadata: Any) -> dict[str, Any]:
    cell = {
        "cell_type": "code",
        "execution_count": 3,
        "id": "a",
        "metadata": {"tags": ["x"], "execution": {"iopub.status.busy": "now"}},
        "outputs": [HTML],
        "source": "f()\ng()",
    }
    return {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, value: dict[str, Any], **layout: Any) -> Path:
    path.write_bytes((json.dumps(value, indent=1, **layout) + "\n").encode())
    return path


def run(path: Path, **more: Any) -> documents_clean.CleanedFile:
    return clean_file(str(path), path.parent, Rules(Clean()), max_mb=1, environ=os.environ, **more)[0]


def test_a_dict_comes_back_as_a_dict_in_the_form_it_had() -> None:
    before = notebook()
    given = copy.deepcopy(before)
    result = nbcellar.clean_notebook(given)
    assert given == before
    assert result.notebook["cells"][0]["source"] == "f()\ng()"
    assert result.notebook["cells"][0]["execution_count"] is None
    assert result.notebook["cells"][0]["metadata"] == {"tags": ["x"]}
    assert list(result.notebook) == list(before)
    assert [each.kind for each in result.left_out] == ["execution count", "run time"]


def test_a_model_comes_back_as_a_model_and_a_path_is_not_written(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    data = path.read_bytes()
    model = clean_notebook(read(data), outputs=False).notebook
    assert isinstance(model, Notebook)
    assert model.cells[0].outputs == ()
    assert clean_notebook(path, outputs=False).notebook.cells[0].outputs == ()
    assert path.read_bytes() == data


@pytest.mark.parametrize("given", [{"outptus": False}, {"outputs": "yes"}])
def test_a_setting_that_does_not_fit_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"clean\.out"):
        clean_notebook(notebook(), **given)


def test_a_dict_that_nbformat_does_not_allow_is_mended() -> None:
    value = notebook()
    value["cells"].append(copy.deepcopy(value["cells"][0]))
    result = clean_notebook(value)
    assert len({cell["id"] for cell in result.notebook["cells"]}) == 2
    assert [each.cell for each in result.repairs] == [2]


def test_a_file_keeps_mode_link_and_line_endings(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o640)
    link = tmp_path / "link.ipynb"
    link.symlink_to("n.ipynb")
    assert run(link).written
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    text = path.read_bytes()
    assert text.count(b"\n") == text.count(b"\r\n") > 10
    assert read(text).cells[0].execution_count is None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.ipynb", "n.ipynb"]


def test_a_clean_file_is_not_written_again(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    assert run(path).changed
    before = path.stat()
    found = run(path)
    assert (found.changed, found.written, found.left_out) == (False, False, ())
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    data = path.read_bytes()
    found = run(path, dry=True)
    assert (found.changed, found.written) == (True, False)
    assert path.read_bytes() == data


def test_conflict_marks_in_a_source_are_text() -> None:
    value = notebook()
    value["cells"][0]["source"] = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> theirs\n"
    assert clean_notebook(value).notebook["cells"][0]["source"] == value["cells"][0]["source"]


BAD: dict[str, tuple[bytes, type[CellarError], str]] = {
    "truncated": (json.dumps(notebook()).encode()[:-40], InvalidInputError, "line 1"),
    "latin-1": (b'{"nbformat": 4, "cells": [], "metadata": {"a": "\xe9"}}', InvalidInputError, "not UTF-8"),
    "utf-16": (json.dumps(notebook()).encode("utf-16"), InvalidInputError, "UTF-16"),
    "binary": (bytes(range(256)) * 8, InvalidInputError, "not UTF-8"),
    "zeros": (bytes(4096), InvalidInputError, "line 1, column 1: not JSON"),
    "empty": (b"", InvalidInputError, "empty"),
    "no notebook": (b'{"a": 1}', InvalidInputError, "no number under 'nbformat'"),
    "nbformat 5": (b'{"nbformat": 5, "cells": []}', CellarError, "nbformat 5"),
    "conflict": (b'{\n<<<<<<< HEAD\n "nbformat": 4,\n=======\n>>>>>>> b\n}', InvalidInputError, "line 2"),
    "too large": (b" " * (1 << 20) + b"{}", InvalidInputError, "the limit is 1"),
    "too deep": (b'{"nbformat": 4, "cells": ' + b"[" * 100_000, InvalidInputError, "nested too deeply"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_notebook_is_said_and_left_as_it_is(name: str, tmp_path: Path) -> None:
    data, kind, words = BAD[name]
    path = tmp_path / "n.ipynb"
    path.write_bytes(data)
    with pytest.raises(kind, match=words) as caught:
        run(path)
    assert "n.ipynb" in caught.value.message
    assert path.read_bytes() == data


def test_binary_garbage_in_an_output_is_kept(tmp_path: Path) -> None:
    value = notebook()
    value["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "\x00\x1b\ud800\uffff"}]
    path = write(tmp_path / "n.ipynb", value)
    assert run(path).written
    assert json.loads(path.read_bytes())["cells"][0]["outputs"][0]["text"] == ["\x00\x1b\ud800\uffff"]
    assert not run(path).changed


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"missing\.ipynb"):
        run(tmp_path / "missing.ipynb")
    with pytest.raises(InvalidInputError, match="folder"):
        run(tmp_path)
    os.mkfifo(tmp_path / "pipe.ipynb")
    with pytest.raises(InvalidInputError, match="no file"):
        run(tmp_path / "pipe.ipynb")
    link = tmp_path / "dangling.ipynb"
    link.symlink_to("nowhere")
    with pytest.raises(NotFoundError):
        run(link)
    loop = tmp_path / "loop.ipynb"
    loop.symlink_to("loop.ipynb")
    with pytest.raises(StoreUnavailableError, match=r"loop\.ipynb"):
        run(loop)


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    path.chmod(0o444)
    with pytest.raises(StoreUnavailableError, match="read-only"):
        run(path)


def test_a_file_that_changed_meanwhile_is_left(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    file = notebook_files.read_file(str(path), tmp_path, max_mb=1)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ConflictError, match="changed by another program"):
        notebook_files.replace_file(file, b"{}")
    assert path.read_bytes() == file.data
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


def test_folders_are_searched_without_hidden_ones_and_links(tmp_path: Path) -> None:
    for name in (
        "a/x.ipynb",
        "b.ipynb",
        ".ipynb_checkpoints/b.ipynb",
        "a/.git/c.ipynb",
        "a/n.txt",
        "node_modules/d.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "z").symlink_to("a")
    found = [each.relative_to(tmp_path).as_posix() for each in notebook_files.find_notebooks(tmp_path)]
    assert found == ["a/x.ipynb", "b.ipynb"]


@pytest.fixture
def notary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    made = NotebookNotary(data_dir=str(data_folder(os.environ)))
    yield made
    made.store.close()


def is_trusted(notary: Any, path: Path) -> bool:
    return bool(notary.check_signature(nbformat.read(path, as_version=4)))


def test_a_trusted_notebook_stays_trusted(notary: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    notary.sign(nbformat.read(path, as_version=4))
    assert run(path).written
    assert is_trusted(notary, path)


def test_a_notebook_that_was_not_trusted_does_not_become_so(notary: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", notebook())
    other = write(tmp_path / "other.ipynb", notebook(title="another"))
    notary.sign(nbformat.read(other, as_version=4))
    assert run(path).written
    assert not is_trusted(notary, path)
    assert is_trusted(notary, other)


class Manager:
    """What the hook asks of Jupyter's contents manager."""

    def __init__(self, root: Path) -> None:
        self.root_dir = str(root)
        self.said: list[str] = []
        self.log = self

    def warning(self, text: str, *values: object) -> None:
        self.said.append(text % values)


def saved(root: Path, content: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    manager = Manager(root)
    model = {"type": "notebook", "content": nbformat.from_dict(content)}
    save_hook(model=model, path="sub/n.ipynb", contents_manager=manager)
    return json.loads(json.dumps(model["content"])), manager.said


def test_the_save_hook_cleans_in_projects_that_want_it(tmp_path: Path) -> None:
    value = notebook()
    assert saved(tmp_path, value) == (value, [])
    (tmp_path / ".git").mkdir()
    (tmp_path / "cellar.toml").write_text("[clean]\noutputs = false\n")
    cell = saved(tmp_path, value)[0]["cells"][0]
    assert (cell["outputs"], cell["execution_count"], cell["source"]) == ([], None, "f()\ng()")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/cellar.toml").write_text("[clean]\non_save = false\n")
    assert saved(tmp_path, value) == (value, [])


def test_the_save_hook_leaves_the_mark_of_trust_and_never_fails(tmp_path: Path) -> None:
    (tmp_path / ".cellar").mkdir()
    value = notebook()
    value["cells"][0]["metadata"]["trusted"] = True
    assert saved(tmp_path, value)[0]["cells"][0]["metadata"] == {"tags": ["x"], "trusted": True}
    (tmp_path / ".cellar/config.toml").write_text("[clean]\noutputs = 3\n")
    content, said = saved(tmp_path, value)
    assert content == value
    assert len(said) == 1 and "clean.outputs must be true, false or" in said[0]
    broken = {**value, "cells": [7]}
    (tmp_path / ".cellar/config.toml").unlink()
    assert saved(tmp_path, broken)[0] == broken
    save_hook(model={"type": "file", "content": "x"}, path="a.txt")
