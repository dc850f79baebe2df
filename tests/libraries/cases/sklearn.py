"""scikit-learn: estimators of each family, fitted and not, pipelines of them, and what they read."""

from case import Case, Library

PARAMS = "{k: repr(v) for k, v in sorted(x.get_params(deep=False).items())}"


def estimator(
    make: str, change: str, *, target: str = "y", use: str = "", picture: str = "x.predict(X[:9]).round(6)"
) -> Case:
    """A case of a fitted estimator: a parameter is set, it is fitted again with other data, a fitted array is changed."""
    name = make.partition("(")[0]
    return Case(
        name=f"sklearn {name}",
        make=f"x = {make}; _ = x.fit(X, {target})",
        use=f"x.predict(X); x.score(X, {target}); x.get_params(); repr(x); x._repr_html_(); clone(x); {use}",
        changes=(f"x.set_params({change})", f"_ = x.fit(X[::2], {target}[::2])", "x.note = 'by hand'"),
        picture=f"{PARAMS}, {picture}.tolist(), getattr(x, 'note', None), x.n_features_in_",
    )


def transformer(make: str, change: str, *, use: str = "", picture: str = "x.transform(X[:4]).round(6)") -> Case:
    """A case of a fitted transformer."""
    name = make.partition("(")[0]
    return Case(
        name=f"sklearn {name}",
        make=f"x = {make}; _ = x.fit(X)",
        use=f"x.transform(X); x.get_params(); repr(x); x._repr_html_(); clone(x); {use}",
        changes=(f"x.set_params({change})", "_ = x.fit(X[::2] * 1.5)", "x.note = 'by hand'"),
        picture=f"{PARAMS}, {picture}.tolist(), getattr(x, 'note', None)",
    )


PROBA = "x.predict_proba(X[:9]).round(6)"

