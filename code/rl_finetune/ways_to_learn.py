"""What fine-tuning learns by: algorithms, each with an optimiser of its own."""

from dataclasses import dataclass, replace

import torch

from dance_model.dance_policy import DancePolicy
from dance_model.diffusion_policy import DiffusionPolicy
from rl_finetune.algorithms.algorithm import Algorithm
from rl_finetune.algorithms.direct import Direct
from rl_finetune.algorithms.policy_gradient import GradientConfig, PolicyGradient, StepChoice
from rl_finetune.finetune_config import DIRECT, FinetuneConfig
from rl_finetune.rewards.reward import RewardContext
from skeleton2stage.body.spheres import fill_body
from skeleton2stage.errors import UserError


@dataclass(frozen=True)
class Learner:
    """An algorithm and the optimiser that takes its steps."""

    algorithm: Algorithm
    optimiser: torch.optim.Optimizer


def make_learners(
    config: FinetuneConfig, policy: DancePolicy, parameters: list[torch.nn.Parameter], context: RewardContext
) -> dict[str, Learner]:
    """Return by name the algorithms that a run's epochs go by.

    Raises UserError where the family's models cannot learn by one of them.
    """

    def learner(algorithm: Algorithm, learning_rate: float) -> Learner:
        adam = torch.optim.AdamW(
            parameters, lr=learning_rate, weight_decay=config.weight_decay, betas=config.adam_betas
        )
        return Learner(algorithm, adam)

    learners = {}
    if config.is_direct(0):
        if not isinstance(policy, DiffusionPolicy):
            raise UserError(
                f"direct epochs teach a diffusion what to predict, and family '{policy.family}' predicts nothing of "
                "the kind: give algorithm=policy_gradient direct_epochs=0"
            )
        direct = replace(config.direct, precision=config.precision, compiled=config.compiled)
        learners[DIRECT] = learner(Direct(direct, fill_body(context.body())), config.direct_learning_rate)
    if config.algorithm != DIRECT:
        gradient = GradientConfig(config.dances_per_pass, config.steps_per_pass, config.clip_range)
        steps = StepChoice(config.trained_steps, config.min_trained_time)
        learners[config.algorithm] = learner(
            PolicyGradient(gradient, steps, config.inner_epochs), config.learning_rate
        )
    return learners
