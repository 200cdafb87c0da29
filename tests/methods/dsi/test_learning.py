"""Every part: losses by their equations, blind to the hole, exact to resume."""

from __future__ import annotations

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from stages.contract import Spec, UserError
from stages.images.pixels import composite
from stages.methods.dsi import decoder, prior, vq
from stages.methods.dsi.blocks.feature_losses import feature_loss
from stages.methods.dsi.blocks.generator import Sizes, TextureGenerator
from tests.methods.dsi.conftest import SMALL, blocks, learn, make_part, release
from tests.methods.small import figures_of

PARTS = ("vq", "prior", "decoder")


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_run_ends_as_an_undisturbed_one(family, accelerator, name):
    """4 steps = 2 + everything saved and loaded into a new part + 2, in every weight and buffer."""
    whole, first, second = (make_part(name, family, accelerator) for _ in range(3))
    learn(whole, blocks, range(4))
    learn(first, blocks, range(2))
    saved = copy.deepcopy({key: value.state_dict() for key, value in first.state().items()})
    for key, value in second.state().items():
        value.load_state_dict(saved[key])
    learn(second, blocks, range(2, 4))
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_released_and_restored_says_the_same(family, accelerator, name):
    part = make_part(name, family, accelerator)
    learn(part, blocks, range(2))
    trained = release(name, part)
    restored = {
        "vq": lambda: vq.restore(trained),
        "prior": lambda: prior.restore(trained, family["vq"]),
        "decoder": lambda: decoder.restore(trained, family["vq"]),
    }[name]()
    assert all(torch.equal(value, part.model.state_dict()[key]) for key, value in restored.state_dict().items())
    assert not any(parameter.requires_grad for parameter in restored.parameters())


def test_the_vq_learns_by_equation_3(accelerator):
    """alpha_l2 |I_r - I|^2 + alpha_c (|s - sg s-bar|^2 + |t - sg t-bar|^2), means over values."""
    part, batch = make_part("vq", {}, accelerator, reconstruction=2.0, commitment=0.5), blocks(0)
    raw_BCHW, encoded = part.model(batch.image_BCHW)
    expected = 2.0 * (raw_BCHW - batch.image_BCHW).square().mean()
    for z_BDHW, quantized in ((encoded.s_BDHW, encoded.structure), (encoded.t_BDHW, encoded.texture)):
        expected = expected + 0.5 * (z_BDHW - quantized.z_BDHW.detach()).square().mean()
    seen = []
    part.accelerator.minimize = lambda loss, optimizer: seen.append(float(loss))
    part.step(batch)
    assert seen == [pytest.approx(float(expected), rel=1e-6)]


def test_the_vq_gets_better_and_uses_its_codes(accelerator):
    part = make_part("vq", {}, accelerator)
    before = figures_of(part, [blocks(0)])["psnr"]
    learn(part, lambda k: blocks(0), range(150))
    after = figures_of(part, [blocks(0)])
    assert after["psnr"] > before + 2
    assert 1 < after["structure_used_codes"] <= 16 and 1 < after["structure_perplexity"] <= 16


def test_texture_is_conditioned_on_the_quantised_structure_and_not_the_reverse(family):
    model, batch = vq.restore(family["vq"]), blocks(3)
    encoded = model.encode(batch.image_BCHW)
    other = copy.deepcopy(model)
    other.structure_codebook.codebook_KD.add_(1.0)
    moved = other.encode(batch.image_BCHW)
    assert torch.equal(moved.s_BDHW, encoded.s_BDHW) and not torch.allclose(moved.t_BDHW, encoded.t_BDHW)
    other = copy.deepcopy(model)
    other.texture_codebook.codebook_KD.add_(1.0)
    assert torch.equal(other.encode(batch.image_BCHW).structure.codes_BHW, encoded.structure.codes_BHW)


