"""altair: a chart is a specification beside its data."""

from case import Case, Library

LIBRARY = Library(
    package="altair",
    imports="import json\nimport altair as alt\nimport pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3], 'b': [3.0, 1.0, 2.0]})\n\ndef shown(chart):\n    return json.dumps(chart.to_dict(), sort_keys=True)",
    cases=(
        Case(
            name="altair.Chart",
            make="x = alt.Chart(frame).mark_point().encode(x='a', y='b')",
            use="x.to_json(); x.to_html(); x.copy()",
            changes=(
                "x.title = 't'",
                "x.encoding.y = alt.Y('b', scale=alt.Scale(zero=False))",
                "x.data = frame.head(2)",
            ),
            picture="shown(x)",
        ),
        Case(
            name="altair.LayerChart",
            make="x = alt.Chart(frame).mark_line().encode(x='a', y='b') + alt.Chart(frame).mark_rule().encode(y='mean(b)')",
            use="x.to_dict(); len(x.layer)",
            changes=("x.layer[0].mark = 'bar'", "x += alt.Chart(frame).mark_tick().encode(x='a')", "x.layer.pop()"),
            picture="shown(x), len(x.layer)",
        ),
        Case(
            name="altair.Parameter (an interval)",
            make="x = alt.selection_interval(name='brush')",
            use="x.to_dict(); repr(x)",
            changes=("x.param.value = {'x': [0, 1]}", "x.param.name = 'other'", "x = alt.selection_point(name='p')"),
            picture="json.dumps(x.param.to_dict(), sort_keys=True)",
        ),
    ),
)
