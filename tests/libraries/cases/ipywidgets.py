"""ipywidgets: objects with a counterpart in the browser, on a channel."""

from case import Case, Library

LIBRARY = Library(
    package="ipywidgets",
    imports="import ipywidgets as widgets",
    cases=(
        Case(
            name="ipywidgets.IntSlider",
            make="x = widgets.IntSlider(value=3, max=10)",
            use="x.value; repr(x); x.get_state()",
            changes=("x.value = 7", "x.max = 20", "x.description = 'n'"),
            picture="x.value, x.min, x.max, x.description, x.layout.width",
            storable=False,
        ),
        Case(
            name="ipywidgets.VBox",
            make="x = widgets.VBox([widgets.Text('a'), widgets.Checkbox()])",
            use="x.children[0].value; repr(x)",
            changes=("x.children[0].value = 'b'", "x.children = x.children[:1]", "x.layout.width = '50px'"),
            picture="[type(c).__name__ for c in x.children], x.children[0].value, x.layout.width",
            storable=False,
        ),
    ),
)
