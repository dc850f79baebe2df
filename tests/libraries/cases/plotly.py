"""plotly: a figure is a tree of properties, kept as one dictionary and as objects that know their parents."""

from case import Case, Library

LIBRARY = Library(
    package="plotly",
    imports=(
        "import json\nimport numpy as np\nimport pandas as pd\nimport plotly.express as px\n"
        "import plotly.graph_objects as go\nfrom plotly.subplots import make_subplots\n"
        "def shown(thing):\n    return json.dumps(json.loads(thing.to_json()), sort_keys=True)"
    ),
    cases=(
        Case(
            name="plotly.graph_objects.Figure",
            make="x = go.Figure(go.Scatter(x=[1, 2, 3], y=[4, 1, 2], name='s'))",
            use="x.to_json(); x.data[0].y; x.layout.title.text; repr(x); x.to_html(include_plotlyjs=False)",
            changes=("x.add_bar(y=[1, 2])", "x.update_layout(title='t')", "x.data[0].y = [0, 0, 0]"),
            picture="shown(x), len(x.data), x.data[0].parent is x, type(x).__name__",
        ),
        Case(
            name="plotly.express (a figure of a frame)",
            make="x = px.scatter(pd.DataFrame({'a': [1, 2, 3], 'b': [3.0, 1, 2], 'c': list('uvu')}), x='a', y='b', color='c')",
            use="x.to_dict(); x.layout.legend; [t.name for t in x.data]",
            changes=("x.update_traces(marker_size=12)", "x.add_hline(y=2)", "x.layout.xaxis.title = 'time'"),
            picture="shown(x)",
        ),
        Case(
            name="plotly.subplots.make_subplots",
            make="x = make_subplots(rows=1, cols=2); x.add_scatter(y=[1, 2], row=1, col=1)",
            use="x.get_subplot(1, 2); x.to_json(); x.select_traces(row=1, col=1)",
            changes=(
                "x.add_bar(y=[3, 4], row=1, col=2)",
                "x.update_xaxes(title_text='right', row=1, col=2)",
                "x.add_annotation(text='n', row=1, col=1)",
            ),
            picture="shown(x), x._grid_ref is not None, [t.type for t in x.select_traces(row=1, col=2)]",
        ),
        Case(
            name="plotly.graph_objects.Heatmap",
            make="x = go.Heatmap(z=np.arange(4.0).reshape(2, 2))",
            use="x.z.mean(); x.to_plotly_json(); x.colorbar",
            changes=("x.z = np.eye(2)", "x.colorscale = 'Greys'", "x.colorbar.title = 'v'"),
            picture="shown(x), x.type",
        ),
        Case(
            name="plotly.graph_objects.Layout",
            make="x = go.Layout(title='a', xaxis={'range': [0, 1]})",
            use="x.xaxis.range; x.to_plotly_json(); repr(x)",
            changes=(
                "x.xaxis.range = [0, 5]",
                "x.update(height=300)",
                "x.shapes = [{'type': 'line', 'x0': 0, 'x1': 1}]",
            ),
            picture="shown(x)",
        ),
        Case(
            name="plotly.graph_objects.Figure (frames of an animation)",
            make="x = go.Figure(go.Scatter(y=[1]), frames=[go.Frame(data=[go.Scatter(y=[k])], name=str(k)) for k in range(3)])",
            use="x.frames[0].data; x.to_json()",
            changes=(
                "x.frames[0].name = 'first'",
                "x.frames = x.frames[:2]",
                "x.update_layout(sliders=[{'active': 1}])",
            ),
            picture="shown(x)",
        ),
    ),
)
