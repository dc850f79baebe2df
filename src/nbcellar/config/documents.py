"""Settings of notebooks as documents: what cleaning keeps and leaves out, and how large a file may be."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from nbcellar.config.describing import doc


class Clean(msgspec.Struct, frozen=True, kw_only=True):
    """What `cellar clean`, the filter and the save hook keep of a notebook."""

    outputs: Annotated[
        bool | Literal["auto"],
        doc(
            'Whether outputs are kept; "auto": in files they are, and the filter of git leaves them out of commits.',
            'true, false or "auto"',
        ),
    ] = "auto"
    execution_counts: Annotated[bool, doc("Whether execution counts are kept.", "true or false")] = False
    ids: Annotated[
        Literal["keep", "new"],
        doc('Cell ids: kept, or made anew from what the cells say ("new").', '"keep" or "new"'),
    ] = "keep"
    addresses: Annotated[
        bool,
        doc("Whether memory addresses in text (<object at 0x7f3a...>) are kept.", "true or false"),
    ] = False
    image_blanks: Annotated[bool, doc("Whether blanks at the end of image data are kept.", "true or false")] = False
    widgets: Annotated[bool, doc("Whether the state and the views of widgets are kept.", "true or false")] = False
    run_times: Annotated[bool, doc("Whether times and durations of runs in metadata are kept.", "true or false")] = (
        False
    )
    view_states: Annotated[
        bool,
        doc("Whether it is kept how far a page was scrolled and which headings were folded.", "true or false"),
    ] = False
    kernel: Annotated[
        bool,
        doc(
            "Whether the kernel's display name and the language's version are kept; else the name of the kernel "
            "stands for the one, and the other is left out.",
            "true or false",
        ),
    ] = False
    metadata: Annotated[
        tuple[str, ...],
        doc(
            "Metadata that is allowed: shell patterns of metadata.KEY (the notebook's), cell.metadata.KEY and "
            "output.metadata.KEY; all other metadata is left out.",
            "a list of patterns",
        ),
    ] = ("metadata.*", "cell.metadata.*", "output.metadata.*")
    drop_metadata: Annotated[
        tuple[str, ...],
        doc(
            "Metadata that is left out all the same, as patterns of the same form; deeper places "
            "(cell.metadata.jupyter.outputs_hidden) may be named, too.",
            "a list of patterns",
        ),
    ] = ()
    keep_metadata: Annotated[
        tuple[str, ...],
        doc(
            "Metadata that is kept whatever the other settings say, as patterns of the same form.", "a list of patterns"
        ),
    ] = ()
    drop_output_types: Annotated[
        tuple[str, ...],
        doc(
            "Outputs that are left out: a type of output, or type:name, where name is that of a stream or error or a "
            "MIME type (stream:stderr, error, display_data:text/html).",
            "a list of types",
        ),
    ] = ()
    keep_output_types: Annotated[
        tuple[str, ...],
        doc("Outputs that are kept though outputs are not, in the same form.", "a list of types"),
    ] = ()
    max_output_kb: Annotated[
        int,
        Meta(ge=0),
        doc("Size, in KiB, above which an output is left out; 0: no limit.", "a whole number, 0 or more"),
    ] = 0
    max_line: Annotated[
        int,
        Meta(ge=0),
        doc("Letters after which a line of a text output is cut; 0: no limit.", "a whole number, 0 or more"),
    ] = 0
    keep_output_tags: Annotated[
        tuple[str, ...],
        doc(
            "Tags of cells, or names in their metadata, whose outputs are kept whatever the rest says.",
            "a list of tags",
        ),
    ] = ("keep-output", "keep_output")
    drop_output_tags: Annotated[tuple[str, ...], doc("Tags of cells whose outputs are left out.", "a list of tags")] = (
        "remove-output",
        "remove_output",
    )
    drop_cell_tags: Annotated[tuple[str, ...], doc("Tags of cells that are left out.", "a list of tags")] = ()
    drop_empty_cells: Annotated[bool, doc("Whether cells without any text are left out.", "true or false")] = False
    init_cells: Annotated[
        bool, doc("Whether outputs of initialisation cells are kept though outputs are not.", "true or false")
    ] = True
    layout: Annotated[
        Literal["jupyter", "keep"],
        doc(
            'The text of the file: laid out as Jupyter does, keys in order ("jupyter"), or as it stands ("keep"). '
            "Line endings stay in both.",
            '"jupyter" or "keep"',
        ),
    ] = "jupyter"
    on_save: Annotated[
        bool | Literal["auto"],
        doc(
            'Whether the save hook of Jupyter cleans; "auto": in folders that Cellar was initialised for and in '
            "projects that have settings for cleaning.",
            'true, false or "auto"',
        ),
    ] = "auto"


class Notebooks(msgspec.Struct, frozen=True, kw_only=True):
    """Notebook files."""

    max_mb: Annotated[
        int,
        Meta(ge=1),
        doc(
            "Size, in MiB, above which commands that read notebook files refuse one; they need some seven times of it "
            "as memory.",
            "a whole number above 0",
        ),
    ] = 256
    compare_mb: Annotated[
        int,
        Meta(ge=1),
        doc(
            "Size, in MiB, of the notebooks together, newest first, that git compares by content where its filter is "
            "on: their outputs never make it refuse. `git status` takes some 3 ms of processor time for each MiB.",
            "a whole number above 0",
        ),
    ] = 64
