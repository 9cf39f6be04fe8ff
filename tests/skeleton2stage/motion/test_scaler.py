import numpy as np
import torch

from skeleton2stage.motion.scaler import MinMaxScaler


def published(reference):
    with np.load(reference / "representation.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


def test_published_scaling(reference):
    data = published(reference)
    scaler = MinMaxScaler.fit(data["vec_unnormalised"])
    torch.testing.assert_close(scaler.scale, data["scaler_scale_"].float(), rtol=1e-5, atol=0)
    torch.testing.assert_close(scaler.minimum, data["scaler_min_"].float(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        scaler.normalise(data["vec_unnormalised"]), data["vec_normalised"], rtol=0, atol=1e-5
    )


def test_published_unscaling_clips_first(reference):
    data = published(reference)
    scaler = MinMaxScaler.fit(data["vec_unnormalised"])
    back = scaler.unnormalise(data["test_normalised_x1p3"])
    torch.testing.assert_close(back, data["test_unnormalised_of_x1p3"], rtol=0, atol=1e-5)
    assert (back - data["vec_unnormalised"]).abs().max() > 0.01


def test_published_constant_channels(reference):
    data = published(reference)
    scaler = MinMaxScaler.fit(data["const_test_input"])
    torch.testing.assert_close(scaler.scale, data["const_test_scale_"].float())
    torch.testing.assert_close(scaler.minimum, data["const_test_min_"].float())
    scaled = scaler.normalise(data["const_test_input"])
    torch.testing.assert_close(scaled, data["const_test_normalised"], atol=1e-6, rtol=0)
    torch.testing.assert_close(scaler.unnormalise(scaled), data["const_test_unnormalised"], atol=1e-5, rtol=0)


def test_range_goes_to_plus_minus_one():
    vectors = torch.tensor([[[2.0, 5.0], [4.0, 5.0]]])
    scaler = MinMaxScaler.fit(vectors)
    assert scaler.normalise(vectors).tolist() == [[[-1.0, -1.0], [1.0, -1.0]]]
    assert scaler.unnormalise(torch.tensor([0.0, 0.0])).tolist() == [3.0, 5.5]


def test_widened_features_have_a_range_of_their_own():
    scaler = MinMaxScaler.fit(torch.tensor([[2.0, 5.0], [4.0, 9.0]])).widened(slice(1, 2), 4.0)
    assert scaler.normalise(torch.tensor([[2.0, 5.0], [4.0, 9.0]])).tolist() == [[-1.0, -4.0], [1.0, 4.0]]
    assert scaler.unnormalise(torch.tensor([0.5, 2.0])).tolist() == [3.5, 8.0]
    assert scaler.unnormalise(torch.tensor([0.0, 5.0])).tolist() == [3.0, 9.0]  # clipped at 4
    assert scaler.to("cpu").bound == 4.0
