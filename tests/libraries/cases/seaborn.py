"""seaborn: grids hold a frame, a figure and its axes; objects.Plot is a specification."""

from case import Case, Library

LIBRARY = Library(
    package="seaborn",
    imports="""
import hashlib, io
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import seaborn.objects as so

frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 1, 4, 3], "c": list("uvuv")})

def pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", dpi=30)
    return hashlib.md5(buffer.getvalue()).hexdigest()[:12]
""",
    cases=(
        Case(
            name="seaborn.FacetGrid",
            make="x = sns.FacetGrid(frame, col='c', height=2); x.map(sns.scatterplot, 'a', 'b')",
            use="x.savefig(io.BytesIO()); x.axes_dict; repr(x)",
            changes=("x.set_titles('{col_name}!')", "x.set(xlim=(0, 10))", "x.map(plt.axhline, y=2)"),
            picture="pixels(x.figure), x.axes.shape, list(x.axes_dict), x.axes_dict['u'] is x.axes.flat[0], x.data.shape",
        ),
        Case(
            name="seaborn.JointGrid",
            make="x = sns.JointGrid(frame, x='a', y='b', height=2); x.plot_joint(sns.scatterplot)",
            use="x.savefig(io.BytesIO()); x.ax_joint.get_xlim()",
            changes=("x.plot_marginals(sns.histplot, bins=3)", "x.refline(x=2)", "x.ax_joint.set_ylim(0, 9)"),
            picture="pixels(x.figure), x.ax_joint.get_ylim(), x.x.tolist(), x.figure.axes[0] is x.ax_joint",
        ),
        Case(
            name="seaborn.PairGrid",
            make="x = sns.PairGrid(frame, vars=['a', 'b'], height=1); x.map(plt.scatter)",
            use="x.savefig(io.BytesIO()); repr(x)",
            changes=("x.map_diag(sns.histplot)", "x.axes[0, 1].set_title('t')", "x.set(facecolor='lightgray')"),
            picture="pixels(x.figure), x.axes.shape, x.axes[0, 1].get_title()",
        ),
        Case(
            name="seaborn.heatmap (its axes)",
            make="plt.figure(figsize=(2, 2)); x = sns.heatmap(np.arange(4).reshape(2, 2), annot=True)",
            use="x.figure.canvas.draw(); x.get_xticklabels()",
            changes=("x.set_title('heat')", "x.texts[0].set_text('?')", "x.collections[0].set_cmap('gray')"),
            picture="pixels(x.figure), x.get_title(), [t.get_text() for t in x.texts], x.collections[0].cmap.name",
        ),
        Case(
            name="seaborn.regplot and kdeplot (axes)",
            make="fig, x = plt.subplots(figsize=(2, 2)); sns.kdeplot(frame, x='a', hue='c', ax=x)",
            use="fig.canvas.draw(); x.get_legend_handles_labels()",
            changes=(
                "x.get_legend().remove()",
                "sns.regplot(frame, x='a', y='b', ax=x, seed=1, n_boot=20)",
                "x.lines[0].set_lw(5)",
            ),
            picture="pixels(fig), len(x.lines), x.get_legend() is None",
        ),
        Case(
            name="seaborn.ClusterGrid",
            make="x = sns.clustermap(np.arange(9.0).reshape(3, 3) % 4, figsize=(2, 2))",
            use="x.savefig(io.BytesIO()); x.dendrogram_row.reordered_ind",
            changes=("x.ax_heatmap.set_title('c')", "x.ax_cbar.remove()", "x.data2d.iloc[0, 0] = 7"),
            picture="pixels(x.figure), x.data2d.values.tolist(), x.dendrogram_row.reordered_ind",
        ),
        Case(
            name="seaborn.objects.Plot",
            make="x = so.Plot(frame, x='a', y='b').add(so.Dot())",
            use="x.save(io.BytesIO()); x.plot()",
            changes=("x = x.add(so.Line())", "x = x.label(title='t')", "x = x.limit(x=(0, 9))"),
            picture="len(x._layers), x._labels, x._limits, pixels(x.plot()._figure)",
        ),
        Case(
            name="seaborn.palettes._ColorPalette",
            make="x = sns.color_palette('husl', 3)",
            use="x.as_hex(); x._repr_html_()",
            changes=("x[0] = (0.0, 0.0, 0.0)", "x.append((1.0, 1.0, 1.0))", "del x[1]"),
            picture="type(x).__name__, [tuple(round(v, 5) for v in c) for c in x], str(x.as_hex())",
        ),
    ),
)
