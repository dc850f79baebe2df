"""torch: tensors share storages; a model, its optimizer and its schedule share parameters."""

from case import Case, Library

_NET = "torch.manual_seed(0); model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))"
_LOSS = "model(torch.ones(2, 3)).pow(2).sum().backward()"
_WEIGHTS = "[p.detach().numpy().round(5).tolist() for p in model.parameters()]"
_GRADS = "[None if p.grad is None else p.grad.numpy().round(5).tolist() for p in model.parameters()]"
_STATE = (
    "[[(k, v.tolist() if torch.is_tensor(v) else v) for k, v in sorted(s.items())] "
    "for s in x.state_dict()['state'].values()]"
)

LIBRARY = Library(
    package="torch",
    imports="import torch\nfrom torch import nn\nfrom torch.utils.data import DataLoader, TensorDataset",
    cases=(
        Case(
            name="torch.Tensor",
            make="x = torch.arange(6.0).reshape(2, 3)",
            use="x.sum(); x @ x.T; x.numpy(); repr(x); x[0]",
            changes=("x[0, 0] = 7", "x.mul_(2)", "x.resize_(3, 2)"),
            picture="x.tolist(), x.dtype, x.shape, x.stride(), x.is_contiguous()",
        ),
        Case(
            name="torch.Tensor (requires grad)",
            make="x = torch.tensor([1.0, 2.0], requires_grad=True)",
            use="with torch.no_grad():\n    (x * 3).sum()\nx.detach().numpy()",
            changes=("(x ** 2).sum().backward()", "with torch.no_grad():\n    x += 1", "x.requires_grad_(False)"),
            picture="x.tolist(), x.requires_grad, x.is_leaf, None if x.grad is None else x.grad.tolist()",
        ),
        Case(
            name="torch.Tensor (a view)",
            make="base = torch.zeros(4, 4); x = base[1:3, ::2]",
            use="x.sum(); base.max(); x.contiguous()",
            changes=("x[0, 0] = 5", "base[2, 2] = 9", "base.fill_(1); x.t_()"),
            picture=(
                "x.tolist(), base.tolist(), x.stride(), x.storage_offset(), "
                "x.untyped_storage().data_ptr() == base.untyped_storage().data_ptr()"
            ),
        ),
        Case(
            name="torch.Tensor (memory of a numpy array)",
            make="import numpy as np\na = np.zeros(3); x = torch.from_numpy(a)",
            use="x.sum(); a.sum()",
            changes=("x[0] = 1", "a[1] = 2", "x.add_(10)"),
            picture="x.tolist(), a.tolist(), x.data_ptr() == a.ctypes.data",
        ),
        Case(
            name="torch.Tensor (result of a computation, with graph)",
            make="a = torch.ones(2, requires_grad=True); x = a * 2",
            use="x.sum().item(); repr(x)",
            changes=("x = x + 1", "x = x.exp()", "a = a * 3; x = a.sum()"),
            picture="x.tolist(), x.requires_grad, a.tolist()",
            storable=False,
        ),
        Case(
            name="torch.nn.Parameter",
            make="x = nn.Parameter(torch.tensor([1.0, -1.0]))",
            use="with torch.no_grad():\n    x.abs().sum()\nrepr(x)",
            changes=("x.data.add_(1)", "(x * 2).sum().backward()", "x.grad.zero_(); x.requires_grad = False"),
            picture="type(x), x.tolist(), x.requires_grad, None if x.grad is None else x.grad.tolist()",
        ),
        Case(
            name="torch.nn.Linear",
            make="torch.manual_seed(1); x = nn.Linear(3, 2)",
            use="with torch.no_grad():\n    x(torch.ones(1, 3))\nrepr(x); list(x.named_parameters())",
            changes=("nn.init.ones_(x.weight)", "x.bias.data[0] = 5", "x.bias.requires_grad_(False); x.eval()"),
            picture=(
                "x.weight.tolist(), x.bias.tolist(), x.training, [p.requires_grad for p in x.parameters()], "
                "x(torch.ones(1, 3)).tolist()"
            ),
        ),
        Case(
            name="torch.nn.Sequential",
            make=_NET + "; x = model",
            use="with torch.no_grad():\n    x(torch.ones(2, 3))\nx.state_dict(); sum(p.numel() for p in x.parameters())",
            changes=("x[0].weight.data.mul_(2)", "x.append(nn.Tanh())", "x[2].register_forward_hook(print); x.eval()"),
            picture=(
                "x is model, repr(x), " + _WEIGHTS + ", x.training, len(x[2]._forward_hooks), x.train(x.training) is x"
            ),
        ),
        Case(
            name="torch.nn.Sequential (trained by hand)",
            make=_NET + "; x = model",
            use="x.eval(); x.train()\nwith torch.inference_mode():\n    x(torch.ones(2, 3))",
            changes=(
                _LOSS,
                "with torch.no_grad():\n    for p in x.parameters():\n        p -= 0.1 * p.grad",
                "x.zero_grad()",
            ),
            picture="x is model, " + _WEIGHTS + ", " + _GRADS,
        ),
        Case(
            name="torch.nn.BatchNorm1d",
            make="torch.manual_seed(0); x = nn.BatchNorm1d(2)",
            use="x.eval()\nwith torch.no_grad():\n    x(torch.ones(3, 2))\nx.train(); repr(x)",
            changes=("x(torch.tensor([[1.0, 2.0], [3.0, 5.0]]))", "x.momentum = 0.5", "x(torch.rand(4, 2)); x.eval()"),
            picture=(
                "x.running_mean.tolist(), x.running_var.tolist(), x.num_batches_tracked.item(), x.momentum, x.training"
            ),
        ),
        Case(
            name="torch.nn.LSTM",
            make="torch.manual_seed(0); x = nn.LSTM(2, 2)",
            use="with torch.no_grad():\n    x(torch.ones(3, 1, 2, dtype=x.weight_hh_l0.dtype))\nrepr(x)",
            changes=(
                "x.weight_ih_l0.data.zero_()",
                "nn.init.ones_(x.bias_hh_l0)",
                "x.flatten_parameters(); x.eval(); x.double()",
            ),
            picture=(
                "[p.detach().numpy().round(5).tolist() for p in x.parameters()], x.training, x.weight_hh_l0.dtype, "
                "x(torch.ones(1, 1, 2, dtype=x.weight_hh_l0.dtype))[0].detach().numpy().round(5).tolist()"
            ),
        ),
        Case(
            name="torch.nn.Module (a class of the notebook)",
            make=(
                "class Net(nn.Module):\n"
                "    def __init__(self):\n"
                "        super().__init__()\n"
                "        self.layer = nn.Linear(2, 1)\n"
                "        self.register_buffer('count', torch.zeros(()))\n"
                "    def forward(self, data):\n"
                "        return self.layer(data)\n"
                "torch.manual_seed(0); x = Net()"
            ),
            use="with torch.no_grad():\n    x(torch.ones(1, 2))\nrepr(x)",
            changes=("x.count += 1", "x.layer.bias.data.fill_(3)", "x.extra = nn.Linear(1, 1)"),
            picture="x(torch.ones(1, 2)).tolist(), x.count.item(), repr(x), type(x) is Net",
        ),
        Case(
            name="torch.nn.Module (hooks of the notebook)",
            make=(
                "seen = []\ndef note(module, inputs, output):\n    seen.append(float(output.sum()))\n"
                "torch.manual_seed(0); x = nn.Linear(2, 1); handle = x.register_forward_hook(note)"
            ),
            use="len(x._forward_hooks); repr(x); x.weight.shape",
            changes=(
                "x.weight.data.fill_(2); x(torch.ones(1, 2))",
                "handle.remove()",
                "x.register_forward_pre_hook(lambda module, inputs: None)",
            ),
            picture=(
                "[round(v, 5) for v in seen], len(x._forward_hooks), len(x._forward_pre_hooks), x.weight.tolist(), "
                "note in x._forward_hooks.values(), handle.hooks_dict_ref() is x._forward_hooks"
            ),
        ),
        Case(
            name="torch.nn.Linear (with a norm of its weight)",
            make="x = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))",
            use="x.weight.shape",
            changes=("x.bias.data.fill_(1)", "x.bias.data.fill_(2)", "x.bias.data.fill_(3)"),
            picture="x.bias.tolist()",
            storable=False,
        ),
        Case(
            name="torch.optim.SGD",
            make=_NET + "; x = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
            use="x.state_dict(); repr(x); x.param_groups[0]['lr']",
            changes=(_LOSS + "; x.step()", "x.param_groups[0]['lr'] = 0.01", "x.zero_grad(); " + _LOSS + "; x.step()"),
            picture=_WEIGHTS + ", " + _STATE + ", x.param_groups[0]['lr'], "
            "x.param_groups[0]['params'][0] is model[0].weight",
        ),
        Case(
            name="torch.optim.Adam",
            make=_NET + "; x = torch.optim.Adam(model.parameters())",
            use="x.state_dict(); repr(x)\nwith torch.no_grad():\n    model(torch.ones(1, 3))",
            changes=(_LOSS + "; x.step()", "x.zero_grad()", _LOSS + "; x.step(); x.param_groups[0]['lr'] = 0.5"),
            picture=_WEIGHTS + ", " + _GRADS + ", " + _STATE + ", x.param_groups[0]['lr'], "
            "[a is b for a, b in zip(x.param_groups[0]['params'], model.parameters())], "
            "[a is b for a, b in zip(x.state, model.parameters())]",
        ),
        Case(
            name="torch.optim.lr_scheduler.StepLR",
            make=_NET + "; a = torch.optim.SGD(model.parameters(), lr=1.0); x = torch.optim.lr_scheduler.StepLR(a, 2)",
            use="x.get_last_lr(); x.state_dict()",
            changes=("a.step(); x.step()", "x.gamma = 0.5", "a.step(); x.step()"),
            picture="x.get_last_lr(), x.last_epoch, x.gamma, a.param_groups[0]['lr'], x.optimizer is a",
        ),
        Case(
            name="torch.optim.lr_scheduler.LambdaLR",
            make=(
                _NET + "; a = torch.optim.Adam(model.parameters(), lr=1.0)\n"
                "x = torch.optim.lr_scheduler.LambdaLR(a, lambda epoch: 0.5 ** epoch)"
            ),
            use="x.get_last_lr(); repr(a)",
            changes=("a.step(); x.step()", "x.base_lrs[0] = 3.0", "a.step(); x.step()"),
            picture="x.get_last_lr(), x.base_lrs, x.last_epoch, a.param_groups[0]['lr'], x.optimizer is a",
        ),
        Case(
            name="torch.optim.lr_scheduler.ReduceLROnPlateau",
            make=(
                _NET + "; a = torch.optim.SGD(model.parameters(), lr=1.0)\n"
                "x = torch.optim.lr_scheduler.ReduceLROnPlateau(a, patience=0)"
            ),
            use="x.state_dict(); x.best",
            changes=("x.step(1.0)", "x.step(2.0)", "x.factor = 0.5; x.step(3.0)"),
            picture="x.best, x.num_bad_epochs, x.factor, a.param_groups[0]['lr'], x.optimizer is a",
        ),
        Case(
            name="torch.utils.data.TensorDataset",
            make="a = torch.arange(6.0).reshape(3, 2); x = TensorDataset(a, torch.tensor([0, 1, 0]))",
            use="len(x); x[0]; list(x)",
            changes=("x.tensors[0][1, 1] = 9", "a[0, 0] = 4", "x.tensors = (a[:2], x.tensors[1][:2])"),
            picture="[[t.tolist() for t in row] for row in x], a.tolist(), x.tensors[0].data_ptr() == a.data_ptr()",
        ),
        Case(
            name="torch.utils.data.DataLoader",
            make="x = DataLoader(TensorDataset(torch.arange(6.0)), batch_size=2)",
            use="for batch in x:\n    repr(batch)\nlen(x)",
            changes=("x.dataset.tensors[0][0] = 9", "x.dataset.tensors[0].mul_(2)", "x.collate_fn = len"),
            picture="list(map(str, x)), x.batch_size, len(x)",
        ),
        Case(
            name="torch.utils.data.DataLoader (shuffled)",
            make=(
                "a = torch.Generator().manual_seed(3)\n"
                "x = DataLoader(TensorDataset(torch.arange(6.0)), batch_size=2, shuffle=True, generator=a)"
            ),
            use="len(x); x.dataset[0]",
            changes=("for batch in x:\n    pass", "x.dataset.tensors[0][0] = 9", "a.manual_seed(5)"),
            picture="len(x), x.dataset.tensors[0].tolist(), a.get_state().sum().item(), x.generator is a",
        ),
        Case(
            name="torch.Generator",
            make="x = torch.Generator().manual_seed(3)",
            use="x.initial_seed(); x.get_state()",
            changes=("torch.rand(2, generator=x)", "x.manual_seed(4)", "torch.randn(3, generator=x)"),
            picture="x.initial_seed(), x.get_state().tolist()",
        ),
        Case(
            name="torch.Tensor (sparse)",
            make="x = torch.sparse_coo_tensor([[0, 1], [1, 2]], [3.0, 4.0], (2, 3))",
            use="x.to_dense(); torch.sparse.mm(x, torch.ones(3, 1)); repr(x)",
            changes=("x.mul_(2)", "x._values()[0] = 1", "x = x.coalesce()"),
            picture="x.to_dense().tolist(), x.is_coalesced(), x._nnz()",
        ),
        Case(
            name="torch.Tensor (sparse, compressed rows)",
            make="x = torch.eye(3).to_sparse_csr()",
            use="x.to_dense(); x @ torch.ones(3, 1); repr(x)",
            changes=("x.values()[0] = 5", "x.values().mul_(2)", "x = x * 3"),
            picture="x.to_dense().tolist(), x.layout",
        ),
        Case(
            name="collections.OrderedDict (a state_dict)",
            make=_NET + "; x = model.state_dict()",
            use="list(x); {k: v.shape for k, v in x.items()}",
            changes=(
                "x['0.weight'][0, 0] = 5",
                "model[2].bias.data.fill_(1)",
                "model.load_state_dict({k: v * 2 for k, v in x.items()})",
            ),
            picture=(
                "[(k, v.tolist()) for k, v in x.items()], " + _WEIGHTS + ", "
                "x['0.weight'].data_ptr() == model[0].weight.data_ptr(), sorted(x._metadata)"
            ),
        ),
        Case(
            name="torch.nn.Embedding (tied weights)",
            make=(
                "torch.manual_seed(0); x = nn.ModuleDict({'in': nn.Embedding(3, 2), 'out': nn.Linear(2, 3, bias=False)})\n"
                "x['out'].weight = x['in'].weight"
            ),
            use="with torch.no_grad():\n    x['out'](x['in'](torch.tensor([0, 1])))\nrepr(x)",
            changes=(
                "x['in'].weight.data[0] = 1",
                "x['out'].weight.data.mul_(3)",
                "x['out'].weight = nn.Parameter(torch.ones(3, 2))",
            ),
            picture="x['in'].weight.tolist(), x['out'].weight.tolist(), x['in'].weight is x['out'].weight",
        ),
        Case(
            name="torch.Tensor (bfloat16, complex, conjugated)",
            make="x = {'b': torch.ones(2, dtype=torch.bfloat16), 'c': torch.ones(2, dtype=torch.complex64), 'n': torch.ones(2).conj()}",
            use="x['b'].float(); x['c'].abs(); repr(x)",
            changes=("x['b'].add_(1)", "x['c'][0] = 1j", "x['c'] = x['c'].conj()"),
            picture="[(k, str(v.dtype), v.tolist(), v.is_conj()) for k, v in x.items()]",
        ),
        Case(
            name="torch.device and torch.dtype",
            make="x = [torch.device('cpu'), torch.float32, torch.Size([1, 2])]",
            use="repr(x); torch.zeros(x[2], dtype=x[1], device=x[0])",
            changes=("x[1] = torch.int64", "x[2] = torch.Size([3])", "x.append(torch.strided)"),
            picture="repr(x), x[1] in (torch.float32, torch.int64), type(x[2]).__name__",
        ),
    ),
)
