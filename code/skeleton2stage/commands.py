"""Which dataclass holds the settings of each command, and which module each command runs.

By name, so that reading a command line imports that command alone and this library nothing above it.
"""

import importlib
import sys

from skeleton2stage.errors import UserError, unknown_name

SETTINGS = {
    "convert": "skeleton2stage.motion.convert.convert_config:ConvertConfig",
    "eval_checkpoint": "rl_finetune.eval_checkpoint:EvalCheckpointConfig",
    "evaluate": "rl_finetune.evaluate:EvaluateConfig",
    "export": "skeleton2stage.export.__main__:ExportConfig",
    "export_checkpoint": "dance_model.export_checkpoint:ExportCheckpointConfig",
    "features": "skeleton2stage.music.features:FeaturesConfig",
    "finetune": "rl_finetune.finetune_config:FinetuneConfig",
    "plausibility": "pretrain.plausibility_config:PlausibilityConfig",
    "pretrain": "pretrain.pretrain_config:PretrainConfig",
    "render": "skeleton2stage.render.__main__:RenderConfig",
    "sample": "rl_finetune.sample:SampleConfig",
    "score": "skeleton2stage.physics.score.score_config:ScoreConfig",
    "tracks": "skeleton2stage.music.tracks:TracksConfig",
    "train_edge": "dance_model.training.train_edge_config:TrainEdgeConfig",
    "view": "skeleton2stage.view.__main__:ViewConfig",
}

# The preset that is taken where none is given, of the commands that have some: the files of configs/COMMAND.
DEFAULT_PRESETS = {"eval_checkpoint": "plain", "finetune": "demo", "pretrain": "demo", "train_edge": "demo"}

# What `skeleton2stage COMMAND` runs: the module of `python -m MODULE`, and what it does in a line.
PROGRAMS = {
    "doctor": ("skeleton2stage.doctor", "say what this machine can run, and what is missing"),
    "sample": ("rl_finetune.sample", "dance to songs"),
    "score": ("skeleton2stage.physics.score", "let the simulator judge motions, and say what is wrong with them"),
    "evaluate": ("rl_finetune.evaluate", "measure motions, or set results side by side"),
    "convert": ("skeleton2stage.motion.convert", "read any motion format, check a data set"),
    "render": ("skeleton2stage.render", "make a video, stills or a moving picture"),
    "view": ("skeleton2stage.view", "turn, stop and compare dances in the browser"),
    "export": ("skeleton2stage.export", "write GLB, USD, BVH or OBJ files"),
    "features": ("skeleton2stage.music.features", "keep music features"),
    "tracks": ("skeleton2stage.music.tracks", "make percussion tracks"),
    "finetune": ("rl_finetune.finetune", "fine-tune a dance model by rewards (run.sh)"),
    "eval-checkpoint": ("rl_finetune.eval_checkpoint", "sample with a fine-tuned model and measure (eval.sh)"),
    "train-dance-model": ("dance_model.train_dance_model", "train a dance model (train_edge.sh)"),
    "train-policy": ("pretrain.train_imitation", "train the imitation policy (train.sh)"),
    "plausibility": ("pretrain.plausibility", "damage good motions and see who notices"),
    "export-checkpoint": ("dance_model.export_checkpoint", "write a dance model for EDGE's or POPDG's own code"),
    "launch": ("skeleton2stage.launch", "run a training in several processes: launch PROCESSES MODULE [key=value …]"),
}


def settings_of(name: str) -> type:
    """Return the dataclass that declares a command's settings."""
    if name not in SETTINGS:
        raise unknown_name("configuration", name, list(SETTINGS))
    return _find(*SETTINGS[name].split(":"))


def _find(module: str, cls: str) -> type:
    main = sys.modules["__main__"]
    if getattr(main.__spec__, "name", None) == module and hasattr(main, cls):
        return getattr(main, cls)  # the program that runs is not to be imported a second time
    try:
        return getattr(importlib.import_module(module), cls)
    except ImportError as error:
        raise UserError(f"{module} cannot be loaded: {error}") from error
