"""bokeh: models with properties that tell whoever listens."""

from case import Case, Library

LIBRARY = Library(
    package="bokeh",
    imports="import json\nimport numpy as np\nfrom bokeh.embed import json_item\nfrom bokeh.models import ColumnDataSource, Range1d\nfrom bokeh.plotting import figure\nfrom bokeh.layouts import row\n\ndef shown(model):\n    found = sorted((type(m).__name__, json.dumps(m.to_json(False) if hasattr(m, 'nothing') else str(sorted((k, str(v)) for k, v in m.properties_with_values(include_defaults=False).items() if isinstance(v, (int, float, str))))) ) for m in model.references())\n    return found",
    cases=(
        Case(
            name="bokeh.plotting.figure",
            make="x = figure(width=200, height=100); x.line([1, 2, 3], [3, 1, 2])",
            use="json_item(x); x.renderers[0].data_source.data; repr(x)",
            changes=("x.title.text = 'named'", "x.scatter([1, 2], [2, 1], size=9)", "x.y_range = Range1d(0, 10)"),
            picture="shown(x), len(x.renderers), [sorted((k, list(v)) for k, v in r.data_source.data.items()) for r in x.renderers]",
        ),
        Case(
            name="bokeh.models.ColumnDataSource",
            make="x = ColumnDataSource({'a': [1, 2], 'b': [3.0, 4.0]})",
            use="x.column_names; x.data['a']; x.to_df()",
            changes=("x.data['a'] = [5, 6]", "x.stream({'a': [7], 'b': [8.0]})", "x.add([1, 2, 3], 'c')"),
            picture="sorted((k, list(v)) for k, v in x.data.items())",
        ),
        Case(
            name="bokeh.layouts.row",
            make="a = figure(width=100, height=100); x = row(a, figure(width=50))",
            use="json_item(x); x.children",
            changes=("x.spacing = 5", "a.line([1], [2])", "x.children.pop()"),
            picture="len(x.children), x.spacing, x.children[0] is a, len(a.renderers)",
        ),
    ),
)
