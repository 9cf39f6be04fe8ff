import numpy as np
import pytest
from PIL import Image

from skeleton2stage.render.moving_picture import write_moving_picture


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_moving_picture_has_every_picture_at_its_rate_and_no_end(suffix, tmp_path):
    pictures = (np.full((48, 64, 3), 30 * index, dtype=np.uint8) for index in range(6))
    write_moving_picture(tmp_path / f"a{suffix}", pictures, fps=20)
    with Image.open(tmp_path / f"a{suffix}") as image:
        assert (image.size, image.n_frames, image.info["loop"]) == ((64, 48), 6, 0)
        shades = []
        for index in range(6):
            image.seek(index)
            shades.append(np.asarray(image.convert("RGB")).mean())
            assert image.info["duration"] == 50
    np.testing.assert_allclose(shades, 30 * np.arange(6), atol=6)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]
