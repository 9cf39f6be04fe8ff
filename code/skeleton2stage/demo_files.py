"""What commands use unless they are told otherwise: what ships, and the mocap that the demo was trained on.

Paths are relative to the project, as those in presets are (`skeleton2stage.paths`).
"""

from pathlib import Path

BASE_MODEL = Path("checkpoints/demo/dance_model.safetensors")
TUNED_MODEL = Path("checkpoints/demo/dance_model_tuned.safetensors")
IMITATION_POLICY = Path("checkpoints/demo/imitation_policy.safetensors")
TRACKS = Path("checkpoints/demo/tracks.json")
REWARDS = Path("code/rl_finetune/reward.yaml")
CMU_DANCE = Path("data/cmu_dance")
HELD_OUT = ("60_12", "61_12", "60_05", "61_05", "131_02")  # clips of it that nothing that ships was trained on
