"""matplotlib: a figure is a graph of artists that all know each other; pyplot holds the current one."""

from case import Case, Library

LIBRARY = Library(
    package="matplotlib",
    imports="""
import datetime, hashlib, io
import matplotlib.pyplot as plt
from matplotlib._pylab_helpers import Gcf
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, LinearSegmentedColormap, Normalize
from matplotlib.dates import AutoDateFormatter, AutoDateLocator, WeekdayLocator, MO, TU
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.offsetbox import AnchoredOffsetbox, AnchoredText, TextArea
from matplotlib.patches import Arrow, Ellipse, Rectangle
from matplotlib.ticker import AutoLocator
from mpl_toolkits.mplot3d.art3d import Line3DCollection

def pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", dpi=40)
    return hashlib.md5(buffer.getvalue()).hexdigest()[:12]
""",
    cases=(
        Case(
            name="matplotlib.pyplot's current figure",
            make="plt.close('all'); x = plt.figure(figsize=(3, 2)); plt.plot([1, 3, 2])",
            use="plt.savefig(io.BytesIO()); plt.gcf(); plt.gca()",
            changes=("plt.plot([2, 1, 2])", "plt.title('later')", "plt.ylim(0, 10)"),
            picture="plt.gcf() is x, x.number, plt.gca() is x.axes[0], len(x.axes[0].lines), pixels(x)",
        ),
        Case(
            name="matplotlib.pyplot's list of figures",
            make="plt.close('all'); x = plt.figure(figsize=(3, 2)); plt.plot([1, 3, 2])",
            use="plt.savefig(io.BytesIO()); plt.get_fignums()",
            changes=("plt.plot([2, 1, 2])", "x.suptitle('two')", "x.axes[0].set_title('below')"),
            picture="plt.get_fignums(), plt.figure(1) is x, pixels(plt.figure(1)), pixels(x)",
        ),
        Case(
            name="matplotlib.pyplot's current figure of two",
            make=(
                "plt.close('all'); x = [plt.figure(figsize=(2, 2)), plt.figure(figsize=(3, 2))]\n"
                "plt.figure(x[0].number); plt.plot([1, 3, 2])"
            ),
            use="plt.savefig(io.BytesIO()); plt.gcf().number; plt.gca().get_title()",
            changes=("plt.plot([2, 1, 2])", "plt.title('t')", "plt.figure(x[1].number); plt.plot([3, 2])"),
            picture="[plt.gcf() is figure for figure in x], [pixels(figure) for figure in x]",
        ),
        Case(
            name="matplotlib.pyplot's figures that no variable holds",
            make="plt.close('all'); plt.plot([1, 3, 2]); plt.figure(5); plt.bar([1, 2], [3, 4]); x = [plt.gcf().number]",
            use="plt.savefig(io.BytesIO()); plt.get_fignums(); plt.gcf()",
            changes=(
                "plt.title('t'); x.append(plt.gcf().number)",
                "plt.figure(1); plt.plot([2, 1]); x.append(plt.gcf().number)",
                "plt.close(5); x.append(plt.get_fignums())",
            ),
            picture="x, plt.get_fignums(), plt.gcf().number, [pixels(m.canvas.figure) for m in Gcf.figs.values()]",
        ),
        Case(
            name="matplotlib.figure.Figure",
            make="x, ax = plt.subplots(figsize=(3, 2)); ax.plot([1, 2, 4])",
            use="x.savefig(io.BytesIO(), format='png'); x.canvas.draw()",
            changes=("x.suptitle('title')", "x.set_facecolor('lightblue')", "x.set_size_inches(2, 2)", "x.set_dpi(50)"),
            picture="pixels(x), x.dpi, x.get_size_inches().tolist(), x.get_facecolor(), x.axes[0] is ax, len(x.axes)",
        ),
        Case(
            name="matplotlib.figure.Figure (without pyplot)",
            make="x = Figure(figsize=(3, 2), layout='constrained'); x.subplots().bar([1, 2], [3, 4])",
            use="x.savefig(io.BytesIO(), format='svg'); repr(x)",
            changes=(
                "x.axes[0].set_ylabel('count')",
                "x.add_axes((0.6, 0.6, 0.2, 0.2)).plot([1, 2])",
                "x.axes[0].patches[0].set_color('red')",
            ),
            picture="pixels(x), len(x.axes), x.axes[0].get_ylabel()",
        ),
        Case(
            name="matplotlib.axes.Axes",
            make="fig, x = plt.subplots(figsize=(3, 2)); x.plot([1, 2, 4], label='a')",
            use="fig.canvas.draw(); x.get_xlim(); [line.get_data() for line in x.get_lines()]",
            changes=("x.set_yscale('log')", "x.scatter([0, 1], [2, 3])", "x.clear()"),
            picture="pixels(fig), x.get_yscale(), x.get_xlim(), x.get_ylim(), len(x.lines), fig.axes[0] is x",
        ),
        Case(
            name="matplotlib.lines.Line2D",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x, = ax.plot([1, 2, 4])",
            use="x.get_xydata(); fig.canvas.draw()",
            changes=("x.set_ydata([4, 2, 1])", "x.set_color('green')", "x.set_linestyle('--'); x.set_marker('o')"),
            picture="x.get_xydata().tolist(), x.get_color(), x.get_linestyle(), x.axes is ax, pixels(fig)",
        ),
        Case(
            name="matplotlib.patches.Ellipse",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.add_patch(Ellipse((0.5, 0.5), 0.4, 0.2, angle=10))",
            use="fig.canvas.draw(); x.get_extents(); x.contains_point((1, 1))",
            changes=("x.set_angle(40)", "x.width = 0.8", "x.set_center((0.2, 0.3))"),
            picture="x.angle, x.width, x.height, x.center, x.get_verts().round(3).tolist(), pixels(fig)",
        ),
        Case(
            name="matplotlib.patches.Arrow",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.add_patch(Arrow(0, 0, 0.5, 0.5, width=0.2))",
            use="fig.canvas.draw(); x.get_path()",
            changes=("x.set_data(dx=0.9)", "x.set_facecolor('red')", "x.set_alpha(0.5)"),
            picture="x.get_verts().round(3).tolist(), x.get_facecolor(), pixels(fig)",
        ),
        Case(
            name="matplotlib.patches.Rectangle",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.add_patch(Rectangle((0.1, 0.1), 0.3, 0.5))",
            use="x.get_bbox(); fig.canvas.draw(); repr(x)",
            changes=("x.set_width(0.7)", "x.set_xy((0.2, 0.2))", "x.set_hatch('/')"),
            picture="x.get_bbox().bounds, x.get_hatch(), x.axes is ax, pixels(fig)",
        ),
        Case(
            name="matplotlib.image.AxesImage",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.imshow(np.arange(12.0).reshape(3, 4))",
            use="fig.canvas.draw(); x.get_array().mean(); x.make_image(fig.canvas.get_renderer())",
            changes=("x.set_data(np.eye(3))", "x.set_cmap('gray')", "x.set_clim(0, 2)"),
            picture="x.get_array().tolist(), x.cmap.name, x.get_clim(), pixels(fig)",
        ),
        Case(
            name="matplotlib.image.FigureImage",
            make="fig = plt.figure(figsize=(3, 2)); x = fig.figimage(np.arange(400.0).reshape(20, 20), 10, 10)",
            use="fig.canvas.draw(); x.get_extent()",
            changes=("x.set_data(np.eye(20))", "x.ox = 40", "x.set_cmap('gray')"),
            picture="x.get_array().sum(), x.ox, x.cmap.name, pixels(fig)",
        ),
        Case(
            name="matplotlib.colors.BoundaryNorm",
            make="x = BoundaryNorm([0, 1, 5, 10], 3)",
            use="x(np.array([0.5, 7.0])); repr(x)",
            changes=("x.vmax = 20", "x.boundaries[1] = 3", "x = BoundaryNorm([0, 4, 10], 4, extend='both')"),
            picture="x(np.array([-1, 0.5, 2, 7.0, 30])).tolist(), x.boundaries.tolist(), x.vmin, x.vmax, x.extend",
        ),
        Case(
            name="matplotlib.colors.ListedColormap",
            make="x = ListedColormap(['red', 'green', 'blue'])",
            use="x(0.5); x(np.linspace(0, 1, 4)); x._repr_png_()",
            changes=("x.set_bad('black')", "x.set_over('yellow')", "x = x.resampled(2)"),
            picture="x(np.array([0.0, 0.5, 0.9, 2.0, np.nan])).tolist(), x.N",
        ),
        Case(
            name="matplotlib.colors.LinearSegmentedColormap",
            make="x = LinearSegmentedColormap.from_list('mine', ['white', 'navy'], N=8)",
            use="x(0.5); repr(x)",
            changes=("x.set_under('red')", "x.set_gamma(2.0)", "x = x.reversed()"),
            picture="x(np.array([-1, 0.0, 0.3, 0.9])).round(5).tolist(), x.name",
        ),
        Case(
            name="matplotlib.colors.Colormap (its table written to)",
            make="x = plt.get_cmap('viridis').with_alpha(0.5)",
            use="x(0.5); x(np.linspace(0, 1, 4)); repr(x)",
            changes=("x._lut[:256, 3] = np.linspace(0, 1, 256)", "x._lut[0] = (1, 0, 0, 1)", "x.set_bad('black')"),
            picture="x(np.array([0.0, 0.5, 0.9, 2.0, np.nan])).tolist(), x.N",
        ),
        Case(
            name="matplotlib.cm.ScalarMappable",
            make="x = ScalarMappable(Normalize(0, 10), 'viridis'); x.set_array([1.0, 5.0])",
            use="x.to_rgba([2.0, 3.0]); x.get_clim()",
            changes=("x.set_clim(0, 5)", "x.set_cmap('magma')", "x.set_array([2.0, 3.0, 4.0])"),
            picture="x.to_rgba([2.0, 3.0]).round(5).tolist(), x.get_array().tolist(), x.get_clim()",
        ),
        Case(
            name="matplotlib.colorbar.Colorbar",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = fig.colorbar(ax.imshow(np.eye(3)), ax=ax)",
            use="fig.canvas.draw(); x.get_ticks()",
            changes=("x.set_label('value')", "x.set_ticks([0, 0.5, 1])", "x.mappable.set_clim(0, 2)"),
            picture="pixels(fig), x.vmin, x.vmax, x.get_ticks().tolist(), x.mappable.colorbar is x",
        ),
        Case(
            name="matplotlib.offsetbox.AnchoredText",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.add_artist(AnchoredText('note', loc='upper left'))",
            use="fig.canvas.draw(); x.get_window_extent()",
            changes=("x.txt.set_text('other')", "x.patch.set_facecolor('yellow')", "x.loc = 4"),
            picture="x.txt.get_text(), x.loc, pixels(fig)",
        ),
        Case(
            name="matplotlib.offsetbox.AnchoredOffsetbox",
            make=(
                "fig, ax = plt.subplots(figsize=(3, 2))\n"
                "x = ax.add_artist(AnchoredOffsetbox('center', child=TextArea('inside')))"
            ),
            use="fig.canvas.draw(); x.get_child().get_text()",
            changes=("x.get_child().set_text('changed')", "x.pad = 2.0", "x.patch.set_linewidth(6)"),
            picture="x.get_child().get_text(), x.pad, pixels(fig)",
        ),
        Case(
            name="mpl_toolkits.mplot3d.art3d.Line3DCollection",
            make=(
                "fig = plt.figure(figsize=(3, 3)); ax = fig.add_subplot(projection='3d')\n"
                "x = ax.add_collection3d(Line3DCollection([[(0, 0, 0), (1, 1, 1)], [(0, 1, 0), (1, 0, 1)]]))"
            ),
            use="fig.canvas.draw(); x.get_color()",
            changes=("x.set_color('red')", "x.set_segments([[(0, 0, 1), (1, 1, 0)]])", "x.set_linewidth(5)"),
            picture="x.get_color().tolist(), x.get_linewidth().tolist(), pixels(fig)",
        ),
        Case(
            name="mpl_toolkits.mplot3d.axes3d.Axes3D",
            make=(
                "fig = plt.figure(figsize=(3, 3)); x = fig.add_subplot(projection='3d')\n"
                "x.plot_surface(*np.mgrid[0:3, 0:3], np.arange(9.0).reshape(3, 3))"
            ),
            use="fig.canvas.draw(); x.get_zlim()",
            changes=("x.view_init(10, 20)", "x.scatter([1], [1], [5])", "x.set_zlabel('height')"),
            picture="x.elev, x.azim, x.get_zlabel(), x.get_zlim(), pixels(fig)",
        ),
        Case(
            name="matplotlib.dates.AutoDateFormatter",
            make="x = AutoDateFormatter(AutoDateLocator())",
            use="x(19000.5); x.format_data(19000.5)",
            changes=(
                "x.defaultfmt = '%Y/%m/%d'",
                "x.scaled[1 / 24] = '%H h'",
                "x._locator._freq = 4; x.scaled[1.0] = 'd'",
            ),
            picture="x(19000.5), sorted(x.scaled.items()), x.defaultfmt, x._locator._freq",
        ),
        Case(
            name="matplotlib.dates.WeekdayLocator",
            make="x = WeekdayLocator(byweekday=MO)",
            use="x.tick_values(datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1))",
            changes=(
                "x.MAXTICKS = 500",
                "x.rule.set(byweekday=TU)",
                "x = WeekdayLocator(byweekday=MO, interval=2)",
            ),
            picture="x.tick_values(datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1)).tolist(), x.MAXTICKS",
        ),
        Case(
            name="matplotlib.ticker.AutoLocator",
            make="x = AutoLocator()",
            use="x.tick_values(0, 10); x.view_limits(0, 7)",
            changes=("x.set_params(nbins=2)", "x.set_params(steps=[1, 10])", "x.set_params(prune='both')"),
            picture="x.tick_values(0, 30).tolist(), x.tick_values(0, 200).tolist()",
        ),
        Case(
            name="matplotlib.text.Text",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.text(0.2, 0.5, 'hello')",
            use="fig.canvas.draw(); x.get_window_extent(); repr(x)",
            changes=("x.set_text('$x^2$')", "x.set_rotation(45)", "x.set_fontsize(20)"),
            picture="x.get_text(), x.get_rotation(), x.get_fontsize(), x.axes is ax, pixels(fig)",
        ),
        Case(
            name="matplotlib.legend.Legend",
            make=(
                "fig, ax = plt.subplots(figsize=(3, 2)); ax.plot([1, 2], label='a'); ax.plot([2, 1], label='b')\n"
                "x = ax.legend()"
            ),
            use="fig.canvas.draw(); x.get_texts()",
            changes=("x.set_title('lines')", "x.get_texts()[0].set_text('first')", "x.set_loc('lower right')"),
            picture="x.get_title().get_text(), [t.get_text() for t in x.get_texts()], x._loc, pixels(fig)",
        ),
        Case(
            name="matplotlib.collections.PathCollection",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.scatter([1, 2, 3], [1, 4, 9], c=[1, 2, 3])",
            use="fig.canvas.draw(); x.get_offsets(); x.legend_elements()",
            changes=("x.set_offsets([[1, 1], [2, 2], [3, 8]])", "x.set_sizes([100])", "x.set_array([3, 1, 2])"),
            picture="x.get_offsets().tolist(), x.get_sizes().tolist(), x.get_array().tolist(), pixels(fig)",
        ),
        Case(
            name="matplotlib.container.BarContainer",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.bar(['a', 'b'], [1, 2])",
            use="fig.canvas.draw(); [bar.get_height() for bar in x]; x.datavalues",
            changes=("x[0].set_height(5)", "x[1].set_color('red')", "ax.bar_label(x)"),
            picture="[b.get_height() for b in x], len(ax.texts), ax.containers[0] is x, pixels(fig)",
        ),
        Case(
            name="matplotlib.contour.ContourSet",
            make="fig, ax = plt.subplots(figsize=(3, 2)); x = ax.contourf(np.arange(16.0).reshape(4, 4), levels=[0, 5, 10, 15])",
            use="fig.canvas.draw(); x.levels; x.get_paths()",
            changes=("x.set_cmap('gray')", "x.set_clim(0, 30)", "x.set_alpha(0.3)"),
            picture="list(x.levels), x.cmap.name, x.get_clim(), x.get_alpha(), pixels(fig)",
        ),
        Case(
            name="matplotlib.gridspec.GridSpec",
            make="fig = plt.figure(figsize=(3, 2)); x = GridSpec(2, 2, figure=fig); ax = fig.add_subplot(x[0, :])",
            use="x[1, 1].get_position(fig); fig.canvas.draw(); repr(x)",
            changes=("x.update(wspace=0.9)", "x.set_width_ratios([1, 3])", "ax = fig.add_subplot(x[1, 0])"),
            picture="x.get_grid_positions(fig)[0].round(4).tolist(), x.get_grid_positions(fig)[2].round(4).tolist(), pixels(fig)",
        ),
        Case(
            name="matplotlib.pyplot.subplots (array of axes)",
            make="fig, x = plt.subplots(2, 2, figsize=(3, 3), sharex=True)",
            use="[ax.get_xlim() for ax in x.flat]; fig.canvas.draw()",
            changes=("x[0, 0].plot([1, 2])", "x[1, 1].set_xlim(0, 5)", "x[0, 1].remove()"),
            picture="[ax.get_xlim() for ax in x.flat], len(fig.axes), fig.axes[0] is x[0, 0], pixels(fig)",
        ),
    ),
)
