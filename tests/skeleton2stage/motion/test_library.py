"""A motion library's own list."""

import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.motion.library import Clip, read_library, write_library


@pytest.mark.parametrize("file", ["../other.pkl", "a/../../other.pkl", "/tmp/other.pkl"])
def test_a_list_that_leads_out_of_its_folder_is_refused(file, tmp_path):
    write_library(tmp_path, {file: Clip(file, "source.bvh", "stamp", accepted=True)})
    with pytest.raises(UserError, match="names a file outside its folder"):
        read_library(tmp_path)


def test_a_list_comes_back(tmp_path):
    clip = Clip("below/a.pkl", "a.bvh", "stamp", accepted=True, frames=30, seconds=1.0)
    write_library(tmp_path, {clip.file: clip})
    assert read_library(tmp_path) == {clip.file: clip}
