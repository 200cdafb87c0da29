"""Which device computes, and what it is good at."""

import os

import torch

from stages.contract import UserError


def choose(name: str = "") -> torch.device:
    """The named device, or the GPU of this rank (LOCAL_RANK) where there is one, else the CPU."""
    cuda = torch.cuda.is_available()
    if not name:
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if cuda else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"--device {name}: not a device; write cpu, cuda or cuda:N") from error
    if device.type not in {"cpu", "cuda"}:
        raise UserError(f"--device {name}: training runs on cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"--device {name}: torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu")
    return device


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: on a CPU with AMX it is. With AVX-512's instructions alone all
    sizes of convolutions and linear layers took 1.2 to 1.7 times as long, and emulation is slower still.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported()


def hardware(device: torch.device) -> str:
    """The device in words, for a card."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    return f"CPU ({torch.backends.cpu.get_cpu_capability()}), {torch.get_num_threads()} threads"
