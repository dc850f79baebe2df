"""lightgbm: boosters and the scikit-learn classes around them; a dataset is memory of the library."""

from case import Case, Library

LIBRARY = Library(
    package="lightgbm",
    imports="""
import warnings; warnings.filterwarnings('ignore')
import numpy as np
import lightgbm as lgb
rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3)); y = (X[:, 0] + X[:, 1] > 0).astype(int)
P = {'objective': 'binary', 'num_leaves': 4, 'verbose': -1, 'num_threads': 1, 'seed': 0, 'deterministic': True}
""".strip(),
    cases=(
        Case(
            name="lightgbm.Booster",
            make="x = lgb.train(P, lgb.Dataset(X, y), 3)",
            use="x.predict(X); x.feature_importance(); x.num_trees(); x.model_to_string(); x.dump_model(); repr(type(x))",
            changes=(
                "x.set_leaf_output(0, 0, 5.0)",
                "x.params['note'] = 'mine'",
                "x.set_leaf_output(1, 1, -5.0)",
            ),
            picture="x.predict(X).round(5).tolist(), x.num_trees(), x.params",
        ),
        Case(
            name="lightgbm.Booster (in training)",
            make="x = lgb.Booster(P, lgb.Dataset(X, y))",
            use="x.num_trees(); x.current_iteration(); x.num_feature()",
            changes=("_ = x.update()", "_ = x.update()", "_ = x.rollback_one_iter()"),
            picture="x.num_trees(), x.predict(X).round(5).tolist() if x.num_trees() else None, x.current_iteration()",
        ),
        Case(
            name="lightgbm.LGBMClassifier",
            make="x = lgb.LGBMClassifier(n_estimators=3, num_leaves=4, n_jobs=1, verbose=-1, random_state=0).fit(X, y)",
            use="x.predict(X); x.predict_proba(X); x.score(X, y); x.feature_importances_; repr(x); x.booster_.num_trees()",
            changes=("x.set_params(num_leaves=5)", "_ = x.fit(X[::2], y[::2])", "x.note = 'mine'"),
            picture="x.num_leaves, x.predict_proba(X[:9]).round(5).tolist(), getattr(x, 'note', None), x.classes_.tolist()",
        ),
        Case(
            name="lightgbm.LGBMRegressor",
            make="x = lgb.LGBMRegressor(n_estimators=3, num_leaves=4, n_jobs=1, verbose=-1).fit(X, X[:, 2])",
            use="x.predict(X); x.score(X, X[:, 2]); repr(x); x.get_params()",
            changes=(
                "x.set_params(learning_rate=0.3)",
                "_ = x.fit(X[::2], X[::2, 2])",
                "x.booster_.set_leaf_output(0, 0, 3.0)",
            ),
            picture="x.learning_rate, x.predict(X[:9]).round(5).tolist()",
        ),
        Case(
            name="lightgbm.Dataset",
            make="x = lgb.Dataset(X, y, params={'verbose': -1}).construct()",
            use="x.num_data(); x.get_label()",
            changes=(),
            picture="x.num_data()",
            storable=False,
        ),
        Case(
            name="lightgbm.Dataset (not yet constructed)",
            make="x = lgb.Dataset(X.copy(), y.copy(), params={'verbose': -1}, free_raw_data=False)",
            use="x.get_params(); x.data.shape; x.label.mean()",
            changes=("x.data[0, 0] = 5", "x.params['max_bin'] = 15", "x.label = 1 - y"),
            picture="x.data.tolist(), list(x.label), x.params",
        ),
    ),
)
