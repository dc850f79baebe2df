"""shapely: immutable geometries; a tree of them."""

from case import Case, Library

LIBRARY = Library(
    package="shapely",
    imports="import numpy as np\nimport shapely\nfrom shapely import STRtree\nfrom shapely.geometry import LineString, MultiPoint, Point, Polygon",
    cases=(
        Case(
            name="shapely.Point",
            make="x = Point(1, 2)",
            use="x.buffer(1).area; x.distance(Point(0, 0)); x.wkt; repr(x)",
            changes=("x = Point(3, 4)", "x = Point(1, 2, 3)", "x = shapely.set_srid(x, 4326)"),
            picture="x.wkt, x.has_z, shapely.get_srid(x)",
        ),
        Case(
            name="shapely.Polygon",
            make="x = Polygon([(0, 0), (4, 0), (4, 4)])",
            use="x.area; x.contains(Point(3, 1)); x.bounds; shapely.prepare(x)",
            changes=(
                "x = x.buffer(1, quad_segs=2)",
                "x = x.difference(Point(2, 1).buffer(0.3, quad_segs=1))",
                "x = x.simplify(1)",
            ),
            picture="x.wkb_hex, round(x.area, 8), x.is_valid",
        ),
        Case(
            name="shapely.STRtree",
            make="x = STRtree([Point(i, i) for i in range(4)])",
            use="x.query(Point(1, 1).buffer(1)); x.nearest(Point(2.2, 2)); len(x)",
            changes=(
                "x = STRtree([Point(9, 9)])",
                "x = STRtree([LineString([(0, 0), (1, 1)]), Point(5, 5)])",
                "x = STRtree([])",
            ),
            picture="[g.wkt for g in x.geometries], x.query(Point(5, 5)).tolist()",
        ),
        Case(
            name="numpy.ndarray (of geometries)",
            make="x = shapely.points([[0, 0], [1, 1]])",
            use="shapely.distance(x, Point(0, 0)); shapely.to_wkt(x)",
            changes=("x[0] = Point(5, 5)", "x[1] = None", "x[:] = LineString([(0, 0), (1, 1)])"),
            picture="[None if g is None else g.wkt for g in x]",
        ),
    ),
)
