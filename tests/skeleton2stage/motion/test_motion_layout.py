import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout
from skeleton2stage.motion.motion_layout import EDGE, POPDG, contact_labels, decode, encode, layout_named


def random_clip(n_frames=6):
    generator = torch.Generator().manual_seed(3)
    axis_angle = 0.5 * torch.randn(2, n_frames, 24, 3, generator=generator)
    return axis_angle, torch.randn(2, n_frames, 3, generator=generator)


@pytest.mark.parametrize("chosen", [EDGE, POPDG])
def test_slices_tile_the_vector(chosen):
    covered = sorted(i for part in (chosen.contacts, *chosen.body) for i in range(part.start, part.stop))
    assert covered == list(range(chosen.width))
    assert chosen.contacts.stop - chosen.contacts.start == len(chosen.contact_joints)
    assert chosen.contact_joints[:4] == (7, 8, 10, 11)


def test_published_widths_and_order():
    assert (EDGE.width, POPDG.width) == (151, 156)
    assert (EDGE.contacts.start, EDGE.translation.start, EDGE.rot6d.start) == (0, 4, 7)
    assert (POPDG.translation.start, POPDG.rot6d.start, POPDG.contacts.start) == (0, 3, 147)
    assert POPDG.foot_contacts == slice(147, 151)


@pytest.mark.parametrize("chosen", [EDGE, POPDG])
def test_decoding_undoes_encoding(chosen):
    axis_angle, root_pos = random_clip()
    vector = encode(axis_angle, root_pos, chosen)
    assert vector.shape == (2, 6, chosen.width)
    rotations, position, contacts = decode(vector, chosen)
    torch.testing.assert_close(rotations, axis_angle, atol=1e-4, rtol=0)
    torch.testing.assert_close(position, root_pos)
    assert contacts.shape[-1] == len(chosen.contact_joints)


def test_contact_is_a_step_under_one_centimetre():
    joints_w = torch.zeros(3, 24, 3)
    joints_w[1, 7, 0], joints_w[2, 7, 0] = 0.009, 0.009 + 0.011
    joints_w[1:, 8, 2] = 0.02
    labels = contact_labels(joints_w, (7, 8))
    assert labels.tolist() == [[1, 0], [0, 1], [1, 1]]


def test_unknown_layout_lists_the_known():
    with pytest.raises(UserError, match="edge, popdg"):
        layout_named("egde")
    assert layout_named("popdg") is motion_layout.POPDG


def test_wrong_width_is_named():
    with pytest.raises(ValueError, match="151"):
        decode(torch.zeros(4, 150), EDGE)


def test_a_single_frame_counts_as_contact():
    vector = motion_layout.encode(torch.zeros(1, 24, 3), torch.zeros(1, 3), EDGE)
    assert vector.shape == (1, 151)
    assert vector[0, EDGE.contacts].tolist() == [1.0] * 4
