"""How objects of other libraries are looked at: models, sparse matrices, figures, pictures."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from typing import Any

from .pieces import bytes_of, digest_of, type_name
from .python_kinds import visit_opaque
from .walk import BY_NAME, Walk


def visit_estimator(walk: Walk, obj: Any, path: str) -> str:
    return digest_of(walk.instance(obj, path), _predictions(obj))


def visit_tree(walk: Walk, obj: Any, path: str) -> str:
    """Return the digest of a tree of neighbours, without its counters of what it was asked."""
    state = [part for at, part in enumerate(obj.__getstate__()) if at not in _COUNTERS]
    return walk.digest_parts("tree", path, ((f"~/{at}", part) for at, part in enumerate(state)))


def visit_sparse(walk: Walk, obj: Any, path: str) -> str:
    keys = ("_shape", "data", "indices", "indptr", "coords", "row", "col", "rows", "offsets", "_dict")
    own = vars(obj)
    return walk.digest_parts(f"{obj.dtype!r} {obj.shape}", path, ((f".{k}", own[k]) for k in keys if k in own))


def visit_artist(walk: Walk, obj: Any, path: str) -> str:
    head = [type_name(type(obj)), repr(obj.get_zorder()), repr(obj.get_visible()), repr(obj.get_label())]
    parts: list[tuple[str, object]] = [(f".child{i}", child) for i, child in enumerate(obj.get_children())]
    own = vars(obj)
    keys = ("_text", "_x", "_y", "_xorig", "_yorig", "_A", "_offsets", "_linewidth", "_color", "_alpha")
    parts += [(f".{key}", own[key]) for key in keys if key in own]
    if hasattr(obj, "get_size_inches"):
        head += [repr(obj.get_size_inches().tolist()), repr(obj.get_dpi())]
    return walk.digest_parts(" ".join(head), path, parts)


def visit_color_map(walk: Walk, obj: Any, path: str) -> str:
    import numpy as np

    return digest_of(obj.name, str(obj.N), bytes_of(np.asarray(obj(np.linspace(-0.1, 1.1, 23)))))


def visit_norm(walk: Walk, obj: Any, path: str) -> str:
    own = {k: v for k, v in vars(obj).items() if k not in ("callbacks", "_scale", "_trf")}
    return walk.digest_parts("norm", path, ((f".{k}", own[k]) for k in sorted(own)))


def visit_color_bar(walk: Walk, obj: Any, path: str) -> str:
    keys = ("norm", "mappable", "ax", "vmin", "vmax", "orientation", "extend")
    return walk.digest_parts("colorbar", path, ((f".{k}", getattr(obj, k)) for k in keys))


def visit_picture(walk: Walk, obj: Any, path: str) -> str:
    palette = obj.palette.tobytes() if obj.palette is not None else b""
    facts = repr((obj.mode, obj.size, sorted(obj.info.items(), key=str)))
    return digest_of(facts, palette.hex(), hashlib.blake2b(obj.tobytes()).hexdigest())


def _predictions(model: Any) -> str:
    """Return what a fitted model says about fixed rows."""
    import numpy as np

    count = getattr(model, "n_features_in_", None)
    if not isinstance(count, int):
        texts = getattr(model, "vocabulary_", None)
        return _call(lambda: model.transform([" ".join(sorted(texts)[:20])]).toarray()) if texts else "not fitted"
    rows = np.linspace(0.1, 3.0, 7 * count).reshape(7, count)
    names = getattr(model, "feature_names_in_", None)
    if names is not None and "pandas" in sys.modules:
        rows = sys.modules["pandas"].DataFrame(rows, columns=names)
    found = []
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        act = getattr(model, method, None)
        if act is not None:
            found.append(_call(lambda act=act: act(rows)))  # type: ignore[misc]
    return " ".join(found)


def _call(act: Callable[[], Any]) -> str:
    try:
        return Walk({}).visit(act(), "")
    except Exception as error:
        return type(error).__name__


_COUNTERS = (7, 8, 9, 10)  # places in the state of a tree of neighbours

BY_NAME.update(
    {
        "sklearn.base.BaseEstimator": visit_estimator,
        **{
            f"sklearn.neighbors._{kind}.BinaryTree{bits}": visit_tree
            for kind in ("kd_tree", "ball_tree")
            for bits in (32, 64)
        },
        "scipy.sparse._base._spbase": visit_sparse,
        "matplotlib.artist.Artist": visit_artist,
        "matplotlib.cbook.CallbackRegistry": visit_opaque,
        "matplotlib.transforms.TransformNode": visit_opaque,
        "matplotlib.colors.Colormap": visit_color_map,
        "matplotlib.colors.Normalize": visit_norm,
        "matplotlib.colorbar.Colorbar": visit_color_bar,
        "PIL.Image.Image": visit_picture,
        "patsy.eval.EvalEnvironment": visit_opaque,  # the frame that a formula was written in
        "sqlite3.Connection": visit_opaque,
        "sqlite3.Cursor": visit_opaque,
        "_sqlite3.Connection": visit_opaque,
        "threading.Thread": visit_opaque,
    }
)
