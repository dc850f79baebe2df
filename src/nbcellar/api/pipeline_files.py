"""Pipelines as files for programs: what `cellar pipeline export`, `import`, `script` and `diff` do, as functions.

    import nbcellar

    file = nbcellar.export_pipeline(notebook, ["load", "clean"])
    other = nbcellar.import_pipeline(file, other)
    print(nbcellar.script_pipeline(notebook, "snakemake"))
    changes = nbcellar.diff_pipelines(before, after)

A notebook is a dict as `json.load` gives it, or a `nbcellar.notebook.Notebook`; what comes back is of the same kind.

Invariant: what is passed in is not changed, and nothing of a notebook or a file is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from nbcellar.api.documents import AnyNotebook, Plain
from nbcellar.components.exporting import export_pipeline as export
from nbcellar.components.importing import import_pipeline as take_in
from nbcellar.components.pipeline_file import Environment, PipelineFile, Producer, read_file, write_file
from nbcellar.components.reading import read_pipeline
from nbcellar.errors import InvalidInputError
from nbcellar.notebook.model import JsonObject, Notebook
from nbcellar.notebook.plain import from_plain, to_plain

if TYPE_CHECKING:
    from nbcellar.components.comparing import PipelineChanges
    from nbcellar.components.script_steps import Script

Format = Literal["python", "snakemake"]


def export_pipeline(
    notebook: Notebook | Plain, components: Sequence[str] = (), *, environment: bool = False
) -> JsonObject:
    """Return a notebook's pipeline, or some components of it, as a pipeline file's JSON object.

    environment: with Python and the versions of what it imports. Raises InvalidInputError, NotFoundError.
    """
    file: JsonObject = json.loads(write_file(export_file(_model(notebook), components, environment=environment)))
    return file


def import_pipeline(file: Plain | bytes, notebook: AnyNotebook | None = None, *, replace: bool = False) -> Any:
    """Return the notebook with what a pipeline file holds; a new one, as a dict, where there is none.

    replace: what differs is as the file has it; else it raises AlreadyExistsError. Raises InvalidInputError for what
    is no pipeline file, or fits no notebook.
    """
    data = file if isinstance(file, bytes) else json.dumps(file).encode()
    before = _model(notebook) if notebook is not None else None
    made = take_in(read_file(data, "pipeline file"), before, replace=replace).notebook
    return made if isinstance(notebook, Notebook) else to_plain(made)


def script_pipeline(notebook: Notebook | Plain, format: Format = "python", *, name: str = "notebook.ipynb") -> str:
    """Return a notebook's pipeline as a Python script or a Snakefile that needs no Cellar.

    name: what to call the notebook. Raises InvalidInputError, with cell and line, for what no script can run.
    """
    return script_of(_model(notebook), format, name=name).text


def diff_pipelines(a: Notebook | Plain, b: Notebook | Plain) -> PipelineChanges:
    """Return what differs between the pipelines of two notebooks, in structure and code; falsy when nothing does."""
    from nbcellar.components.comparing import compare_pipelines

    return compare_pipelines(read_pipeline(_model(a)), read_pipeline(_model(b)))


def export_file(notebook: Notebook, components: Sequence[str] = (), *, environment: bool) -> PipelineFile:
    """Return a notebook's pipeline as a file; run times, folded headings and the like stay behind."""
    import nbcellar
    from nbcellar.clean import Rules, clean
    from nbcellar.config.documents import Clean

    try:
        cleaned = clean(notebook, Rules(Clean(outputs=False))).notebook
    except RecursionError:
        raise InvalidInputError("the notebook's metadata is nested too deeply for a file") from None
    return export(
        cleaned,
        components,
        environment=_environment(cleaned) if environment else None,
        producer=Producer(name="nbcellar", version=nbcellar.__version__),
    )


def script_of(notebook: Notebook, format: Format, *, name: str) -> Script:
    """Return a notebook's pipeline as a script, with what its reader should know."""
    if format == "snakemake":
        from nbcellar.components.script_snakemake import to_snakefile

        return to_snakefile(notebook, name)
    from nbcellar.components.script_python import to_script

    return to_script(notebook, name)


def _environment(notebook: Notebook) -> Environment:
    """Return Python here, and the distributions installed here that the pipeline's imports come from."""
    import platform

    pipeline = read_pipeline(notebook)
    modules = {module for component in pipeline.components for module in component.uses.modules.values()}
    return Environment(python=platform.python_version(), distributions=_distributions(modules))


def _distributions(modules: Iterable[str]) -> dict[str, str]:
    import sys
    from importlib import metadata

    names = {module.partition(":")[0].partition(".")[0] for module in modules} - set(sys.stdlib_module_names) - {""}
    owners: Mapping[str, Sequence[str]] = metadata.packages_distributions() if names else {}
    found = {}
    for owner in sorted({owner for name in names for owner in owners.get(name, ())}):
        try:
            found[owner] = metadata.version(owner)
        except metadata.PackageNotFoundError:
            continue
    return found


def _model(notebook: Notebook | Plain) -> Notebook:
    return notebook if isinstance(notebook, Notebook) else from_plain(notebook)


__all__ = [
    "diff_pipelines",
    "export_file",
    "export_pipeline",
    "import_pipeline",
    "script_of",
    "script_pipeline",
]