def test_each_level_alone_is_the_decoder_with_zeros_for_the_other(family):
    model = vq.restore(family["vq"])
    encoded = model.encode(blocks(3).image_BCHW)
    s_BDHW, t_BDHW = encoded.structure.z_BDHW, encoded.texture.z_BDHW
    structure_BCHW = model.decode(s_BDHW, torch.zeros_like(t_BDHW)).clamp(-1, 1)
    texture_BCHW = model.decode(torch.zeros_like(s_BDHW), t_BDHW).clamp(-1, 1)
    assert torch.allclose(model.structure_alone(encoded.structure.codes_BHW), structure_BCHW, atol=1e-5)
    assert torch.allclose(model.texture_alone(encoded.texture.codes_BHW), texture_BCHW, atol=1e-5)


def test_images_that_do_not_divide_into_codes_are_refused(accelerator):
    with pytest.raises(UserError, match="36 px do not divide into structure codes of 8 px"):
        vq.build(vq.Params.model_validate(SMALL["vq"]), {}, Spec(36), accelerator)


def test_the_prior_learns_a_structure_from_its_visible_half(family, accelerator):
    """Below the codes' own frequencies at each position, on the batch that it has seen."""
    part = make_part("prior", family, accelerator, lr=1e-2, dropout=0.0)
    learn(part, lambda k: blocks(k % 4), range(150))
    figures = figures_of(part, [blocks(k) for k in range(4)])
    assert figures["bits_per_dim"] < figures["positional_bits_per_dim"] <= figures["marginal_bits_per_dim"] + 1e-6


def test_bits_per_dim_are_the_codes_negative_log_likelihood(family, accelerator):
    part, batch = make_part("prior", family, accelerator), blocks(2)
    part.model.eval()
    codes_BHW = part.teacher.exact_codes(batch.image_BCHW)
    p_BKHW = part.model(codes_BHW, batch.image_BCHW, batch.known_B1HW).softmax(1)
    expected = -p_BKHW.gather(1, codes_BHW[:, None]).log2().mean()
    assert figures_of(part, [batch])["bits_per_dim"] == pytest.approx(float(expected), rel=1e-5)


def test_the_decoder_learns_by_equation_12(family, bare_tools):
    part, batch = make_part("decoder", family, bare_tools, l1=2.0, adversarial=0.5, feature=0.3), blocks(1)
    raw_BCHW = part._made(batch)
    whole_BCHW = composite(raw_BCHW, batch.image_BCHW, batch.known_B1HW)
    net, true = part.teacher.net, part.teacher.net.encode(batch.image_BCHW)
    made = net.encode(whole_BCHW)
    part.critic.eval()  # as an estimate of norms would move with every look
    expected = 2.0 * (raw_BCHW - batch.image_BCHW).abs().mean()
    expected = expected - 0.5 * part.critic(whole_BCHW, 1 - batch.known_B1HW).mean()
    for z_BDHW, codebook, quantized in (
        (made.s_BDHW, net.structure_codebook, true.structure),
        (made.t_BDHW, net.texture_codebook, true.texture),
    ):
        expected = expected + 0.3 * feature_loss(z_BDHW, codebook.codebook_KD, quantized.codes_BHW, "euclidean")
    seen = []
    part.accelerator.minimize = lambda loss, optimizer: seen.append(float(loss))
    part.step(batch)
    assert seen[0] == pytest.approx(float(expected), rel=1e-5)


def test_the_discriminator_learns_by_equation_9(family, accelerator):
    part, batch = make_part("decoder", family, accelerator), blocks(1)
    part.critic.eval()
    whole_BCHW, hole_B1HW = torch.zeros_like(batch.image_BCHW), 1 - batch.known_B1HW
    real, fake = (part.critic(x_BCHW, hole_B1HW) for x_BCHW in (batch.image_BCHW, whole_BCHW))
    expected = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    assert float(part._learn_to_tell(whole_BCHW, batch)) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("kind", ["euclidean", "squared"])
