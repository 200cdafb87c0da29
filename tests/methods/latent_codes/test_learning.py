"""Every part and every named option learns, resumes exactly, and keeps its names at every size."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from stages.contract import UserError
from tests.methods.latent_codes.conftest import ADVERSARY, SMALL, make_part, release
from tests.methods.small import figures_of

PARTS = ["vq", "encoder", "prior", "decoder"]
HINGE = {**ADVERSARY, "loss": "hinge", "r1": 1.0, "r1_form": "squared", "mask_input": True}
OPTIONS = [
    ("vq", {"normalised_codes": False, "restart_after": 0}),
    ("vq", {"beta_on": "commitment"}),
    ("vq", {"stem": 1, "multipliers": [1, 1, 2]}),
    ("encoder", {"strict": False, "mask_input": True, "token_mask": {"window": "kernel"}}),
    ("encoder", {"kind": "vanilla"}),
    ("encoder", {"kind": "vanilla", "mask_input": True}),
    ("encoder", {"kind": "miracle"}),
    ("encoder", {"normalisation": "group"}),
    ("encoder", {"normalisation": "group", "start": "vq"}),
    ("encoder", {"kind": "vq"}),
    ("encoder", {"attention": [16, 8]}),
    ("encoder", {"token_mask": {"alpha": 0.75}}),
    ("prior", {"input": "embedding"}),
    ("prior", {"lowest_ratio": 0.5, "highest_ratio": 1.0}),
    ("prior", {"regions": 1.0}),
    ("decoder", {"encoder": "concat"}),
    ("decoder", {"generator": "own"}),
    ("decoder", {"refinement": True}),
    ("decoder", {"code_noise": 0.5}),
    ("decoder", {"train_mask": "nearest", "token_mask": {"alpha": 0.9}}),
    ("decoder", {"adversary": HINGE}),
    ("decoder", {"adversary": {**ADVERSARY, "adaptive": True}}),
    ("decoder", {"adversary": {**ADVERSARY, "r1_logits": "sum"}}),
]


def saved(part) -> dict:
    return {name: {**value.state_dict()} for name, value in part.state().items()}


def equal(a, b) -> bool:
    """Bitwise, through whatever state dicts are made of."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return a == b


@pytest.mark.parametrize("name", PARTS)
def test_two_steps_and_a_resume_are_four_steps(name, family, accelerator, learn, tmp_path):
    """Bit for bit: weights, optimisers, buffers and the scalars on the way."""
    changes = {"decay_steps": 5, "warmup_steps": 2} | ({"refinement": True} if name == "decoder" else {})
    whole = make_part(name, family, accelerator, **changes)
    scalars = learn(whole, range(4))
    first = make_part(name, family, accelerator, **changes)
    learn(first, range(2))
    torch.save({key: value.state_dict() for key, value in first.state().items()}, tmp_path / "state")
    torch.manual_seed(99)
    second = make_part(name, family, accelerator, **changes)
    learn(second, range(10, 11))  # whatever it holds before is replaced
    for key, value in torch.load(tmp_path / "state", weights_only=True).items():
        second.state()[key].load_state_dict(value)
    assert learn(second, range(2, 4)) == scalars[2:]
    assert equal(saved(whole), saved(second))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_gets_better_on_what_it_sees(name, family, accelerator, batch_of):
    part, batch = make_part(name, family, accelerator, lr=3e-3), batch_of(1)
    torch.manual_seed(0)
    first = figures_of(part, [batch])
    for _ in range(8):
        part.step(batch)
    better = {"vq": "psnr", "decoder": "psnr_hole"}.get(name)
    after = figures_of(part, [batch])
    if better:
        assert after[better] > first[better]
    else:
        assert after["cross_entropy"] < first["cross_entropy"]
    assert all(torch.tensor(value).isfinite() for value in after.values())


PLAIN: dict[str, dict] = {}  # each part's weights without an option, learnt once


