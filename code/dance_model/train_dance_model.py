"""Train a base dance model of any family: what train_edge.sh runs; `family=` chooses, edge where none is given."""

import importlib

from skeleton2stage.errors import run_main, unknown_name

EDGE = "edge"
# Modules whose `main` trains a family. Diffusions share one, and read which they are from its configuration.
TRAININGS = {
    EDGE: "dance_model.training.train_edge",
    "popdg": "dance_model.training.train_edge",
    "bailando": "dance_model.bailando.train_bailando",
}


def main(arguments: list[str]) -> None:
    """Hand the arguments to the family's own training."""
    given = [argument.removeprefix("family=") for argument in arguments if argument.startswith("family=")]
    family = given[-1] if given else EDGE
    if family not in TRAININGS:
        raise unknown_name("family of dance models that can be trained here", family, list(TRAININGS))
    module = importlib.import_module(TRAININGS[family])
    shared = TRAININGS[family] == TRAININGS[EDGE]
    module.main([argument for argument in arguments if shared or not argument.startswith("family=")])


if __name__ == "__main__":
    run_main(main)
