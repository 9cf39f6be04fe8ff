"""Codebooks: the straight-through gradient, moving averages, dead codes; the VQ-VAE around them."""

import pytest
import torch

from dance_model.bailando.codebook import Codebook, CodebookRule
from dance_model.bailando.conv import ConvSizes, Decoder, Encoder
from dance_model.bailando.vqvae import LOWER, UPPER, Body, VqVae, VqVaeConfig
from skeleton2stage.errors import UserError


def book(*vectors):
    result = Codebook(len(vectors), len(vectors[0]))
    result.k.copy_(torch.tensor(vectors))
    result.use.fill_(1.0)
    result.total.copy_(result.k)
    return result


def vqvae(strides=(2, 3)):
    torch.manual_seed(0)
    sizes = ConvSizes(strides, code_width=8, width=16, depth=2)
    model = VqVae(VqVaeConfig("rotations", n_codes=16, conv=sizes))
    model.start_codebooks(bodies())
    return model


def bodies(n_frames=30):
    generator = torch.Generator().manual_seed(4)
    return Body(torch.randn(3, n_frames, 24, 6, generator=generator), torch.randn(3, n_frames, 4, generator=generator))


def test_nearest_code_and_its_vector():
    codebook = book([0.0, 0.0], [1.0, 0.0], [0.0, 2.0])
    vectors = torch.tensor([[[0.9, 0.1, -3.0], [0.2, 1.4, 0.1]]])
    quantised = codebook(vectors)
    assert quantised.codes.tolist() == [[1, 2, 0]]
    assert torch.equal(quantised.vectors, codebook.vectors(quantised.codes))
    assert quantised.commitment.item() == pytest.approx((0.01 + 0.04 + 0.01 + 0.36 + 9.0 + 0.01) / 6)


def test_gradient_goes_straight_through():
    codebook, vectors = book([0.0, 0.0], [1.0, 0.0]), torch.randn(2, 2, 5, requires_grad=True)
    weights = torch.randn(2, 2, 5)
    (weights * codebook(vectors).vectors).sum().backward()
    assert torch.equal(vectors.grad, weights)


def test_commitment_pulls_vectors_to_their_codes():
    codebook, vectors = book([1.0, 0.0]), torch.tensor([[[3.0], [0.0]]], requires_grad=True)
    codebook(vectors).commitment.backward()
    assert vectors.grad.flatten().tolist() == [2.0, 0.0]


def test_codes_move_to_the_mean_of_what_they_stand_for():
    codebook, vectors = book([0.0], [10.0]), torch.tensor([[[1.0, 3.0, 9.0, 9.5]]])
    rule = CodebookRule(decay=0.75, restart_share=0.0)
    restarted = codebook.learn(vectors, codebook.nearest(vectors), rule)
    # Sums and counts of a quarter new: (0.75 * 0 + 0.25 * 4) / (0.75 + 0.5), (0.75 * 10 + 0.25 * 18.5) / 1.25.
    assert codebook.k[:, 0].tolist() == pytest.approx([1.0 / 1.25, 12.125 / 1.25])
    assert restarted == 0


def test_dead_codes_restart_where_vectors_are_and_live_codes_stay():
    torch.manual_seed(0)
    codebook, vectors = book([0.0], [100.0]), torch.tensor([[[1.0, 2.0, 1.5, 1.2]]])
    rule = CodebookRule(decay=0.5, restart_share=0.2)
    restarts = [codebook.learn(vectors, codebook.nearest(vectors), rule) for _ in range(3)]
    assert restarts == [0, 1, 0]
    assert 1.0 <= codebook.k[1].item() <= 2.0
    assert codebook.use[1] >= 0.5


def test_codes_come_back_from_their_own_vectors():
    model = vqvae()
    model.start_codebooks(bodies(60))
    codes = torch.randint(16, (2, 5))
    for half in model.halves:
        assert torch.equal(half.codebook.nearest(half.codebook.vectors(codes)), codes)


@pytest.mark.parametrize("strides", [(2, 2), (5,), (2, 3), (3, 2), (4,)])
def test_lengths_come_out_even(strides):
    sizes = ConvSizes(strides, code_width=4, width=8, depth=1)
    frames = 4 * sizes.frames_per_code
    vectors = Encoder(7, sizes)(torch.randn(2, 7, frames))
    assert vectors.shape == (2, 4, 4)
    assert Decoder(7, sizes)(vectors).shape == (2, 7, frames)


def test_each_half_decodes_its_own_joints_and_the_lower_one_the_root():
    model = vqvae()
    codes = torch.randint(16, (1, 5, 2))
    changed = codes.clone()
    changed[..., 0] = (codes[..., 0] + 1) % 16
    with torch.no_grad():
        first, second = model.decode(codes), model.decode(changed)
    different = (first.joints != second.joints).any(dim=-1).any(dim=1)[0]
    assert different[list(UPPER)].all() and not different[list(LOWER)].any()
    assert torch.equal(first.root, second.root)


def test_both_encoders_get_a_gradient_through_the_codes():
    model = vqvae()
    made = model(bodies())
    made.body.joints.square().mean().backward()
    for half in model.halves:
        assert half.encoders[0].level_blocks[0].model[0][0].weight.grad.abs().max() > 0


def test_decoders_start_from_the_mean_body():
    model, body = vqvae(), bodies()
    for half in model.halves:
        half.codebook.k.zero_()
        for decoder in [half.decoders[0], *getattr(half, "decoders_root", [])]:
            torch.nn.init.zeros_(decoder.out.weight)
    model.start_decoders(body)
    made = model.decode(torch.zeros(1, 5, 2, dtype=torch.long))
    assert torch.allclose(made.joints[0, 7], body.joints.mean(dim=(0, 1)), atol=1e-6)
    assert torch.allclose(made.root[0, 7], body.root.mean(dim=(0, 1)), atol=1e-6)


def test_codebooks_stay_unless_they_are_to_learn():
    model = vqvae()
    before = [half.codebook.k.clone() for half in model.halves]
    model(bodies())
    assert all(torch.equal(half.codebook.k, k) for half, k in zip(model.halves, before, strict=True))
    model(bodies(), CodebookRule())
    assert not any(torch.equal(half.codebook.k, k) for half, k in zip(model.halves, before, strict=True))


def test_wrong_input_is_told_in_a_sentence():
    with pytest.raises(UserError, match="does not come out even in codes of 6"):
        vqvae().encode(bodies(31))
    with pytest.raises(UserError, match=r"\[B, T, 24, 6\], not \[3, 30, 24, 3\]"):
        vqvae().encode(Body(torch.zeros(3, 30, 24, 3), torch.zeros(3, 30, 4)))
    with pytest.raises(UserError, match="choose one of positions, rotations, turned"):
        VqVaeConfig("quaternions")
    with pytest.raises(UserError, match="strides must be"):
        ConvSizes(strides=(1, 2))
    with pytest.raises(UserError, match="decay must be between 0 and 1"):
        CodebookRule(decay=1.0)
