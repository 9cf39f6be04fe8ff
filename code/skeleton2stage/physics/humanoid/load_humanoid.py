"""The humanoid of a body, by the body's name."""

from skeleton2stage.body.body_model import BodyModel, load_body
from skeleton2stage.physics.humanoid.build_humanoid import build_humanoid
from skeleton2stage.physics.humanoid.humanoid import Humanoid


def load_humanoid(body: str | BodyModel = "open") -> Humanoid:
    """Return the humanoid cut from a body, or from one by the names and files that `load_body` takes."""
    loaded = load_body(body)
    return build_humanoid(loaded.rest_vertices, loaded.weights, loaded.rest_joints)
