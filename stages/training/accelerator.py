"""contract.Accelerator as training has it: precision, ranks, clipping, accumulation, and a guard of gradients."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_
from torch.optim import Optimizer

from stages.contract import Features, Perceptual, SetDistance, Stateful, UserError
from stages.project.devices import has_bf16
from stages.project.progress import tell
from stages.training.distributed import Ranks
from stages.training.exchange.choose import exchange
from stages.training.exchange.exchange import Gradients
from stages.training.loop_params import LoopParams


class TorchAccelerator:
    """contract.Accelerator for real training. The loop says by `begin` which micro-batch of which step is at hand."""

    def __init__(
        self,
        name: str,
        loop: LoopParams,
        device: torch.device,
        ranks: Ranks,
        find_perceptual: Callable[[str], Perceptual | None],
        find_features: Callable[[str], Features | None],
        find_frechet: Callable[[torch.device], SetDistance | None],
    ) -> None:
        self.name, self.loop, self.device, self.ranks = name, loop, device, ranks
        self.exchange = exchange(name, loop, ranks)  # of gradients with other ranks
        self.bf16 = loop.amp == "bf16" or (loop.amp == "auto" and has_bf16(device))
        self.compiles = loop.compile and device.type == "cuda"
        if loop.compile and not self.compiles and ranks.leads:
            tell(f"{name}: loop.compile is left off: on a CPU compiled networks are slower, attention five times")
        self.lent: dict[str, Perceptual | None] = {}  # perceptual distances that the part asked for
        self.lent_features: dict[str, Features | None] = {}  # classifiers' maps that it asked for
        self.in_losses: set[str] = set()  # nets that gradients came through; a part may ask for some for figures alone
        self.skipped: Counter[str] = Counter()  # steps lost to a non-finite gradient, by optimiser
        self._row: Counter[str] = Counter()  # of these, in a row
        self._names: dict[int, str] = {}
        self._find, self._find_features, self._find_frechet = find_perceptual, find_features, find_frechet
        self.begin(0, 0)

    def attach(self, state: Mapping[str, Stateful]) -> None:
        """Learn a part's networks and its optimisers' names. UserError where `loop.parallel` is not for such a part."""
        self.exchange.attach(state)
        self._names = {id(value): name for name, value in state.items() if isinstance(value, Optimizer)}

    def begin(self, step: int, micro: int) -> None:
        """The next calls of `minimize` belong to that micro-batch (0 ... accumulate - 1) of that step."""
        self._step = step
        self.exchange.begin(micro == 0, micro == self.loop.accumulate - 1)

    def prepare(self, module: nn.Module) -> nn.Module:
        """The module on its device, in its memory format, weights equal on all ranks, compiled where asked for."""
        module.to(self.device)
        if self.loop.channels_last:
            module.to(memory_format=torch.channels_last)
        self.ranks.copy_first([*module.parameters(), *module.buffers()])
        self.exchange.prepare(module)
        if self.compiles:
            module.compile()
        return module

    def autocast(self) -> AbstractContextManager[Any]:
        """bfloat16 where params and device say so; its range is float32's, so no loss is scaled."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()

    def minimize(self, loss: Tensor, optimizer: Optimizer) -> None:
        """Gradients of `loss` for that optimiser's parameters; on the last micro-batch one guarded, clipped step."""
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
        gradients = self.exchange.gradients(loss / self.loop.accumulate, optimizer, parameters)
        if gradients is not None:
            self._step_with(gradients, parameters, optimizer, loss)
            for parameter in parameters:
                parameter.grad = None

    def _step_with(self, gradients: Gradients, parameters: list[Tensor], optimizer: Optimizer, loss: Tensor) -> None:
        norm = self.exchange.norm(gradients)
        name = self._names.get(id(optimizer), "optimizer")
        if not math.isfinite(norm.item()):  # the one wait for the device in a step: a skipped step must not be taken
            self._skip(name, loss)
            return
        self._row[name] = 0
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        if self.loop.clip:
            clip_grads_with_norm_(parameters, self.loop.clip, norm)
        optimizer.step()

    def _skip(self, name: str, loss: Tensor) -> None:
        self.skipped[name] += 1
        self._row[name] += 1
        what = f"{self.name}: step {self._step}: a gradient of {name} is not finite (loss {loss.item():.4g})"
        if self._row[name] > self.loop.nonfinite_limit:
            limit = self.loop.nonfinite_limit
            raise UserError(f"{what}, more than {limit} steps in a row: lower the learning rate, or set loop.clip")
        if self.ranks.leads:
            tell(f"{what}: step skipped")

    def perceptual(self, net: str) -> Perceptual | None:
        """LPIPS on `net`, frozen and on the device; None where its weights cannot be had, told once and recorded."""
        if net not in self.lent:
            self.lent[net] = found = self._find(net)
            self._lend(net, found, f"no weights for LPIPS-{net}: the perceptual term is left out")
        return self.lent[net]

    def features(self, net: str) -> Features | None:
        """Maps of `net`, frozen and on the device; None where its weights cannot be had, told once and recorded."""
        if net not in self.lent_features:
            self.lent_features[net] = found = self._find_features(net)
            self._lend(net, found, f"no weights for the maps of {net}: the terms that compare them are left out")
        return self.lent_features[net]

    def frechet(self) -> SetDistance | None:
        """Frechet distance of two sets of images; None where its weights cannot be had, told once a call."""
        found = self._find_frechet(self.device)
        if found is None and self.ranks.leads:
            tell(f"{self.name}: WARNING: no weights for the Frechet distance: its figure is left out")
        return found

    def _lend(self, net: str, found: Perceptual | Features | None, missing: str) -> None:
        """Freeze it, bring it to the device and watch what it is used for; or tell what is missing."""
        if isinstance(found, nn.Module):
            found.requires_grad_(False).eval().to(self.device)
            found.register_forward_pre_hook(lambda _, shown: self._watch(net, shown))
        elif found is None and self.ranks.leads:
            tell(f"{self.name}: WARNING: {missing}")

    def _watch(self, net: str, shown: tuple[Any, ...]) -> None:
        if torch.is_grad_enabled() and any(isinstance(one, Tensor) and one.requires_grad for one in shown):
            self.in_losses.add(net)

    def left_out(self) -> list[str]:
        """Terms that the part wanted and could not have."""
        distances = [f"perceptual:{net}" for net, found in self.lent.items() if found is None]
        return distances + [f"features:{net}" for net, found in self.lent_features.items() if found is None]

    def state_dict(self) -> dict[str, Any]:
        """torch's state protocol: the guard's counts, and what losses have read."""
        return {"skipped": dict(self.skipped), "row": dict(self._row), "in_losses": sorted(self.in_losses)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """torch's state protocol."""
        self.skipped, self._row = Counter(state_dict["skipped"]), Counter(state_dict["row"])
        self.in_losses.update(state_dict.get("in_losses", ()))  # earlier versions did not watch
