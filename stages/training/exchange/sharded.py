"""torch's fully_shard: every rank keeps a share of weights, gradients and optimiser state, and gathers as it computes.

What is saved is whole, by the names and in the order of a single process: a run goes on by any exchange, with any
number of ranks. Evaluation gathers the network, so weights alone must fit into one device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from stages.contract import Stateful
from stages.training.exchange.exchange import Gradients
from stages.training.exchange.one_network import OneNetwork, learning


class Sharded(OneNetwork):
    """`loop.parallel: fully_shard`. Each layer of a stack is gathered by itself, the rest of the network at once."""

    units: tuple[FSDPModule, ...] = ()  # what is gathered at once, the network itself last

    def prepare(self, module: nn.Module) -> None:
        """Share the parameters out, in place, where some learn; an optimiser is built on the shares."""
        if self.ranks.world == 1 or not learning(module):
            return
        module.to(memory_format=torch.contiguous_format)  # no other layout can be shared out
        mesh = init_device_mesh(learning(module)[0].device.type, (self.ranks.world,))
        for unit in _units(module):
            self._watch(unit)
            # the rest stays gathered: the backward pass begins with it
            fully_shard(unit, mesh=mesh, reshard_after_forward=unit is not module)

    def spread(self, network: nn.Module) -> None:
        """The part's one network, which `prepare` has shared out."""
        self.units = tuple(unit for unit in _units(network) if isinstance(unit, FSDPModule))

    def begin(self, first: bool, last: bool) -> None:
        """Before the last micro-batch nothing is sent."""
        super().begin(first, last)
        for unit in self.units:
            unit.set_requires_gradient_sync(last, recurse=False)

    def norm(self, gradients: Gradients) -> Tensor:
        """That of all gradients together, of which this rank has a share each."""
        norm = super().norm(gradients)
        return norm.full_tensor() if isinstance(norm, DTensor) else norm

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """UserError where the network is used otherwise than by calling it: then its weights are not whole."""
        try:
            yield
        except RuntimeError as error:
            if "DTensor" not in str(error) and "FSDP" not in str(error):
                raise
            self.refuse("it uses its network otherwise than by calling it")

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Inside, every rank has the whole network, and may use it alone."""
        for unit in self.units:
            unit.set_reshard_after_forward(False, recurse=False)
            unit.unshard()
        try:
            with self.stepping():
                yield
        finally:
            for unit in self.units:
                unit.set_reshard_after_forward(unit is not self.units[-1], recurse=False)
                unit.reshard()

    def gathered(self, state: dict[str, Any]) -> dict[str, Any]:
        """The state with every shared tensor whole, on the CPU; all ranks ask together."""
        return {name: _gathered(value) for name, value in state.items()}

    def load(self, value: Stateful, state: dict[str, Any]) -> None:
        """Whole state, each rank's share of it taken up."""
        if not isinstance(value, Optimizer):
            own = value.state_dict()
            value.load_state_dict({name: _placed(one, own.get(name)) for name, one in state.items()})
            return
        value.load_state_dict(state)
        for parameter, held in value.state.items():
            alike = {name: one for name, one in held.items() if one.shape == parameter.shape}  # a count of steps is not
            held.update({name: _placed(one, parameter) for name, one in alike.items()})

    def _watch(self, unit: nn.Module) -> None:
        """What a network writes into its gathered parameters is lost: refused in the first call that learns."""
        before: dict[int, int] = {}

        def note(*_: object) -> None:
            before.update({id(p): p._version for p in unit.parameters()})

        def check(*_: object) -> None:
            if not torch.is_grad_enabled():
                return
            if any(before.get(id(p), p._version) != p._version for p in unit.parameters()):
                self.refuse("its network writes its own parameters")
            for hook in hooks:
                hook.remove()

        hooks = (unit.register_forward_pre_hook(note), unit.register_forward_hook(check))


def _units(module: nn.Module) -> list[nn.Module]:
    """Layers of stacks that can be called and learn, the inner before the outer; then the network itself."""
    stacks = [one for one in module.modules() if isinstance(one, nn.ModuleList)]
    layers = [layer for stack in stacks for layer in stack if type(layer).forward is not nn.Module.forward]
    return [*reversed([layer for layer in layers if learning(layer)]), module]


def _gathered(value: Any) -> Any:
    if isinstance(value, DTensor):
        return value.full_tensor().cpu()
    if isinstance(value, Mapping):
        return {name: _gathered(one) for name, one in value.items()}
    return [_gathered(one) for one in value] if isinstance(value, list) else value


def _placed(whole: Any, like: Any) -> Any:
    """The tensor, whole on every rank, in the shares in which `like` lies; any other value as it is."""
    if not isinstance(like, DTensor) or not isinstance(whole, Tensor):
        return whole
    return distribute_tensor(whole.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
