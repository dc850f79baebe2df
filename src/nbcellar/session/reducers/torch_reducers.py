"""torch: tensors on the processor as memory, so that views, tied weights and arrays of numpy share it again.

torch's own pickling writes a storage by its address, forgets gradients and takes a tensor out of its graph. Invariant:
what cannot come back (a tensor that was computed and remembers how) is refused. Not for: other devices, sparse or
quantized tensors, subclasses; torch pickles these itself. The loading side is `tensors.py`.
"""

from __future__ import annotations

import copyreg
import sys
from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import tensors
from nbcellar.session.encode import Encoder
from nbcellar.session.reducers.registry import register


def reduce_tensor(tensor: Any, encoder: Encoder) -> Any:
    """Reduce a tensor or parameter to its storage as bytes, and where in it the elements lie."""
    torch = sys.modules["torch"]
    if tensor.grad_fn is not None:
        raise CannotStoreError(
            "a tensor that remembers how it was computed (grad_fn); tensor.detach() gives one that can be stored"
        )
    plain = tensor.device.type == "cpu" and tensor.layout is torch.strided and not tensor.is_quantized
    if not plain or tensor._backward_hooks:
        return NotImplemented
    storage = tensor.untyped_storage()
    if storage.nbytes() % tensor.element_size():
        return NotImplemented
    memory = torch.empty(0, dtype=torch.uint8).set_(storage).numpy()
    encoder.keep((memory, storage))
    form = (
        str(tensor.dtype).removeprefix("torch."),
        tensor.storage_offset(),
        tuple(tensor.size()),
        tuple(tensor.stride()),
        tensor.requires_grad,
        tensor.is_conj(),
        tensor.is_neg(),
    )
    state = {"grad": tensor.grad, "attributes": vars(tensor) or None}
    make = tensors.make_parameter if type(tensor) is torch.nn.Parameter else tensors.make_tensor
    return make, (memory, *form), state, None, None, tensors.set_tensor


def reduce_handle(handle: Any, encoder: Encoder) -> Any:
    """Reduce what takes a hook away again: of a module that is gone, torch would not load it."""
    hooks, ident, *extra = handle.__getstate__()
    others = tuple(one for one in extra[0] if one is not None) if extra and extra[0] is not None else ()
    return copyreg.__newobj__, (type(handle),), (hooks, ident, others)  # type: ignore[attr-defined]


register("torch.utils.hooks.RemovableHandle", reduce_handle)
register("torch.Tensor", reduce_tensor)
register("torch.nn.parameter.Parameter", reduce_tensor)
