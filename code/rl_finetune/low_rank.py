"""Low-rank adaptation (Hu et al., "LoRA", ICLR 2022): matrices stay, and products of two thin ones learn with them."""

import torch
from torch import nn
from torch.nn.utils import parametrize

from skeleton2stage.errors import UserError

# Layers whose matrices are adapted, with the name of each. An embedding's rows are no matrix that is multiplied.
_MATRICES = {nn.Linear: "weight", nn.MultiheadAttention: "in_proj_weight"}


class LowRank(nn.Module):
    """W + B A of a matrix W [out, in]: A [rank, in] begins at random, B [out, rank] at zero, so that W is as it was."""

    def __init__(self, weight: torch.Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        n_out, n_in = weight.shape
        down = torch.randn(rank, n_in, generator=generator) / n_in**0.5
        self.down = nn.Parameter(down.to(weight))
        self.up = nn.Parameter(weight.new_zeros(n_out, rank))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return the adapted matrix."""
        return weight + self.up @ self.down


def adapt(module: nn.Module, trained: list[nn.Parameter], rank: int, seed: int) -> list[nn.Parameter]:
    """Give the trained matrices of linear and attention layers a product of a rank each; return what learns then.

    All other parameters are frozen, and so are matrices no larger than the rank. The module computes what it did. The
    same seed gives the same products. Raises UserError where there is no such matrix.
    """
    generator, wanted = torch.Generator().manual_seed(seed), {id(parameter) for parameter in trained}
    matrices = [
        (layer, name) for layer in module.modules() for kind, name in _MATRICES.items() if isinstance(layer, kind)
        and id(matrix := getattr(layer, name)) in wanted and min(matrix.shape) > rank
    ]
    if not matrices:
        raise UserError(f"lora_rank={rank} is for linear and attention layers wider than it, and this model has none")
    module.requires_grad_(False)
    learning: list[nn.Parameter] = []
    for layer, name in matrices:
        product = LowRank(getattr(layer, name), rank, generator)
        parametrize.register_parametrization(layer, name, product)
        learning += product.parameters()
    return learning


def merged(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return the state of the module as it was before it was adapted, with the products added to their matrices."""
    state = {name: value for name, value in module.state_dict().items() if "parametrizations" not in name.split(".")}
    for place, layer in module.named_modules():
        for name in getattr(layer, "parametrizations", ()):
            state[f"{place}.{name}".removeprefix(".")] = getattr(layer, name).detach()
    return state
