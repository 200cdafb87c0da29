"""The params of a project that trains latent_codes on dots of 16 px, in seconds."""

from typing import Any

SIZES: dict[str, Any] = {"width": 8, "multipliers": [1, 1], "blocks": 1, "attention": [], "normalisation": "layer"}
LOOP: dict[str, Any] = {"steps": 3, "batch": 4, "eval_images": 4, "log_every": 1, "save_every": 1, "eval_every": 0}
LOOP |= {"ema": 0.5, "seed": 0, "workers": 0, "nonfinite_limit": 10, "parallel": "averaged"}
VQ = {
    **SIZES,
    "lr": 1e-3,
    "restart_after": 0,
    "codes": 8,
    "channels": 4,
    "lpips": 0.0,
    "adversary": {"width": 4, "layers": 1},
}
PARAMS: dict[str, Any] = {
    "data": {"dataset": "dots"},
    "datasets": {"dots": {"layout": "folder", "size": 16, "root": "dots", "duplicates": {"remove": False}}},
    "masks": {"half": {"generator": "box", "side": 0.5}, "most": {"generator": "box", "side": 0.8}},
    "track": "none",
    "methods": {
        "latent_codes": {
            "token_mask": {"alpha": 0.5, "window": "stride"},
            "vq": {**VQ, "dataset": None, "masks": None, "loop": LOOP},
            "encoder": {**SIZES, "lr": 1e-3, "masks": "half", "loop": LOOP},
            "prior": {"width": 16, "layers": 1, "heads": 2, "lr": 1e-3, "loop": LOOP},
            "inpaint": {},
        },
        "classical": {"inpaint": {"algorithm": "mean"}},
    },
}