def test_a_feature_loss_is_equation_11(kind):
    generator = torch.Generator().manual_seed(0)
    features_BDHW = torch.randn(2, 5, 3, 3, generator=generator)
    codebook_KD, codes_BHW = torch.randn(7, 5, generator=generator), torch.randint(7, (2, 3, 3), generator=generator)
    losses = []
    for b in range(2):
        for i in range(3):
            for j in range(3):
                d_K = (features_BDHW[b, :, i, j] - codebook_KD).square().sum(1)
                d_K = d_K if kind == "squared" else d_K.sqrt()
                close_K = torch.tanh(-(d_K - d_K.mean()) / d_K.std(correction=0))
                losses.append(-torch.log_softmax(10 * close_K, 0)[codes_BHW[b, i, j]])
    expected = torch.stack(losses).mean()
    assert float(feature_loss(features_BDHW, codebook_KD, codes_BHW, kind)) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("none", set()),
        ("structure", {"structure"}),
        ("texture", {"texture"}),
        ("both", {"structure", "texture"}),
        ("perceptual_style", {"perceptual", "style"}),
    ],
)
def test_feature_losses_are_those_asked_for_and_push_the_generator(family, accelerator, kind, terms):
    part, batch = make_part("decoder", family, accelerator, feature_losses=kind), blocks(1)
    scalars = {name: float(value) for name, value in part.step(batch).items()}
    assert set(scalars) == {"l1", "adversarial", "lpips", "discriminator"} | terms
    if part.judge is not None:
        whole_BCHW = composite(part._made(batch), batch.image_BCHW, batch.known_B1HW)
        for _, term in part.judge(whole_BCHW, batch.image_BCHW).values():
            slopes = torch.autograd.grad(term, list(part.model.parameters()), retain_graph=True, allow_unused=True)
            assert any(slope is not None and slope.abs().max() > 0 for slope in slopes)


def test_without_weights_the_classifiers_losses_are_left_out(family, bare_tools):
    part = make_part("decoder", family, bare_tools, feature_losses="perceptual_style")
    assert part.judge is None and set(part.step(blocks(1))) == {"l1", "adversarial", "discriminator"}


def test_no_hole_content_enters_not_even_nan(family):
    generator, net = decoder.restore(family["decoder"], family["vq"]), prior.restore(family["prior"], family["vq"])
    batch, s_BDhw = blocks(3), torch.randn(4, 8, 4, 4)
    for content in (torch.randn_like(batch.image_BCHW), torch.full_like(batch.image_BCHW, math.nan)):
        other_BCHW = torch.where(batch.known_B1HW > 0, batch.image_BCHW, content)
        for look in (lambda x: generator(x, batch.known_B1HW, s_BDhw), lambda x: net.condition(x, batch.known_B1HW)):
            assert torch.equal(look(batch.image_BCHW), look(other_BCHW))


@pytest.mark.parametrize("stem", [1, 2])
def test_the_generator_makes_the_whole_picture_at_either_stem(stem):
    net = TextureGenerator(Sizes(width=4, dilations=(2,), stem=stem), 8)
    raw_BCHW = net(blocks(0).image_BCHW, blocks(0).known_B1HW, torch.randn(4, 8, 4, 4))
    assert raw_BCHW.shape == (4, 3, 32, 32) and raw_BCHW.abs().max() <= 1


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_structure_is_asked_to_look_like_the_image_where_params_say_so(accelerator, weight):
    part, batch = make_part("vq", {}, accelerator, structure_alone=weight), blocks(0)
    encoded = part.model.encode(batch.image_BCHW)
    expected = F.mse_loss(part.model.decode(encoded.structure.z_BDHW, None), batch.image_BCHW)
    assert float(part.step(batch)["structure_alone"]) == pytest.approx(weight * float(expected), rel=1e-5)


def test_the_structure_guides_the_texture(family):
    generator, batch = decoder.restore(family["decoder"], family["vq"]), blocks(3)
    one, other = (generator(batch.image_BCHW, batch.known_B1HW, torch.randn(4, 8, 4, 4)) for _ in range(2))
    assert one.shape == (4, 3, 32, 32) and not torch.allclose(one, other)


@pytest.mark.parametrize("name", PARTS)
def test_pictures_are_pictures(family, accelerator, name):
    for picture_BCHW in make_part(name, family, accelerator).pictures(blocks(1)).values():
        assert picture_BCHW.shape == (4, 3, 32, 32) and picture_BCHW.abs().max() <= 1
