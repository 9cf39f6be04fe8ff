"""Bailando as a policy: its steps are codes, its densities are categorical, and nothing is diffused.

Credit. Fine-tuning adds up, over steps s, the mean over dances and frames of A[n, t] log p[s, n, t], so what a step's
log-probability is laid upon decides which frames' advantages it answers for. The two codes of a moment are one
action, whose log-probability is the sum of theirs. It is laid upon, and is zero on the other frames,

- "frame" (the usual): the k frames that the code decodes to. The sum is then k/T sum_s log p_s mean_{t in s} A_t.
  Where a dance has one advantage, it is the policy gradient exactly, times k/T. Where advantages go by frame, each code
  answers for what it shows and not for what it leads to, which is biased, but is spared the noise of all
  other frames. That is the trade that credit by frame makes for diffusion too.
- "later": its own frames and all after them: reward-to-go. What came before cannot be the code's doing, so that this is
  the gradient of the sum of rewards by frame with the needless noise left out (Williams, 1992; Sutton et al., 2000).
  It is not for advantages of whole dances, of which early codes would get most.
- "dance": all frames. Exact for every kind of advantage, and the noisiest.

All lay 0 or 1 times log p, never a fraction, so that the ratios of importance sampling stay ratios of densities.
A decoder's receptive field reaches into the neighbouring codes' frames, which "frame" and "later" overlook.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import roma
import torch

from dance_model.bailando.body_features import motion_of
from dance_model.bailando.code_sampling import Drawn, chosen, divergence, draw, scored
from dance_model.bailando.network import BailandoNetwork, NetworkConfig
from dance_model.batch import DanceBatch
from dance_model.dance_policy import DancePolicy, Rollout, RolloutOptions, StepScores, probed_dances
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.music.kinds import BASELINE, WIDTHS

CREDITS = ("frame", "later", "dance")
Outlook = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class BailandoSettings:
    """How codes are drawn and credited.

    temperature: of the softmax; the densities that are scored and trained are of the same one. Bailando takes the
    likeliest codes, which leaves nothing to learn from. credit: one of CREDITS.
    """

    temperature: float = 1.0
    credit: str = "frame"

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise UserError(f"temperature must be above 0, not {self.temperature}")
        if self.credit not in CREDITS:
            raise unknown_name("credit", self.credit, list(CREDITS))


class BailandoPolicy(DancePolicy):
    """A GPT of codes, trained; the VQ-VAE that reads and writes them is frozen.

    Of the options none applies: codes are drawn in float32, by kernels that are not fused, without guidance.
    """

    family: ClassVar[str] = "bailando"
    module: BailandoNetwork

    def __init__(
        self,
        module: BailandoNetwork,
        music: str = BASELINE,
        options: RolloutOptions | None = None,
        settings: BailandoSettings | None = None,
    ) -> None:
        super().__init__(module, music, options)
        self.settings = settings or BailandoSettings()
        self.window_frames = module.config.window_frames
        if music not in WIDTHS:
            raise unknown_name("kind of music features", music, list(WIDTHS))
        if WIDTHS[music] != module.config.music_features:
            raise UserError(
                f"{music} music features are {WIDTHS[music]} wide, but the model hears {module.config.music_features}"
            )
        module.vqvae.requires_grad_(False)

    @torch.no_grad()
    def roll_out(self, music: torch.Tensor, generator: torch.Generator, record: bool = True) -> Rollout:
        """Return one dance to each window of music [N, T, F]; codes are kept always, for they are the dance."""
        drawn = draw(self.module.gpt, self.module.heard(music), generator, self.settings.temperature)
        return Rollout(music, drawn, drawn.codes.shape[1])

    @torch.no_grad()
    def dances(self, rollout: Rollout) -> DanceBatch:
        """Return the dances of a roll-out, each starting over the origin."""
        return self._decoded(self._trace(rollout).codes)

    def log_prob(self, rollout: Rollout, dances: slice, steps: list[int]) -> torch.Tensor:
        """Return, with gradient, the log-probability of recorded codes, [S, n, T] by frame; see the module for how."""
        return self._by_frame(self._code_log_prob(rollout, dances), rollout, steps)

    def recorded_log_prob(self, rollout: Rollout) -> torch.Tensor:
        """Return the log-probability of every code when it was drawn, [n_steps, N, T]."""
        return self._by_frame(self._trace(rollout).log_prob, rollout, self.scored_steps(rollout))

    @contextmanager
    def scoring(self, rollout: Rollout, dances: slice) -> Iterator[StepScores]:
        """Yield `log_prob` of the chosen dances: one pass for all codes, and one back through it on leaving."""
        log_prob = self._code_log_prob(rollout, dances)
        leaf = log_prob.detach().requires_grad_()
        yield lambda steps: self._by_frame(leaf, rollout, steps)
        if leaf.grad is not None and log_prob.requires_grad:
            log_prob.backward(leaf.grad)

    @torch.no_grad()
    def outlook(self, rollout: Rollout) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the log-probabilities of all codes, where some dances' were drawn, [n, S, n_codes] twice."""
        return self._scores(rollout, probed_dances(rollout))

    def drift(
        self, rollout: Rollout, now: Outlook, before: Outlook, base: Outlook
    ) -> dict[str, float]:
        """Return how far the model has gone, on some of its own dances.

        step_size: root mean square change of codes' log-probabilities by the update. kl: divergence from the base model
        of the code that covers a frame, exact, mean over dances and frames.
        """
        codes = self._trace(rollout).codes[probed_dances(rollout)]
        return {
            "step_size": float((chosen(now, codes) - chosen(before, codes)).square().mean().sqrt()),
            "kl": float(divergence(now, base).mean()),
        }

    def long_dances(self, music: Sequence[torch.Tensor], generator: torch.Generator) -> list[DanceBatch]:
        """Return one dance to each piece's windows [N_i, T, F]: codes go on from those before, half a window at a time.

        All codes of a dance are decoded as one, so that there is nothing to blend.
        """
        with torch.no_grad():
            return [self._decoded(self._long_codes(own.to(self.device), generator)) for own in music]

    def _long_codes(self, windows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return codes [1, S (N + 1) / 2, 2] to windows of music [N, T, F].

        Bailando (Siyao et al., CVPR 2022, section 3.3) slides its window code by code. By halves the music's windows
        are those of the other families, and a window's moments stay those that the GPT was trained on.
        """
        n_codes, temperature = self.module.config.n_moments, self.settings.temperature
        if n_codes % 2:
            raise UserError(f"windows of {n_codes} codes cannot overlap by half: take an even number")
        parts: list[torch.Tensor] = []
        for window in windows.split(1):
            given = parts[-1][:, -(n_codes // 2) :] if parts else None
            codes = draw(self.module.gpt, self.module.heard(window), generator, temperature, given).codes
            parts.append(codes if given is None else codes[:, given.shape[1] :])
        return torch.cat(parts, dim=1)

    def _decoded(self, codes: torch.Tensor) -> DanceBatch:
        rotmat, translation = motion_of(self.module.vqvae.decode(codes))
        return DanceBatch(roma.rotmat_to_rotvec(rotmat), translation)

    def config(self) -> dict[str, Any]:
        """Return sizes, settings and the kind of music."""
        return {
            "music": self.music,
            "network": self.module.config.plain(),
            "temperature": self.settings.temperature,
            "credit": self.settings.credit,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return an untrained model of a configuration, as `config` or a checkpoint's json has it."""
        missing = {"music", "network", "temperature", "credit"} - config.keys()
        if missing:
            raise UserError(f"the description of a Bailando model lacks {', '.join(sorted(missing))}")
        settings = BailandoSettings(config["temperature"], config["credit"])
        module = BailandoNetwork(NetworkConfig.from_plain(config["network"]))
        return cls(module, config["music"], settings=settings)

    def _scores(self, rollout: Rollout, dances: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the log-probabilities of all codes, where the chosen dances' were drawn, [n, S, n_codes] twice."""
        codes, heard = self._trace(rollout).codes[dances], self.module.heard(rollout.music[dances])
        return scored(self.module.gpt, codes, heard, self.settings.temperature)

    def _code_log_prob(self, rollout: Rollout, dances: slice) -> torch.Tensor:
        """Return the log-probability of each moment's codes, [n, S]."""
        return chosen(self._scores(rollout, dances), self._trace(rollout).codes[dances])

    def _by_frame(self, log_prob: torch.Tensor, rollout: Rollout, steps: list[int]) -> torch.Tensor:
        """Return log-probabilities [n, S] of the chosen steps laid upon the frames they answer for, [s, n, T]."""
        frames = torch.arange(rollout.music.shape[1], device=log_prob.device) // self.module.vqvae.frames_per_code
        step = torch.tensor(steps, device=log_prob.device)[:, None]
        answers = {"frame": frames == step, "later": frames >= step, "dance": frames >= 0 * step}[self.settings.credit]
        return log_prob.T[steps][:, :, None] * answers[:, None].to(log_prob.dtype)

    @staticmethod
    def _trace(rollout: Rollout) -> Drawn:
        if not isinstance(rollout.trace, Drawn):
            raise UserError(f"this roll-out has no codes but {type(rollout.trace).__name__}: roll out with this model")
        return rollout.trace
