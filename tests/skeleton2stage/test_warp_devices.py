"""Warp's devices: no noise where there is no GPU, and stderr as it was afterwards."""

import subprocess
import sys

import pytest
import torch

pytest.importorskip("warp")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_cpu_is_found_without_a_word_about_gpus():
    code = (
        "import sys, torch; from skeleton2stage.warp_devices import warp_device; "
        "print(warp_device(torch.device('cpu'))); print('still here', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "cpu\n"
    assert done.stderr == "still here\n"
