"""Joules of an NVIDIA GPU, by the counter of its own (NVML; Volta and later): the whole board, idle power included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Read = Callable[[], float]


@dataclass(frozen=True)
class Meter:
    """`read` gives the joules so far; None where they cannot be had, and `reason` says why."""

    read: Read | None
    reason: str = ""

    def since(self, before: float | None) -> float | None:
        """Joules since an earlier reading."""
        return self.read() - before if self.read and before is not None else None


def meter(device: torch.device) -> Meter:
    """The device's meter."""
    if device.type != "cuda":
        return Meter(None, "joules are measured on NVIDIA GPUs alone")
    try:
        import pynvml  # here: an extra that most machines do without
    except ImportError:
        return Meter(None, "joules need nvidia-ml-py: install plurifill[gpu]")
    try:
        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(device).uuid  # the number that CUDA_VISIBLE_DEVICES cannot move
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError as error:
        return Meter(None, f"joules: NVML says {error}")
    return Meter(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000.0)
