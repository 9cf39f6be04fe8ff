"""How far fine-tuning has led: the size of an update's step, and the divergence from the base model."""

from typing import Any

from dance_model.dance_policy import DancePolicy, Rollout


class DriftProbe:
    """Watches what a policy expects at a few of its own steps, beside what the base model would."""

    def __init__(self, policy: DancePolicy) -> None:
        self._policy, self._base = policy, policy.frozen_copy()

    def outlook(self, rollout: Rollout) -> Any:  # noqa: ANN401 - each family's own
        """Return what the policy expects now, to be given to `figures` after an update."""
        return self._policy.outlook(rollout)

    def figures(self, rollout: Rollout, before: Any) -> dict[str, float]:  # noqa: ANN401
        """Return `step_size` and `kl` (see `DancePolicy.drift`), `before` being what was expected before the update."""
        return self._policy.drift(rollout, self._policy.outlook(rollout), before, self._base.outlook(rollout))
