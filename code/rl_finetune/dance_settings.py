"""What `sample` and `eval_checkpoint` have in common: how dances are drawn from a model, and what is done to them."""

from dataclasses import dataclass

from dance_model.families import family_setting
from dance_model.sampling.fgd_guidance import FORMS, NONE
from skeleton2stage.devices import device_setting
from skeleton2stage.settings import seed_setting, setting


@dataclass(frozen=True, kw_only=True)
class DanceSettings:
    """How dances are drawn from the model, and what is done to them."""

    family: str | None = family_setting()
    seconds: float | None = setting(
        "longest dance, s, from the beginning of the song; at least 5; null: the whole song (metrics are of 20 s)",
        default=20.0, above=0,
    )
    samples_per_song: int = setting(
        "dances to each song, as SONG_1.pkl and so on where there are several; the paper takes 4", default=1, minimum=1
    )
    seed: int = seed_setting("the same seed on the same machine gives the same dances", default=0)
    n_steps: int = setting("DDIM steps", default=50, minimum=1)
    eta: float = setting("scale of DDIM's noise", default=1.0, minimum=0)
    guidance: float | None = setting(
        "classifier-free guidance weight, how closely to follow the music; null: the model's own (2 for EDGE's)",
        default=None,
    )
    project: int = setting(
        "denoising steps, the last ones, whose predictions are performed in the simulator first; 0: none "
        "(docs/sampling.md)",
        default=0, minimum=0,
    )
    fgd_guidance: str = setting(
        "lowest joint pulled to one floor at the last step: none, metric, published (its gain falls with the model's "
        "range of heights)",
        default=NONE, choices=FORMS,
    )
    smooth_flips: bool = setting(
        "make flips of the heading, a body turned about within a frame or two, turns that a person can make; off where "
        "a model is measured (docs/sampling.md)",
        default=False,
    )
    foot_lock: bool = setting(
        "afterwards hold feet that are predicted to touch, and put the floor at z = 0", default=False
    )
    device: str = device_setting("where the dance model lives")
