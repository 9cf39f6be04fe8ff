import pytest
import torch
from torch import nn

from rl_finetune.low_rank import adapt, merged
from skeleton2stage.errors import UserError


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.frozen = nn.Linear(6, 8), nn.Linear(8, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.narrow = nn.Linear(8, 2)
        self.frozen.requires_grad_(False)

    def forward(self, x):
        hidden = self.frozen(self.first(x))
        return self.narrow(self.attention(hidden, hidden, hidden, need_weights=False)[0])


def trained(network):
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


@pytest.fixture()
def x():
    return torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(1))


def test_an_adapted_network_computes_what_it_did_and_learns_little(x):
    plain, network = Network(), Network()
    learning = adapt(network, trained(network), rank=2, seed=0)
    torch.testing.assert_close(network(x), plain(x), rtol=1e-5, atol=1e-6)
    # The first layer, and the attention's two: two products each; the frozen layer and the one of two outputs: none.
    assert sorted(tuple(parameter.shape) for parameter in learning) == sorted(
        [(2, 6), (8, 2), (2, 8), (24, 2), (2, 8), (8, 2)]
    )
    assert {id(parameter) for parameter in trained(network)} == {id(parameter) for parameter in learning}


def test_a_step_is_of_the_rank_and_merged_it_is_a_plain_network(x):
    plain, network = Network(), Network()
    learning = adapt(network, trained(network), rank=2, seed=0)
    optimiser = torch.optim.SGD(learning, lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        network(x).square().sum().backward()
        optimiser.step()
    other = Network()
    other.load_state_dict(merged(network))
    torch.testing.assert_close(other(x), network(x))
    change = (other.first.weight - plain.first.weight).detach()
    assert torch.linalg.matrix_rank(change, rtol=1e-4) == 2
    for name in ("frozen.weight", "first.bias", "narrow.weight"):
        assert torch.equal(other.state_dict()[name], plain.state_dict()[name])


def test_the_seed_alone_decides():
    products = []
    for seed in (0, 0, 1):
        network = Network()
        torch.manual_seed(len(products))
        products.append(adapt(network, trained(network), rank=1, seed=seed)[0])
    assert torch.equal(products[0], products[1]) and not torch.equal(products[0], products[2])


def test_a_network_without_such_matrices_is_told():
    network = nn.Sequential(nn.Conv1d(3, 3, 3), nn.Linear(8, 2))
    with pytest.raises(UserError, match="lora_rank=2 is for linear and attention layers wider than it"):
        adapt(network, trained(network), rank=2, seed=0)