LIBRARY = Library(
    package="scikit-learn",
    imports="""
import numpy as np
import pandas as pd
from sklearn.base import clone, BaseEstimator, TransformerMixin
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_iris, make_classification
from sklearn.decomposition import NMF, PCA, IncrementalPCA, LatentDirichletAllocation, TruncatedSVD
from sklearn.ensemble import (AdaBoostClassifier, BaggingClassifier, GradientBoostingRegressor,
    HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier, StackingClassifier, VotingClassifier)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.manifold import TSNE
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier, KDTree as SkTree, NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (FunctionTransformer, KBinsDiscretizer, LabelBinarizer, LabelEncoder, MinMaxScaler,
    OneHotEncoder, OrdinalEncoder, PolynomialFeatures, QuantileTransformer, StandardScaler)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, export_text
import warnings; warnings.filterwarnings('ignore')
X, y = make_classification(60, 5, n_informative=3, random_state=0)
t = X @ np.arange(5.0) + np.random.default_rng(1).normal(size=60)
texts = ['the cat sat', 'the dog ran', 'a cat and a dog', 'birds fly']
""".strip(),
    cases=(
        estimator("LinearRegression()", "positive=True", target="t"),
        estimator("Ridge(alpha=1.0)", "alpha=2.0", target="t"),
        estimator("Lasso(alpha=0.1)", "alpha=0.2", target="t", use="x.sparse_coef_"),
        estimator("LogisticRegression()", "C=0.5", picture=PROBA),
        estimator("SGDClassifier(random_state=0)", "alpha=0.01", picture="x.decision_function(X[:9]).round(6)"),
        Case(
            name="sklearn SGDClassifier (partial_fit)",
            make="x = SGDClassifier(random_state=0); _ = x.partial_fit(X[:20], y[:20], classes=[0, 1])",
            use="x.predict(X); x.coef_; repr(x); x.decision_function(X)",
            changes=("_ = x.partial_fit(X[20:30], y[20:30])", "x.coef_[0, 0] = 5", "_ = x.partial_fit(X[30:], y[30:])"),
            picture="x.coef_.round(9).tolist(), x.intercept_.tolist(), x.t_",
        ),
        estimator(
            "RandomForestClassifier(5, random_state=0)", "n_estimators=6", picture=PROBA, use="x.feature_importances_"
        ),
        Case(
            name="sklearn RandomForestClassifier (random_state of its own, warm start)",
            make="rs = np.random.RandomState(4); x = RandomForestClassifier(3, random_state=rs, warm_start=True).fit(X, y)",
            use="x.predict(X); x.estimators_[0].tree_.node_count; len(x); repr(x); x.decision_path(X[:2])",
            changes=("_ = x.set_params(n_estimators=5).fit(X, y)", "del x.estimators_[-1]", "rs.rand()"),
            picture="len(x.estimators_), x.predict_proba(X[:9]).round(6).tolist(), x.random_state is rs,"
            " rs.get_state()[1][:4].tolist(), rs.get_state()[2]",
        ),
        estimator("GradientBoostingRegressor(n_estimators=5, random_state=0)", "n_estimators=7", target="t"),
        estimator("HistGradientBoostingClassifier(max_iter=5)", "max_iter=7", picture=PROBA),
        estimator("AdaBoostClassifier(n_estimators=3, random_state=0)", "n_estimators=4", picture=PROBA),
        estimator("BaggingClassifier(n_estimators=3, random_state=0)", "n_estimators=4", picture=PROBA),
        Case(
            name="sklearn IsolationForest",
            make="x = IsolationForest(n_estimators=5, random_state=0).fit(X)",
            use="x.predict(X); x.score_samples(X); x.decision_function(X); repr(x)",
            changes=("x.set_params(max_samples=20)", "_ = x.fit(X[::2])", "x.offset_ = -0.7"),
            picture="x.max_samples, x.score_samples(X[:9]).round(6).tolist(), x.predict(X).tolist(), x.offset_",
        ),
        estimator("SVC(probability=False)", "C=2.0", picture="x.decision_function(X[:9]).round(6)", use="x.n_support_"),
        estimator("SVR()", "C=2.0", target="t"),
        estimator("LinearSVC(random_state=0)", "C=2.0", picture="x.decision_function(X[:9]).round(6)"),
        estimator("KNeighborsClassifier()", "n_neighbors=3", picture=PROBA, use="x.kneighbors(X[:2])"),
        Case(
            name="sklearn NearestNeighbors (tree)",
            make="x = NearestNeighbors(n_neighbors=2, algorithm='ball_tree').fit(X.copy())",
            use="x.kneighbors(X[:3]); x.radius_neighbors(X[:2], 1.0); x.kneighbors_graph(X[:4]); repr(x)",
            changes=("_ = x.fit(X[:20])", "x.n_neighbors = 3", "_ = x.set_params(algorithm='kd_tree').fit(X[:25])"),
            picture="[v.round(6).tolist() for v in x.kneighbors(X[20:24])], x.algorithm, type(x._tree).__name__",
        ),
        Case(
            name="sklearn KDTree",
            make="x = SkTree(X.copy(), leaf_size=5)",
            use="x.query(X[:2], k=2); x.data; x.kernel_density(X[:2], 0.5); x.two_point_correlation(X, [0.5])",
            changes=("x = SkTree(X[:20], leaf_size=5)", "x = SkTree(X * 2)", "x = SkTree(X * 2, metric='manhattan')"),
            picture="[v.round(6).tolist() for v in x.query(X[:2], k=2)], np.asarray(x.data).shape",
        ),
        Case(
            name="sklearn KernelDensity",
            make="x = KernelDensity(bandwidth=0.5).fit(X)",
            use="x.score_samples(X[:3]); x.score(X); repr(x); x.sample(2, random_state=0)",
            changes=("_ = x.fit(X[::2])", "x.bandwidth_ = 0.9", "x.set_params(kernel='tophat', bandwidth=9)"),
            picture="x.score_samples(X[:5]).round(6).tolist(), x.bandwidth_, x.bandwidth, x.kernel",
        ),
        estimator("KMeans(2, n_init=1, random_state=0)", "n_clusters=3", picture="x.transform(X[:9]).round(6)"),
        estimator(
            "MiniBatchKMeans(2, n_init=1, random_state=0)", "n_clusters=3", picture="x.transform(X[:9]).round(6)"
        ),
        Case(
            name="sklearn DBSCAN",
            make="x = DBSCAN(eps=1.5).fit(X)",
            use="x.labels_; x.core_sample_indices_; repr(x); x.get_params()",
            changes=("x.eps = 2.0", "_ = x.fit(X)", "x.labels_[0] = 77"),
            picture="x.eps, x.labels_.tolist()",
        ),
        Case(
            name="sklearn AgglomerativeClustering",
            make="x = AgglomerativeClustering(2).fit(X)",
            use="x.labels_; x.children_; repr(x)",
            changes=("x.n_clusters = 3", "_ = x.fit(X)", "x.labels_[0] = 77"),
            picture="x.n_clusters, x.labels_.tolist()",
        ),
        transformer("PCA(2)", "n_components=3", use="x.explained_variance_ratio_; x.get_covariance()"),
        transformer("IncrementalPCA(2)", "n_components=3", use="x.explained_variance_ratio_"),
        transformer("TruncatedSVD(2, random_state=0)", "n_components=3"),
        Case(
            name="sklearn TSNE",
            make="x = TSNE(2, perplexity=5, max_iter=250, random_state=0, init='random'); e = x.fit_transform(X[:20])",
            use="x.embedding_.mean(); x.kl_divergence_; repr(x); e.shape",
            changes=("x.perplexity = 4", "_ = x.fit_transform(X[:15])", "x.embedding_[0, 0] = 9"),
            picture="x.perplexity, x.embedding_.round(3).tolist(), round(float(x.kl_divergence_), 4)",
        ),
        Case(
            name="sklearn NMF",
            make="x = NMF(2, init='nndsvda', max_iter=20).fit(abs(X))",
            use="x.transform(abs(X)); x.components_; repr(x)",
            changes=("x.set_params(max_iter=30)", "_ = x.fit(abs(X[::2]))", "x.components_[0, 0] = 3"),
            picture="x.max_iter, x.components_.round(6).tolist(), x.transform(abs(X[:3])).round(6).tolist()",
        ),
        Case(
            name="sklearn LatentDirichletAllocation",
            make="counts = CountVectorizer().fit_transform(texts);"
            " x = LatentDirichletAllocation(2, max_iter=3, random_state=0).fit(counts)",
            use="x.transform(counts); x.perplexity(counts); x.components_; repr(x)",
            changes=("x.set_params(max_iter=4)", "_ = x.fit(counts[:3])", "_ = x.partial_fit(counts)"),
            picture="x.max_iter, x.components_.round(6).tolist(), x.transform(counts).round(6).tolist()",
        ),
        transformer("StandardScaler()", "with_mean=False"),
        transformer("MinMaxScaler()", "clip=True"),
        Case(
            name="sklearn PolynomialFeatures",
            make="x = PolynomialFeatures(2).fit(X)",
            use="x.transform(X[:, : x.n_features_in_]); x.get_feature_names_out(); x.powers_; repr(x)",
            changes=("x.set_params(degree=3)", "_ = x.fit(X[:, :2])", "x.set_params(interaction_only=True)"),
            picture="x.degree, x.interaction_only, x.n_features_in_, x.n_output_features_",
        ),
        transformer("QuantileTransformer(n_quantiles=10)", "output_distribution='normal'"),
        transformer("KBinsDiscretizer(3, encode='ordinal')", "n_bins=4"),
        transformer(
            "KNNImputer(n_neighbors=2)", "n_neighbors=3", picture="x.transform(X[:4] * [np.nan, 1, 1, 1, 1]).round(6)"
        ),
        transformer("SimpleImputer()", "strategy='median'", picture="x.statistics_.round(6)"),
        Case(
            name="sklearn OneHotEncoder",
            make="x = OneHotEncoder(handle_unknown='ignore').fit([['a', 1], ['b', 2]])",
            use="x.transform([['a', 1]]); x.get_feature_names_out(); x.categories_; repr(x)",
            changes=(
                "x.set_params(sparse_output=False)",
                "_ = x.fit([['c', 1], ['b', 3]])",
                "x.categories_[0][0] = 'q'",
            ),
            picture="x.sparse_output, [c.tolist() for c in x.categories_], np.asarray(x.transform([['b', 1]]).tolist()"
            " if not x.sparse_output else x.transform([['b', 1]]).toarray().tolist()).tolist()",
        ),
        Case(
            name="sklearn OrdinalEncoder",
            make="x = OrdinalEncoder().fit([['a'], ['b']])",
            use="x.transform(x.categories_[0][:1, None]); x.categories_; repr(x)",
            changes=(
                "_ = x.fit([['b'], ['c'], ['d']])",
                "x.set_params(dtype=np.float32)",
                "x.categories_[0][0] = 'aa'",
            ),
            picture="[c.tolist() for c in x.categories_], repr(x.dtype)",
        ),
        Case(
            name="sklearn LabelEncoder",
            make="x = LabelEncoder().fit(['b', 'a', 'c'])",
            use="x.transform(x.classes_[:1]); x.inverse_transform([0]); x.classes_; repr(x)",
            changes=("_ = x.fit(['p', 'q'])", "x.classes_[0] = 'o'", "_ = x.fit([1, 2, 3])"),
            picture="x.classes_.tolist(), x.inverse_transform([1, 0]).tolist()",
        ),
        Case(
            name="sklearn LabelBinarizer",
            make="x = LabelBinarizer().fit(['b', 'a', 'c'])",
            use="x.transform(x.classes_); x.classes_; repr(x)",
            changes=("_ = x.fit(['p', 'q'])", "x.set_params(pos_label=2)", "_ = x.fit([1, 2, 3])"),
            picture="x.classes_.tolist(), x.pos_label, x.transform(x.classes_).tolist()",
        ),
        Case(
            name="sklearn CountVectorizer",
            make="x = CountVectorizer().fit(texts)",
            use="x.transform(texts); x.get_feature_names_out(); x.vocabulary_; repr(x); x.build_analyzer()('a b')",
            changes=("x.set_params(ngram_range=(1, 2))", "_ = x.fit(texts[:2])", "x.set_params(stop_words=['the'])"),
            picture="sorted(x.vocabulary_.items()), x.ngram_range, x.stop_words, x.transform(texts).toarray().tolist()",
        ),
        Case(
            name="sklearn TfidfVectorizer",
            make="x = TfidfVectorizer().fit(texts)",
            use="x.transform(texts); x.get_feature_names_out(); x.idf_; repr(x)",
            changes=("x.set_params(sublinear_tf=True)", "_ = x.fit(texts[:3])", "x.set_params(norm=None)"),
            picture="sorted(x.vocabulary_.items()), x.norm, x.sublinear_tf, x.transform(texts).toarray().round(6).tolist()",
        ),
        Case(
            name="sklearn TfidfVectorizer (tokenizer of the notebook)",
            make="x = TfidfVectorizer(tokenizer=lambda s: s.split(), token_pattern=None).fit(texts)",
            use="x.transform(texts); x.get_feature_names_out(); x.idf_",
            changes=("x.tokenizer = lambda s: list(s)", "_ = x.fit(texts)", "x.preprocessor = str.upper"),
            picture="sorted(x.vocabulary_.items()), x.transform(texts).toarray().round(6).tolist()",
        ),
        Case(
            name="sklearn HashingVectorizer",
            make="x = HashingVectorizer(n_features=8)",
            use="x.transform(texts); repr(x)",
            changes=("x.n_features = 16", "x.set_params(alternate_sign=False)", "x.norm = 'l1'"),
            picture="x.get_params()['n_features'], x.norm, x.transform(texts).toarray().round(6).tolist()",
        ),
        Case(
            name="sklearn SelectKBest",
            make="x = SelectKBest(k=2).fit(X, y)",
            use="x.transform(X); x.scores_; x.get_support(); repr(x)",
            changes=("x.set_params(k=3)", "_ = x.fit(X[::2], y[::2])", "x.scores_[0] = 999"),
            picture="x.k, x.scores_.round(6).tolist(), x.get_support().tolist(), x.score_func.__name__",
        ),
        Case(
            name="sklearn FunctionTransformer",
            make="k = 2; x = FunctionTransformer(lambda v: v * k)",
            use="x.transform(X); repr(x); x.get_params()",
            changes=("x.func = lambda v: v + k", "x.set_params(kw_args={})", "x.inverse_func = lambda v: v"),
            picture="x.transform(X[:2]).round(6).tolist(), x.kw_args, x.inverse_func is None",
        ),
        Case(
            name="sklearn Pipeline",
            make="x = Pipeline([('scale', StandardScaler()), ('model', LogisticRegression())]).fit(X, y)",
            use="x.predict(X); x.score(X, y); x['model'].coef_; x[:-1].transform(X); len(x); repr(x); x._repr_html_();"
            " x.get_params(); clone(x); x.named_steps['scale'].mean_",
            changes=(
                "x.set_params(model__C=0.3)",
                "_ = x.fit(X[::2], y[::2])",
                "x['scale'].mean_[0] = 3",
                "x.steps.insert(0, ('first', 'passthrough'))",
            ),
            picture="[s[0] for s in x.steps], x['model'].C, x.predict_proba(X[:5]).round(6).tolist()",
        ),
        Case(
            name="sklearn ColumnTransformer",
            make="""
df = pd.DataFrame({'n': [1.0, 2.0, 3.0], 'c': ['a', 'b', 'a']})
x = ColumnTransformer([('num', StandardScaler(), ['n']), ('cat', OneHotEncoder(), ['c'])]).fit(df)
""",
            use="x.transform(df); x.get_feature_names_out(); x.named_transformers_['num'].mean_; repr(x); x._repr_html_()",
            changes=(
                "x.set_params(num__with_mean=False)",
                "_ = x.fit(df.iloc[:2])",
                "x.set_params(remainder='passthrough')",
            ),
            picture="x.transform(df.iloc[:2]).round(6).tolist(), x.remainder, repr(x.get_params()['num'])",
        ),
        Case(
            name="sklearn FeatureUnion",
            make="x = FeatureUnion([('pca', PCA(1)), ('best', SelectKBest(k=1))]).fit(X, y)",
            use="x.transform(X); repr(x); x.get_feature_names_out(); x['pca'].mean_",
            changes=("x.set_params(best__k=2)", "_ = x.fit(X[::2], y[::2])", "x.transformer_weights = {'pca': 2.0}"),
            picture="x.transform(X[:3]).round(6).tolist(), x.transformer_weights",
        ),
        Case(
            name="sklearn GridSearchCV",
            make="x = GridSearchCV(Ridge(), {'alpha': [0.1, 1.0]}, cv=2, error_score='raise').fit(X, t)",
            use="x.predict(X); x.best_params_; pd.DataFrame(x.cv_results_); x.score(X, t); repr(x); x._repr_html_()",
            changes=(
                "x.param_grid['alpha'].append(10.0)",
                "_ = x.fit(X[::2], t[::2])",
                "x.set_params(estimator__alpha=5)",
            ),
            picture="x.param_grid, x.best_params_, x.predict(X[:4]).round(6).tolist(), x.estimator.alpha,"
            " x.cv_results_['mean_test_score'].round(6).tolist()",
        ),
        Case(
            name="sklearn RandomizedSearchCV (scipy distribution)",
            make="from scipy import stats; x = RandomizedSearchCV(Ridge(), {'alpha': stats.uniform(0, 1)}, n_iter=2, cv=2,"
            " random_state=0).fit(X, t)",
            use="x.predict(X); x.best_params_; repr(type(x))",
            changes=("x.n_iter = 3", "_ = x.fit(X[::2], t[::2])", "x.best_estimator_.coef_[0] = 1"),
            picture="x.n_iter, x.best_params_, x.predict(X[:4]).round(6).tolist()",
        ),
        estimator(
            "MLPClassifier((4,), max_iter=5, random_state=0)", "alpha=0.1", picture=PROBA, use="x.coefs_; x.loss_curve_"
        ),
        Case(
            name="sklearn MLPClassifier (partial_fit)",
            make="x = MLPClassifier((4,), random_state=0); _ = x.partial_fit(X, y, classes=[0, 1])",
            use="x.predict(X); x.loss_; repr(x)",
            changes=("_ = x.partial_fit(X, y)", "x.coefs_[0][0, 0] = 1", "_ = x.partial_fit(X[:30], y[:30])"),
            picture="x.predict_proba(X[:4]).round(9).tolist(), x.t_, [c.sum().round(9).tolist() for c in x.coefs_]",
        ),
        estimator("GaussianMixture(2, random_state=0)", "reg_covar=0.01", picture=PROBA, use="x.bic(X); x.means_"),
        estimator("GaussianNB()", "var_smoothing=0.1", picture=PROBA, use="x.theta_"),
        estimator(
            "GaussianProcessRegressor(RBF() + WhiteKernel(), optimizer=None)",
            "alpha=0.1",
            target="t",
            use="x.log_marginal_likelihood(); x.kernel_.theta; x.predict(X[:2], return_std=True)",
        ),
        estimator(
            "DecisionTreeClassifier(max_depth=2, random_state=0)",
            "max_depth=3",
            picture=PROBA,
            use="export_text(x); x.tree_.node_count; x.feature_importances_",
        ),
        Case(
            name="sklearn.tree Tree",
            make="x = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y).tree_",
            use="x.node_count; x.predict(X.astype('f4')); x.feature; x.threshold; x.children_left",
            changes=(
                "x.value[0] = 0.25",
                "x.threshold[0] = 9.0",
                "x = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y).tree_",
            ),
            picture="x.node_count, x.value.round(6).tolist(), x.predict(X[:5].astype('f4')).round(6).tolist(),"
            " x.threshold.round(6).tolist()",
        ),
        estimator(
            "VotingClassifier([('a', GaussianNB()), ('b', LogisticRegression())], voting='soft')",
            "weights=[1, 2]",
            picture=PROBA,
            use="x.named_estimators_['a'].theta_",
        ),
        Case(
            name="sklearn StackingClassifier",
            make="x = StackingClassifier([('a', GaussianNB()), ('b', LogisticRegression())], cv=2).fit(X, y)",
            use="x.predict(X); x.score(X, y); repr(x)",
            changes=("x.cv = 3", "_ = x.fit(X[::2], y[::2])", "x.final_estimator_.coef_[0, 0] = 3"),
            picture="x.cv, x.predict_proba(X[:5]).round(6).tolist()",
        ),
        Case(
            name="sklearn TransformedTargetRegressor",
            make="x = TransformedTargetRegressor(Ridge(), func=np.sinh, inverse_func=np.arcsinh).fit(X, t / 10)",
            use="x.predict(X); x.regressor_.coef_; repr(x)",
            changes=("_ = x.fit(X[::2], t[::2] / 10)", "x.regressor_.coef_[0] = 2", "x.set_params(regressor__alpha=4)"),
            picture="x.predict(X[:4]).round(6).tolist(), x.regressor.alpha, x.func.__name__",
        ),
        Case(
            name="sklearn IsotonicRegression",
            make="x = IsotonicRegression(out_of_bounds='clip').fit([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])",
            use="x.predict([1.5]); x.X_thresholds_; repr(x)",
            changes=(
                "_ = x.fit([1.0, 2.0, 3.0], [0.0, 3.0, 4.0])",
                "x.set_params(increasing=False)",
                "_ = x.fit([1.0, 2.0, 4.0], [5.0, 3.0, 4.0])",
            ),
            picture="x.predict([1.5, 2.5]).tolist(), x.increasing, x.y_thresholds_.tolist(), x.f_.y.tolist()",
        ),
        Case(
            name="sklearn Bunch (load_iris)",
            make="x = load_iris()",
            use="x.data.mean(); x.target_names; x['feature_names']; x.keys(); len(x.DESCR)",
            changes=("x.data[0, 0] = 50", "x.note = 'mine'", "del x['filename']"),
            picture="sorted(x), x.data[:3].tolist(), x.target.sum().tolist(), x.get('note'), len(x.DESCR),"
            " x.target_names.tolist()",
        ),
        Case(
            name="sklearn KFold",
            make="x = KFold(3, shuffle=True, random_state=np.random.RandomState(0))",
            use="x.get_n_splits(X); repr(type(x))",
            changes=("x.n_splits = 4", "_ = list(x.split(X))", "x = KFold(2)"),
            picture="x.n_splits, x.shuffle, x.random_state and [v.tolist() if hasattr(v, 'tolist') else v for v in"
            " x.random_state.get_state()]",
        ),
        Case(
            name="sklearn kernel (gaussian_process)",
            make="x = RBF(1.0) + WhiteKernel(0.1)",
            use="x(X[:3]); x.theta; x.bounds; x.hyperparameters; repr(x); x == x",
            changes=("x.k1.length_scale = 2.0", "x.theta = np.log([3.0, 0.5])", "x = 2.0 * x"),
            picture="repr(x), x.theta.round(6).tolist(), x(X[:2]).round(6).tolist()",
        ),
        Case(
            name="sklearn estimator of the notebook",
            make="""
class Shift(TransformerMixin, BaseEstimator):
    def __init__(self, by=1):
        self.by = by
    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self
    def transform(self, X):
        return X - self.mean_ + self.by
x = make_pipeline(Shift(), Ridge()).fit(X, t)
""",
            use="x.predict(X); x.score(X, t); repr(x); x._repr_html_(); clone(x)",
            changes=("x[0].by = 2", "_ = x.fit(X[::2], t[::2])", "x.set_params(ridge__alpha=3)"),
            picture="x.predict(X[:4]).round(6).tolist(), x[0].by, x[1].alpha, isinstance(x[0], Shift)",
        ),
    ),
)
