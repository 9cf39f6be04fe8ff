"""Parity with the public code: names, shapes and numbers, from running its classes once on random weights.

bailando is Bailando's SepVQVAER and CrossCondGPT2, bailando_pp Bailando++'s SepVQVAERmix and CrossCondGPT2MW. Their
attention masks, stored in the checkpoints but not learned, are left out.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dance_model.bailando.conv import ConvSizes
from dance_model.bailando.gpt import CrossConditionalGpt, GptConfig
from dance_model.bailando.local_music import LocalMusicConfig
from dance_model.bailando.vqvae import Body, VqVae, VqVaeConfig

HERE = Path(__file__).parent
FORMS = {"bailando": "positions", "bailando_pp": "turned"}


def gpt_config(name, **sizes):
    local = LocalMusicConfig() if name == "bailando_pp" else None
    return GptConfig(start=False, local_music=local, **{"music_width": 768 if local else 438} | sizes)


@pytest.fixture(params=list(FORMS))
def small(request):
    name = request.param
    with np.load(HERE / f"{name}_small.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files}
    arrays = {key: value.float() if value.is_floating_point() else value.long() for key, value in arrays.items()}
    conv = ConvSizes(code_width=10, width=8) if name == "bailando" else ConvSizes(code_width=10, width=5, depth=2)
    vqvae = VqVae(VqVaeConfig(FORMS[name], n_codes=12, conv=conv))
    local = None
    if name == "bailando_pp":
        local = LocalMusicConfig(features=9, around=1, frames_per_code=4, block=7, width=12, n_heads=2, n_layers=1)
    gpt = CrossConditionalGpt(GptConfig(
        n_codes=12, block=7, width=12, n_heads=2, n_base=2, n_head_layers=2, music_width=12 if local else 9,
        start=False, local_music=local,
    ))
    for module, prefix in ((vqvae, "vqvae."), (gpt, "gpt.")):
        weights = {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
        module.load_state_dict(weights)
        module.eval()
    return name, vqvae, gpt, arrays


@pytest.mark.parametrize("name", list(FORMS))
def test_names_and_shapes_are_those_of_the_public_checkpoints(name):
    public = json.loads((HERE / "public_shapes.json").read_text())[name]
    with torch.device("meta"):
        ours = {"vqvae": VqVae(VqVaeConfig(FORMS[name])), "gpt": CrossConditionalGpt(gpt_config(name))}
    for part, module in ours.items():
        assert {key: list(value.shape) for key, value in module.state_dict().items()} == public[part]


def test_codes_are_the_public_ones(small):
    _, vqvae, _, arrays = small
    joints = arrays["in.motion"].unflatten(-1, (24, 3))
    codes = vqvae.encode(Body(joints, joints[:, :, 0]))
    assert torch.equal(codes[..., 0], arrays["out.codes_up"])
    assert torch.equal(codes[..., 1], arrays["out.codes_down"])


def test_decoding_is_the_public_one(small):
    name, vqvae, _, arrays = small
    with torch.no_grad():
        body = vqvae.decode(torch.stack((arrays["in.codes_up"], arrays["in.codes_down"]), dim=-1))
    # Theirs puts the root before the rotations, or in the place of the pelvis.
    joints = body.joints.flatten(2) if name == "bailando_pp" else body.joints[:, :, 1:].flatten(2)
    theirs = torch.cat((body.root, joints), dim=-1)
    assert torch.allclose(theirs, arrays["out.decoded"], atol=1e-5)


def test_logits_are_the_public_ones(small):
    _, _, gpt, arrays = small
    codes = torch.stack((arrays["in.gpt_up"], arrays["in.gpt_down"]), dim=-1)
    with torch.no_grad():
        logits = gpt(codes, gpt.encode_music(arrays["in.music"]))
    assert torch.allclose(logits.upper, arrays["out.logits_up"], atol=1e-5)
    assert torch.allclose(logits.lower, arrays["out.logits_down"], atol=1e-5)
