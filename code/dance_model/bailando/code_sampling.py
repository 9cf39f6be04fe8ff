"""Drawing codes one moment after the other, and scoring those that were drawn in one pass.

Both use the same distribution, the softmax of the logits over the temperature, so that what is drawn can be scored. At
a moment the upper and the lower body's codes are independent given all before (Bailando, CVPR 2022, section 3.3), and
the log-probability of the pair is the sum.
"""

from typing import NamedTuple

import torch

from dance_model.bailando.gpt import CrossConditionalGpt, Logits


class Drawn(NamedTuple):
    """Codes [N, S, 2] of N dances, upper body's first, and the log-probability [N, S] that each pair was drawn with."""

    codes: torch.Tensor
    log_prob: torch.Tensor


@torch.no_grad()
def draw(
    gpt: CrossConditionalGpt,
    music: torch.Tensor,
    generator: torch.Generator,
    temperature: float = 1.0,
    given: torch.Tensor | None = None,
) -> Drawn:
    """Return codes drawn to the music of each, [N, S, M]; `generator` is on the network's device.

    given: codes [N, P, 2] to begin with, whose log-probability is zero.
    """
    music = gpt.encode_music(music)
    n_given = 0 if given is None else given.shape[1]
    n, n_codes = music.shape[:2]
    codes = torch.zeros(n, n_codes, 2, dtype=torch.long, device=music.device)
    log_prob, memory = music.new_zeros(n, n_codes), gpt.memory()
    latest = gpt.started(codes[:, :1])
    for moment in range(n_codes):
        logits = gpt(latest, music[:, moment : moment + 1], memory, moment)
        scores = [half[:, 0] for half in distributions(logits, temperature)]
        if moment < n_given:
            latest = given[:, moment : moment + 1]
        else:
            latest = torch.stack([torch.multinomial(s.exp(), 1, generator=generator) for s in scores], dim=-1)
            log_prob[:, moment] = sum(s.gather(1, latest[..., i])[:, 0] for i, s in enumerate(scores))
        codes[:, moment] = latest[:, 0]
    return Drawn(codes, log_prob)


def distributions(logits: Logits, temperature: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the log-probabilities of all codes of the upper and of the lower body, [N, S, n_codes] each."""
    upper, lower = (torch.log_softmax(half.float() / temperature, dim=-1) for half in logits)
    return upper, lower


def scored(
    gpt: CrossConditionalGpt, codes: torch.Tensor, music: torch.Tensor, temperature: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `distributions` where codes [N, S, 2] were drawn, to the music of each, [N, S, M]; one pass for all."""
    return distributions(gpt(gpt.started(codes), gpt.encode_music(music)), temperature)


def chosen(scores: tuple[torch.Tensor, torch.Tensor], codes: torch.Tensor) -> torch.Tensor:
    """Return the log-probabilities [N, S] of pairs of codes [N, S, 2] among those of all codes."""
    upper, lower = (half.gather(-1, codes[..., i : i + 1])[..., 0] for i, half in enumerate(scores))
    return upper + lower


def divergence(own: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Return the Kullback-Leibler divergence [N, S] of pairs from others', exact: a sum over all codes."""
    halves = [(p.exp() * (p - q)).sum(dim=-1) for p, q in zip(own, other, strict=True)]
    return halves[0] + halves[1]
