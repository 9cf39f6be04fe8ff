"""What is the mujoco backend's own; what every backend must do is in test_simulator_contract.py."""

import torch

from skeleton2stage.physics.simulators.mujoco_simulator import MujocoSimulator


def test_any_number_of_threads_gives_the_same(humanoid, standing_state):
    ends = []
    targets = torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(4, 23, 1)
    for threads in (1, 2):
        simulator = MujocoSimulator(humanoid, 4, n_threads=threads)
        assert simulator.n_threads == threads
        simulator.set_state(torch.arange(4), standing_state(4))
        for _ in range(5):
            simulator.step(targets, torch.zeros(4, 6))
        ends.append(simulator.read().pos_w)
    assert torch.equal(*ends)
