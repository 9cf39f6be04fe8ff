"""Adan, the optimiser EDGE is trained with.

Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
arXiv 2208.06677, algorithm 1, with the bias correction of its released code.
"""

from collections.abc import Callable, Iterable

import torch
from torch.optim import Optimizer


class Adan(Optimizer):
    """Adan with decoupled weight decay.

    With g the gradient and d its change since the last step, the averages are
    m <- (1 - b1) m + b1 g,  v <- (1 - b2) v + b2 d,  n <- (1 - b3) n + b3 (g + (1 - b2) d)^2,
    each divided by 1 - (1 - b)^step, and theta <- (theta - lr (m + (1 - b2) v) / (sqrt(n) + eps))
    / (1 + lr decay).
    """

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float, float] = (0.02, 0.08, 0.01),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> torch.Tensor | None:
        """Take one step; parameters without a gradient are left alone."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                self._step_group(parameters, group)
        return loss

    def _step_group(self, parameters: list[torch.Tensor], group: dict) -> None:
        gradients = [p.grad for p in parameters]
        states = [self._state_of(p) for p in parameters]
        step = states[0]["step"] + 1
        for state in states:
            state["step"] = step
        m, v, n, previous = ([state[key] for state in states] for key in ("m", "v", "n", "previous_gradient"))
        b1, b2, b3 = group["betas"]
        change = torch._foreach_sub(gradients, previous)
        torch._foreach_copy_(previous, gradients)
        torch._foreach_lerp_(m, gradients, b1)
        torch._foreach_lerp_(v, change, b2)
        ahead = torch._foreach_add(gradients, change, alpha=1 - b2)
        torch._foreach_mul_(n, 1 - b3)
        torch._foreach_addcmul_(n, ahead, ahead, b3)
        _apply_update(parameters, (m, v, n), tuple(1 - (1 - b) ** step for b in (b1, b2, b3)), group)

    def _state_of(self, parameter: torch.Tensor) -> dict:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            # The first step has no last gradient; the paper starts the difference at zero.
            state["previous_gradient"] = parameter.grad.clone()
            state.update({key: torch.zeros_like(parameter) for key in ("m", "v", "n")})
        return state


def _apply_update(
    parameters: list[torch.Tensor], averages: tuple, corrections: tuple[float, float, float], group: dict
) -> None:
    m, v, n = averages
    lr, b2 = group["lr"], group["betas"][1]
    direction = torch._foreach_div(m, corrections[0])
    torch._foreach_add_(direction, v, alpha=(1 - b2) / corrections[1])
    scale = torch._foreach_sqrt(torch._foreach_div(n, corrections[2]))
    torch._foreach_add_(scale, group["eps"])
    torch._foreach_addcdiv_(parameters, direction, scale, value=-lr)
    torch._foreach_div_(parameters, 1 + lr * group["weight_decay"])
