"""scipy: sparse matrices, distributions, interpolators, spatial structures, results, systems, operators."""

from case import Case, Library

LIBRARY = Library(
    package="scipy",
    imports="""
import numpy as np
import scipy
from scipy import interpolate, optimize, signal, sparse, spatial, stats
from scipy.spatial.transform import Rotation
points = np.random.default_rng(0).random((12, 2))
""".strip(),
    cases=(
        Case(
            name="scipy.sparse.csr_matrix",
            make="x = sparse.csr_matrix(np.array([[1.0, 0, 2], [0, 0, 3], [4, 0, 0]]))",
            use="x @ np.ones(3); x.sum(); x.nnz; x.T; x[0, 2]; x.toarray(); repr(x); x.has_sorted_indices;"
            " x.has_canonical_format; x.getrow(1); x.multiply(x); abs(x).max()",
            changes=("x[0, 0] = 9", "x.data *= 2", "x[1, 1] = 5", "x.data[0] = 0; x.eliminate_zeros()"),
            picture="type(x).__name__, x.toarray().tolist(), x.nnz, x.shape, x.dtype.str, x.indptr.tolist(),"
            " x.indices.tolist()",
        ),
        Case(
            name="scipy.sparse.csc_array",
            make="x = sparse.csc_array(np.array([[1.0, 0, 2], [0, 0, 3]]))",
            use="x @ np.ones(3); x.mean(axis=0); x.nnz; x.tocoo(); x[:, 1]; str(x); x.nonzero()",
            changes=("x.data[0] = 9", "x *= 2", "x.indices[0] = 1"),
            picture="type(x).__name__, x.toarray().tolist(), x.nnz, x.shape, x.indices.tolist()",
        ),
        Case(
            name="scipy.sparse.coo_matrix",
            make="x = sparse.coo_matrix(([1.0, 2.0, 3.0], ([0, 1, 1], [1, 0, 1])), shape=(2, 2))",
            use="x.tocsr(); x.toarray(); x.nnz; x.row; x.T; x.sum(); repr(x)",
            changes=("x.data[1] = 7", "x.resize(3, 3)", "x.row[0] = 2", "x *= 2"),
            picture="x.toarray().tolist(), x.row.tolist(), x.col.tolist(), x.data.tolist(), x.shape",
        ),
        Case(
            name="scipy.sparse.lil_matrix",
            make="x = sparse.lil_matrix((2, 3))",
            use="x.tocsr(); x.toarray(); x.nnz; x[0]; x.rows; repr(x)",
            changes=("x[0, 1] = 5", "x[1, :] = [1, 2, 3]", "x[0, 1] = 0"),
            picture="x.toarray().tolist(), x.rows.tolist(), x.data.tolist(), x.nnz",
        ),
        Case(
            name="scipy.sparse.dok_matrix",
            make="x = sparse.dok_matrix((2, 3))",
            use="x.tocsr(); x.toarray(); x.get((0, 0)); list(x.keys()); len(x.shape); repr(x)",
            changes=("x[0, 1] = 5", "x[1, 2] = 6", "del x[0, 1]"),
            picture="x.toarray().tolist(), sorted((tuple(map(int, k)), float(v)) for k, v in x.items()), x.nnz",
        ),
        Case(
            name="scipy.sparse.dia_array",
            make="x = sparse.diags_array([1.0, 2.0, 3.0], offsets=0)",
            use="x @ np.ones(3); x.toarray(); x.diagonal(); x.tocsr(); repr(x)",
            changes=("x.data[0, 0] = 9", "x.setdiag([7.0, 7.0], k=1)", "x *= 2"),
            picture="x.toarray().tolist(), x.offsets.tolist(), x.data.tolist()",
        ),
        Case(
            name="scipy.sparse.bsr_matrix",
            make="x = sparse.bsr_matrix(np.kron(np.eye(2), np.ones((2, 2))))",
            use="x @ np.ones(4); x.blocksize; x.toarray(); x.tocsr(); repr(x)",
            changes=("x.data[0, 0, 0] = 9", "x *= 2", "x.data[:] = 0; x.eliminate_zeros()"),
            picture="x.toarray().tolist(), x.blocksize, x.indptr.tolist(), x.data.tolist()",
        ),
        Case(
            name="scipy.stats frozen distribution",
            make="x = stats.norm(loc=1, scale=2); x.random_state = 3",
            use="x.mean(); x.cdf(0.5); x.ppf(0.9); x.pdf([1, 2]); x.interval(0.9); x.stats('mvsk'); repr(type(x))",
            changes=("x.kwds['loc'] = 3", "x.random_state = 5", "x.kwds['loc'] = 4"),
            picture="float(x.mean()), float(x.cdf(2.0)), x.dist.name, x.args, x.kwds,"
            " x.random_state.get_state()[1][:3].tolist()",
        ),
        Case(
            name="scipy.stats frozen distribution (follows numpy.random.seed)",
            make="x = stats.norm(loc=1, scale=2)",
            use="x.mean(); x.cdf(0.5)",
            changes=("x.kwds['loc'] = 3", "x.kwds['scale'] = 1", "x = stats.gamma(2.0, scale=3)"),
            picture="float(x.mean()), x.kwds, x.random_state is np.random.mtrand._rand",
        ),
        Case(
            name="scipy.stats.Normal (new distributions)",
            make="x = stats.Normal(mu=1.0, sigma=2.0)",
            use="x.mean(); x.cdf(0.5); x.pdf(1.0); x.entropy(); repr(x)",
            changes=("x.tol = 1e-9", "x = stats.Normal(mu=2.0, sigma=1.0)", "x = x * 2 + 1"),
            picture="repr(x), float(x.mean()), float(x.cdf(2.0)), x.tol if isinstance(x.tol, float) else 0",
        ),
        Case(
            name="scipy.stats.rv_discrete",
            make="x = stats.rv_discrete(name='custom', values=([1, 2, 3], [0.2, 0.3, 0.5]), seed=1)",
            use="x.pmf(2); x.mean(); x.cdf(2); x.support()",
            changes=(
                "x.rvs(size=2)",
                "x.random_state = 8",
                "x = stats.rv_discrete(values=([1, 2], [0.5, 0.5]), seed=2)",
            ),
            picture="float(x.mean()), x.pmf([1, 2, 3]).round(9).tolist(), x.random_state.get_state()[1][:3].tolist(),"
            " x.random_state.get_state()[2]",
        ),
        Case(
            name="scipy.stats.gaussian_kde",
            make="x = stats.gaussian_kde(points.T.copy())",
            use="x(points.T[:, :3]); x.factor; x.integrate_box([0, 0], [1, 1], rng=np.random.default_rng(0)); x.neff",
            changes=("x.set_bandwidth(0.5)", "x.dataset[0, 0] = 3", "x.set_bandwidth('silverman')"),
            picture="x.factor, x(np.array([[0.5], [0.5]])).round(9).tolist(), x.covariance.round(9).tolist(),"
            " x.dataset.tolist()",
        ),
        Case(
            name="scipy.interpolate.interp1d",
            make="x = interpolate.interp1d([0.0, 1.0, 2.0], [0.0, 1.0, 4.0], bounds_error=False)",
            use="x(0.5); x([0.1, 1.9]); x.x; x.y",
            changes=(
                "x.fill_value = -1.0",
                "x.bounds_error = True",
                "x = interpolate.interp1d([0.0, 1.0, 2.0], [1.0, 1.0, 4.0], kind='quadratic')",
            ),
            picture="x([0.5, 1.5]).tolist(), x.x.tolist(), x.y.tolist(), repr(x.fill_value), x.bounds_error, x._kind",
        ),
        Case(
            name="scipy.interpolate.CubicSpline",
            make="x = interpolate.CubicSpline([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 2.0])",
            use="x(0.5); x.derivative(); x.integrate(0, 2); x.roots(); x.c",
            changes=("x.c[-1, 0] = 1.0", "x.extrapolate = False", "x.extend(np.array([[0.0], [0], [0], [2]]), [4.0])"),
            picture="x([0.5, 1.5, 9.0]).round(9).tolist(), x.x.tolist(), x.c.round(9).tolist(), x.extrapolate",
        ),
        Case(
            name="scipy.interpolate.UnivariateSpline",
            make="x = interpolate.UnivariateSpline(np.arange(8.0), np.sin(np.arange(8.0)), s=0.1)",
            use="x(0.5); x.get_knots(); x.get_residual(); x.integral(0, 3); x.derivative()",
            changes=("x.set_smoothing_factor(0)", "x.set_smoothing_factor(1.0)", "x.ext = 1"),
            picture="x([0.5, 1.5, 9.0]).round(9).tolist(), x.get_knots().round(9).tolist(), x.ext",
        ),
        Case(
            name="scipy.interpolate.RegularGridInterpolator",
            make="x = interpolate.RegularGridInterpolator((np.arange(3.0), np.arange(3.0)), np.arange(9.0).reshape(3, 3))",
            use="x([[0.5, 0.5], [1.5, 1]]); x.grid; x.method",
            changes=("x.values[0, 0] = 10", "x.method = 'nearest'", "x.bounds_error = False; x.fill_value = 0"),
            picture="x([[0.4, 0.4], [1.5, 1]]).tolist(), x.values.tolist(), x.method, x.bounds_error",
        ),
        Case(
            name="scipy.interpolate.RBFInterpolator",
            make="x = interpolate.RBFInterpolator(points.copy(), points[:, 0] ** 2)",
            use="x(points[:3]); x.kernel",
            changes=(
                "x._coeffs[0] += 1",
                "x = interpolate.RBFInterpolator(points, points[:, 1])",
                "x = interpolate.RBFInterpolator(points, points[:, 1], kernel='linear')",
            ),
            picture="x(np.array([[0.5, 0.5]])).round(9).tolist(), x.kernel, x.d.round(9).tolist()",
        ),
        Case(
            name="scipy.spatial.KDTree",
            make="x = spatial.KDTree(points.copy())",
            use="x.query([0.5, 0.5]); x.query_ball_point([0.5, 0.5], 0.3); x.n; x.tree; x.count_neighbors(x, 0.2)",
            changes=(
                "x = spatial.KDTree(points[:6])",
                "x = spatial.KDTree(points * 2)",
                "x = spatial.KDTree(points, leafsize=3)",
            ),
            picture="x.data.tolist(), [repr(v) for v in x.query([0.4, 0.4], k=2)], x.leafsize",
        ),
        Case(
            name="scipy.spatial.Delaunay",
            make="x = spatial.Delaunay(points.copy(), incremental=False)",
            use="x.find_simplex([0.5, 0.5]); x.simplices; x.neighbors; x.npoints",
            changes=(
                "x = spatial.Delaunay(points[:8])",
                "x = spatial.Delaunay(points * 2)",
                "x.simplices[0] = x.simplices[0][::-1].copy()",
            ),
            picture="x.points.tolist(), x.simplices.tolist(), int(x.find_simplex([0.5, 0.5]))",
        ),
        Case(
            name="scipy.spatial.ConvexHull",
            make="x = spatial.ConvexHull(points.copy())",
            use="x.volume; x.vertices; x.equations; x.simplices",
            changes=("x = spatial.ConvexHull(points[:6])", "x = spatial.ConvexHull(points * 2)", "x.vertices[0] = 3"),
            picture="round(x.volume, 9), x.vertices.tolist(), x.points.tolist()",
        ),
        Case(
            name="scipy.spatial.Voronoi",
            make="x = spatial.Voronoi(points.copy())",
            use="x.vertices; x.regions; x.ridge_dict; x.npoints",
            changes=("x = spatial.Voronoi(points[:6])", "x = spatial.Voronoi(points * 2)", "x.point_region[0] = 3"),
            picture="x.points.tolist(), x.vertices.round(9).tolist(), x.point_region.tolist(), x.regions",
        ),
        Case(
            name="scipy.spatial.transform.Rotation",
            make="x = Rotation.from_euler('zyx', [[90, 45, 30], [0, 10, 20]], degrees=True)",
            use="x.as_matrix(); x.apply([1, 0, 0]); x.inv(); x.magnitude(); x[0]; len(x); repr(x)",
            changes=("x[0] = Rotation.identity()", "x = x * x", "x = x[:1]"),
            picture="x.as_quat().round(9).tolist(), len(x)",
        ),
        Case(
            name="scipy.optimize.OptimizeResult",
            make="x = optimize.minimize(lambda v: (v[0] - 1) ** 2 + v[1] ** 2, [0.0, 0.0], method='BFGS')",
            use="x.x; x.fun; x.success; repr(x); x.keys(); x['nit']",
            changes=("x.x[0] = 5", "x['note'] = 'tried'", "x.success = False"),
            picture="sorted(x.keys()), x.x.round(6).tolist(), x.success, x.get('note'), x.nit",
        ),
        Case(
            name="scipy.optimize.LinearConstraint",
            make="x = optimize.LinearConstraint(np.eye(2), [0.0, 0.0], [1.0, 1.0])",
            use="x.residual(np.array([0.5, 0.5])); x.A; repr(type(x))",
            changes=("x.A[0, 1] = 2", "x.lb = np.array([-1.0, 0.0])", "x.keep_feasible = True"),
            picture="x.A.tolist(), x.lb.tolist(), x.ub.tolist(), repr(x.keep_feasible)",
        ),
        Case(
            name="scipy.signal.lti",
            make="x = signal.lti([1.0], [1.0, 2.0, 1.0])",
            use="x.step(); x.bode(); x.to_ss(); x.poles; x.zeros; repr(x)",
            changes=("x.num = [2.0]", "x.den = [1.0, 3.0, 2.0]", "x = signal.lti([1.0], [-1.0], 2.0)"),
            picture="type(x).__name__, x.poles.tolist(), x.zeros.tolist(), x.freqresp([1.0])[1].round(9).tolist()",
        ),
        Case(
            name="scipy.signal.dlti",
            make="x = signal.dlti([1.0], [1.0, -0.5], dt=0.1)",
            use="x.step(n=5); x.impulse(n=5); x.to_zpk(); x.poles; repr(x)",
            changes=("x.num = [2.0]", "x.dt = 0.2", "x = x.to_ss()"),
            picture="type(x).__name__, x.dt, [v.round(9).tolist() for v in x.step(n=4)[1]]",
        ),
        Case(
            name="scipy.signal.ShortTimeFFT",
            make="x = signal.ShortTimeFFT(np.hanning(8), hop=4, fs=10.0)",
            use="x.stft(np.arange(32.0)); x.f; x.win; x.delta_t; x.dual_win; x.invertible; x.lower_border_end;"
            " x.spectrogram(np.arange(32.0)); x.istft(x.stft(np.arange(32.0)))",
            changes=("x.fs = 20.0", "x.fft_mode = 'centered'", "x.mfft = 16"),
            picture="x.fs, x.fft_mode, x.mfft, x.hop, x.win.round(9).tolist(), abs(x.stft(np.arange(32.0))).round(6).tolist()",
        ),
        Case(
            name="scipy.sparse.linalg.LinearOperator",
            make="import scipy.sparse.linalg as sla; x = sla.aslinearoperator(np.diag([1.0, 2.0]))",
            use="x @ np.ones(2); x.matvec(np.ones(2)); x.T; x.H; x.adjoint(); x.shape; repr(x)",
            changes=(
                "x.A[0, 0] = 7",
                "x = 2 * x",
                "x = sla.LinearOperator((2, 2), matvec=lambda v: 3 * v, dtype=float)",
            ),
            picture="x.matvec(np.array([1.0, 2.0])).tolist(), x.shape, str(x.dtype), type(x).__name__",
        ),
        Case(
            name="scipy.sparse.linalg.SuperLU",
            make="x = sla.splu(sparse.csc_matrix(np.eye(3) * 2)) if 'sla' in globals() else"
            " __import__('scipy.sparse.linalg').sparse.linalg.splu(sparse.csc_matrix(np.eye(3) * 2))",
            use="x.solve(np.ones(3)); x.nnz",
            changes=(),
            picture="x.solve(np.ones(3)).tolist()",
            storable=False,
        ),
        Case(
            name="scipy.integrate.OdeSolution",
            make="from scipy import integrate; x = integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], dense_output=True)",
            use="x.sol(0.5); x.t; x.y; repr(x)",
            changes=("x.y[0, 0] = 4", "x.message = 'done'", "x.sol.ts_sorted[0] = -1"),
            picture="x.t.round(9).tolist(), x.y.round(9).tolist(), x.sol(0.5).round(9).tolist(), x.message,"
            " x.sol.ts_sorted.round(6).tolist()",
        ),
        Case(
            name="scipy.stats.TtestResult",
            make="x = stats.ttest_ind([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])",
            use="x.pvalue; x.statistic; x.confidence_interval(); repr(x); t, p = x",
            changes=(
                "x = stats.ttest_1samp([1.0, 2.0, 4.0], 0)",
                "x = stats.ttest_rel([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])",
                "x = stats.ttest_ind([1.0, 2.0], [2.0, 3.0])",
            ),
            picture="type(x).__name__, [round(float(v), 9) for v in x], [round(float(v), 9) for v in"
            " x.confidence_interval()], float(x.df)",
        ),
        Case(
            name="scipy.stats.qmc.Sobol",
            make="from scipy.stats import qmc; x = qmc.Sobol(d=2, scramble=True, rng=3)",
            use="repr(type(x)); x.d; x.num_generated",
            changes=("x.random(2)", "x.fast_forward(2)", "x.reset()"),
            picture="x.num_generated, x.d, x._quasi.tolist(), x.rng.bit_generator.state",
        ),
    ),
)