@pytest.mark.parametrize(("name", "changes"), OPTIONS)
def test_every_option_learns_and_changes_what_is_learnt(name, changes, family, accelerator, learn):
    if name not in PLAIN:
        plain = make_part(name, family, accelerator)
        learn(plain, range(2))
        PLAIN[name] = saved(plain)["model"]
    other = make_part(name, family, accelerator, **changes)
    scalars = learn(other, range(2))
    assert all(torch.tensor(value).isfinite() for row in scalars for value in row.values())
    assert not equal(PLAIN[name], saved(other)["model"])


@pytest.mark.parametrize("name", PARTS)
def test_module_types_and_loss_names_do_not_depend_on_sizes(name, accelerator, batch_of):
    """What lets presets differ in sizes and budgets alone."""
    deeper = {"width": 16, "multipliers": [1, 1, 2], "blocks": 2, "attention": [16, 8]}
    sizes = {
        "vq": {**deeper, "stem": 1, "codes": 32, "channels": 4, "normalised_codes": False, "restart_after": 0},
        "encoder": deeper,
        "prior": {"width": 32, "layers": 3, "heads": 4, "dropout": 0.0},
        "decoder": {**deeper, "l1": 0.0, "adversary": {**ADVERSARY, "start": 100, "layers": 3}},
    }

    def shown(changed: bool) -> tuple[set[type[nn.Module]], set[str]]:
        family = {}
        for part_name in PARTS[: PARTS.index(name) + 1]:
            changes = sizes[part_name] if changed else {}
            part = make_part(part_name, family, accelerator, **changes)
            family[part_name] = release(part_name, part, **changes)
        types = {type(m) for value in part.state().values() if isinstance(value, nn.Module) for m in value.modules()}
        return types, set(part.step(batch_of(0)))

    assert shown(False) == shown(True)


def test_without_perceptual_weights_the_term_is_left_out_and_the_rest_learns(family, bare_tools, learn):
    for name in ("vq", "decoder"):
        part = make_part(name, family, bare_tools)
        (scalars,) = learn(part, range(1))
        assert "lpips" not in scalars
        assert scalars["l1"] > 0


def test_a_discriminator_waits_for_its_start(family, accelerator, learn):
    part = make_part("decoder", family, accelerator, adversary={**ADVERSARY, "start": 2})
    before = {key: value.clone() for key, value in part.state()["discriminator"].state_dict().items()}
    learn(part, range(2))
    assert equal(before, dict(part.state()["discriminator"].state_dict()))
    (scalars,) = learn(part, range(2, 3))
    assert scalars["discriminator"] > 0
    assert not equal(before, dict(part.state()["discriminator"].state_dict()))


def test_marginals_are_the_codes_frequencies(family, accelerator, learn, batch_of):
    part = make_part("prior", family, accelerator)
    learn(part, range(6))
    assert part.marginals.counts_NK.sum() == 6 * 4 * 64
    figures = figures_of(part, [batch_of(50)])
    assert 0 < figures["marginal_cross_entropy"] < 4
    assert 0 < figures["positional_cross_entropy"] < 4


def test_parts_of_unlike_grids_are_refused(family, accelerator):
    for name in ("encoder", "decoder"):
        with pytest.raises(UserError, match="multipliers has 3 levels and vq's 2"):
            make_part(name, family, accelerator, multipliers=[1, 1, 2])
    with pytest.raises(UserError, match="do not divide into cells of 12 px"):
        make_part("vq", {}, accelerator, stem=6)


def test_the_learning_rate_is_a_function_of_the_step(family, accelerator, learn):
    part = make_part("encoder", family, accelerator, lr=1.0, warmup_steps=1, decay_steps=4)
    rates = []
    for k in range(6):
        rates.append(part.optimizer.param_groups[0]["lr"])
        learn(part, range(k, k + 1))
    assert rates == pytest.approx([0.5, 0.8609, 0.525, 0.1891, 0.05, 0.05], abs=1e-4)
    assert SMALL["encoder"]["lr"] == 1e-3
