"""The loading side of `torch_reducers`: what its streams call. torch is imported when a tensor is loaded."""

from __future__ import annotations

from typing import Any


def make_tensor(
    memory: Any,
    dtype: str,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    conjugated: bool,
    negated: bool,
) -> Any:
    """Return a tensor that shows `memory`, bytes as an array of numpy; offset and strides are in elements."""
    import torch

    kind = getattr(torch, dtype)
    if memory.size:
        whole = torch.from_numpy(memory).view(kind)
        made = whole.as_strided(size, stride, offset)
    else:
        made = torch.empty(0, dtype=kind).as_strided(size, stride)
    if conjugated:
        made = torch._conj(made)
    if negated:
        made = torch._neg_view(made)
    return made.requires_grad_(requires_grad) if requires_grad else made


def make_parameter(*form: Any) -> Any:
    """Return a parameter of a module; `form` as `make_tensor` takes it."""
    import torch

    made = make_tensor(*form)
    return torch.nn.Parameter(made.detach(), made.requires_grad)


def set_tensor(tensor: Any, state: dict[str, Any]) -> None:
    """Give a tensor its gradient and what a user has set on it."""
    if state["grad"] is not None:
        tensor.grad = state["grad"]
    if state["attributes"]:
        tensor.__dict__.update(state["attributes"])


__all__ = ["make_parameter", "make_tensor", "set_tensor"]
