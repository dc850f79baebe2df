"""skimage: transforms hold matrices; properties of regions are computed when they are asked for."""

from case import Case, Library

LIBRARY = Library(
    package="scikit-image",
    imports="import numpy as np\nfrom skimage import measure, transform\n\nlabels = np.zeros((6, 6), int); labels[1:3, 1:4] = 1; labels[4:, 4:] = 2",
    cases=(
        Case(
            name="skimage.transform.AffineTransform",
            make="x = transform.AffineTransform(scale=(2, 1), translation=(1, 0))",
            use="x([[1, 1]]); x.inverse; x.rotation; repr(x)",
            changes=(
                "x.params[0, 2] = 5",
                "x.estimate(np.array([[0, 0], [1, 0], [0, 1]]), np.array([[0, 0], [2, 0], [0, 3.0]]))",
                "x.params = np.diag([3.0, 3, 1])",
            ),
            picture="x.params.round(8).tolist(), np.round(x([[1, 2]]), 8).tolist()",
        ),
        Case(
            name="skimage.transform.PiecewiseAffineTransform",
            make="x = transform.PiecewiseAffineTransform(); a = np.array([[0, 0], [0, 4], [4, 0], [4, 4.0]]); x.estimate(a, a * 2)",
            use="x(a); x.inverse(a)",
            changes=("x.estimate(a, a + 1)", "x.estimate(a, a * 3)", "x.affines[0].params[0, 2] += 1"),
            picture="np.round(x(np.array([[1, 2], [3, 1.0]])), 8).tolist()",
        ),
        Case(
            name="skimage.measure.RegionProperties",
            make="x = measure.regionprops(labels, intensity_image=np.arange(36.0).reshape(6, 6))[0]",
            use="x.area; x.centroid; x.bbox; x.image",
            changes=(
                "labels[0, 0] = 0; x = measure.regionprops(labels)[1]",
                "x.label = 1",
                "x = measure.regionprops(labels * 2)[0]",
            ),
            picture="x.label, x.area, x.centroid, x.bbox, x.image.tolist()",
        ),
        Case(
            name="skimage.measure.regionprops (a list)",
            make="x = measure.regionprops(labels.copy())",
            use="[r.area for r in x]; x[0].perimeter; x[0] == x[1]",
            changes=("x.pop()", "x[0].label = 7", "x.append(measure.regionprops(labels)[1])"),
            picture="[(r.label, r.bbox) for r in x]",
        ),
        Case(
            name="skimage.measure.CircleModel",
            make="x = measure.CircleModel(); a = np.array([[1, 0], [0, 1], [-1, 0.0], [0, -1]]); x.estimate(a)",
            use="x.residuals(a); x.predict_xy(0.5)",
            changes=(
                "x.estimate(a * 2)",
                "x.estimate(a + 1)",
                "x = measure.EllipseModel(); x.estimate(np.array([[2, 0], [0, 1], [-2, 0.0], [0, -1], [1.2, 0.8]]))",
            ),
            picture="type(x).__name__, np.round(x.params, 6).tolist()",
        ),
    ),
)
