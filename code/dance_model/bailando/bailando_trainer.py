"""Training a Bailando model in two stages: the VQ-VAE of bodies, then, with that frozen, the GPT of its codes.

Siyao et al., Bailando (CVPR 2022), sections 3.1 to 3.3. Its third stage, an actor-critic that rewards movement on the
beat, is what fine-tuning does here with other rewards.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from dance_model.bailando.bailando_losses import code_use, gpt_loss, reconstruction_figures, vqvae_losses
from dance_model.bailando.bailando_policy import BailandoPolicy
from dance_model.bailando.body_features import body_of
from dance_model.bailando.network import BailandoNetwork, MusicScale
from dance_model.bailando.training_config import BailandoTraining, StageConfig
from dance_model.bailando.vqvae import Body
from dance_model.training.windows import DanceWindows, augment
from skeleton2stage.curves import NOWHERE, Curves
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import EDGE
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import State, restore_state, write_state
from skeleton2stage.step_seeds import step_seed

STAGES = ("vqvae", "gpt")
_MEASURED_WINDOWS = 128
Log = Callable[[str, int, dict[str, float]], None]
Loss = tuple[torch.Tensor, dict[str, torch.Tensor]]  # a stage's loss and its terms, without gradient


class BailandoTrainer:
    """One run on one device; every random draw follows from seed, stage and step.

    windows: in EDGE's layout. run: folder of the state to resume from, None for none. log: given stage, step, figures.
    settings: what the run is compared by when it goes on; those of `config` where there are no others.
    """

    def __init__(
        self,
        config: BailandoTraining,
        windows: DanceWindows,
        run: Path | None = None,
        device: torch.device | str = "cpu",
        log: Log | None = None,
        settings: RunSettings | None = None,
    ) -> None:
        check_windows(windows, config)
        self.config, self.run, self.log = config, run, log or (lambda stage, step, figures: None)
        self.settings, self.curves = settings or RunSettings(config), NOWHERE
        self.windows, self.held_out = (part.to(device) for part in windows.split(config.held_out))
        if not len(self.windows):
            raise UserError("no training windows besides the held-out clips")
        torch.manual_seed(config.seed)
        self.network = BailandoNetwork(config.network).to(device)
        self.network.scale_music(MusicScale.of(self.windows.music))
        self.done = dict.fromkeys(STAGES, 0)
        self.optimisers = {name: self._optimiser(name) for name in STAGES}
        self._load()

    @property
    def is_finished(self) -> bool:
        """Whether both stages have taken all their steps."""
        return all(self.done[name] >= getattr(self.config, name).steps for name in STAGES)

    def train(self, curves: Curves = NOWHERE) -> BailandoPolicy:
        """Take the steps that are left of both stages and return the model."""
        self.curves = curves
        self._train_stage("vqvae", self.vqvae_loss)
        self.network.vqvae.eval().requires_grad_(False)
        self._train_stage("gpt", self.gpt_loss)
        return BailandoPolicy(self.network, self.config.music)

    def vqvae_loss(self, step: int) -> Loss:
        """Return the VQ-VAE's loss on windows drawn at random, and its terms; the codebooks learn."""
        body, _ = self._draw(self.config.vqvae.batch_size)
        vqvae, free = self.network.vqvae, self.config.free_steps
        if step == 0:
            vqvae.start_decoders(body)
        if step == free:
            vqvae.start_codebooks(body)
        if step < free:
            made, commitment = vqvae.unquantised(body), body.root.new_zeros(())
        else:
            made, _, commitment = vqvae(body, self.config.codebook)
        losses = vqvae_losses(made, body, commitment)
        return losses.total(self.config.losses), {name: term.detach() for name, term in losses._asdict().items()}

    def gpt_loss(self, step: int) -> Loss:  # noqa: ARG002 - a stage's signature
        """Return the GPT's loss on windows drawn at random: nats for a pair of codes."""
        body, music = self._draw(self.config.gpt.batch_size)
        loss = self._nats(body, music)
        return loss, {"nats": loss.detach()}

    @torch.no_grad()
    def figures(self) -> dict[str, float]:
        """Return what the model makes of held-out windows (of those trained on, where none are held out)."""
        windows = self.held_out if len(self.held_out) else self.windows
        index = torch.linspace(0, len(windows) - 1, min(_MEASURED_WINDOWS, len(windows))).long()
        index = index.to(windows.frames.device)
        body, vqvae, training = self._body(windows.vectors(index)), self.network.vqvae, self.network.training
        self.network.eval()
        codes = vqvae.encode(body)
        figures = reconstruction_figures(vqvae.decode(codes), body) | code_use(codes, self.config.network.vqvae.n_codes)
        figures["nats"] = float(self._nats(body, windows.music[index]))
        self.network.train(training)
        return figures

    def _train_stage(self, name: str, loss_of: Callable[[int], Loss]) -> None:
        stage: StageConfig = getattr(self.config, name)
        self.network.train()
        for step in self._steps(name, stage):
            torch.manual_seed(step_seed(self.config.seed, STAGES.index(name), step))
            loss, terms = loss_of(step)
            self._descend(name, stage.rate(step), loss)
            self.done[name] = step + 1
            if self.done[name] % self.config.log_every == 0:
                terms = {"loss": loss.detach()} | terms
                self._note(name, {key: float(term) for key, term in terms.items()})
            if self.done[name] % self.config.save_every == 0 or self.done[name] == stage.steps:
                self._note(name, {f"held_out/{key}": value for key, value in self.figures().items()})
                self.save()
        self.network.eval()

    def _note(self, stage: str, figures: dict[str, float]) -> None:
        """Log figures of a stage; curves go on over both, as some trackers take no step that is behind another."""
        self.log(stage, self.done[stage], figures)
        self.curves.log({f"{stage}/{name}": value for name, value in figures.items()}, sum(self.done.values()))

    def _descend(self, name: str, rate: float, loss: torch.Tensor) -> None:
        stage, optimiser = getattr(self.config, name), self.optimisers[name]
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._part(name).parameters(), stage.max_grad_norm)
        optimiser.step()

    def _steps(self, name: str, stage: StageConfig) -> Iterator[int]:
        return iter(tqdm(range(self.done[name], stage.steps), desc=name, initial=self.done[name], total=stage.steps))

    def _draw(self, batch: int) -> tuple[Body, torch.Tensor]:
        vectors, music = self.windows.draw(batch, self.config.augment)
        return self._body(augment(vectors, self.config.augment, EDGE)), music

    @staticmethod
    def _body(vectors: torch.Tensor) -> Body:
        return body_of(vectors[..., EDGE.rot6d], vectors[..., EDGE.translation])

    def _nats(self, body: Body, music: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            codes = self.network.vqvae.encode(body)
        gpt = self.network.gpt
        return gpt_loss(gpt(gpt.started(codes), gpt.encode_music(self.network.heard(music))), codes)

    def _part(self, name: str) -> nn.Module:
        return getattr(self.network, name)

    def _optimiser(self, name: str) -> torch.optim.AdamW:
        stage: StageConfig = getattr(self.config, name)
        return torch.optim.AdamW(
            self._part(name).parameters(), stage.learning_rate, betas=(0.9, 0.99), weight_decay=stage.weight_decay
        )

    def save(self) -> None:
        """Write the state to resume from, atomically."""
        if self.run is None:
            return
        books = {name: half.codebook for name, half in zip(("upper", "lower"), self.network.vqvae.halves, strict=True)}
        state: State = {
            "done": self.done,
            "network": self.network.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "averages": {name: {"use": book.use, "total": book.total} for name, book in books.items()},
        }
        write_state(self.run, state, self.settings)

    def _load(self) -> None:
        """Restore the run's state where it has one; raise UserError where it is another run's or damaged."""
        if self.run is not None:
            restore_state(self.run, self.settings, self._restore)

    def _restore(self, state: State) -> None:
        self.network.load_state_dict(state["network"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        for name, half in zip(("upper", "lower"), self.network.vqvae.halves, strict=True):
            half.codebook.use.copy_(state["averages"][name]["use"])
            half.codebook.total.copy_(state["averages"][name]["total"])
        self.done = state["done"]


def check_windows(windows: DanceWindows, config: BailandoTraining) -> None:
    """Raise UserError where windows do not suit the network."""
    found = (windows.frames.shape[1], windows.window_frames, windows.music.shape[2])
    expected = (EDGE.width, config.network.window_frames, config.network.music_features)
    if found != expected:
        raise UserError(f"windows have motion width, frames and music width {found}, the network takes {expected}")
