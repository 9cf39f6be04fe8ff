"""Whose body a motion is judged on and drawn with: one for all, or each person's own."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from skeleton2stage.body.body_families import FAMILIES, GENDERS
from skeleton2stage.body.body_model import OPEN, BodyModel, load_body
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion.motion import Motion
from skeleton2stage.settings import setting

MEAN, FROM_MOTION = "mean", "from_motion"
AUTO = "auto"
BETAS = (MEAN, FROM_MOTION)
BODY_GENDERS = (AUTO, *GENDERS)
_ROUNDED = 4  # decimals of coefficients that tell people apart
# SMPL-H has SMPL's shapes; SMPL-X's are others.
_SHAPE_SPACE = {"smpl": "smpl", "smplh": "smpl", "smplx": "smplx"}


@dataclass(frozen=True)
class BodyChoice:
    """The body by its settings.

    body: as `load_body` takes it. gender: of the family's files; auto is neutral for the mean body, and each person's
    own otherwise. betas: mean, as the paper's protocol has it, or from_motion: each person's own shape.
    """

    body: str | BodyModel = OPEN
    gender: str = AUTO
    betas: str = MEAN

    def __post_init__(self) -> None:
        for name, choices in (("gender", BODY_GENDERS), ("betas", BETAS)):
            if getattr(self, name) not in choices:
                raise unknown_name(name, getattr(self, name), list(choices))
        if self.betas == FROM_MOTION and self.body == OPEN:
            raise UserError("betas=from_motion needs SMPL's own shapes, which the open body has not: give body=smpl")
        if self.gender not in (AUTO, "neutral") and self.body not in FAMILIES:
            raise UserError(f"gender={self.gender} chooses a file of {', '.join(FAMILIES)}, and body is {self.body}")

    @property
    def is_own(self) -> bool:
        """Whether each motion has its own body."""
        return self.betas == FROM_MOTION

    def mean(self) -> BodyModel:
        """Return the one body for all: of mean shape."""
        return load_body(self.body, "neutral" if self.gender == AUTO else self.gender)

    def check(self, motion: object) -> None:
        """Raise UserError where a motion's own body is wanted and cannot be had."""
        if self.is_own and isinstance(motion, Motion):
            self.key(motion)

    def key(self, motion: Motion) -> tuple[str, tuple[float, ...]]:
        """Return the gender and the coefficients of the body of a motion: the same for the same body.

        Raises UserError where the file says no shape, or one of another gender's or family's space.
        """
        if not self.is_own:
            return ("neutral" if self.gender == AUTO else self.gender), ()
        shape = motion.shape
        if shape is None:
            raise UserError("its file says no body shape (betas): give betas=mean, or a file that does")
        if self.gender not in (AUTO, shape.gender):
            raise UserError(f"its betas are those of a {shape.gender} body: give gender=auto, not gender={self.gender}")
        space, own = _SHAPE_SPACE.get(self.body), _SHAPE_SPACE.get(shape.family)
        if space and own and space != own:
            raise UserError(f"its betas are {shape.family}'s, which mean another shape in {self.body}: give body={own}")
        return shape.gender, tuple(round(value, _ROUNDED) for value in shape.betas)

    def of(self, motion: Motion) -> BodyModel:
        """Return the body of a motion; see `key`."""
        gender, betas = self.key(motion)
        return _person(self.body, gender, betas)

    def groups(self, motions: Iterable[Motion]) -> list[list[int]]:
        """Return the numbers of the motions that share a body, group by group."""
        found: dict[tuple[str, tuple[float, ...]], list[int]] = {}
        for number, motion in enumerate(motions):
            found.setdefault(self.key(motion), []).append(number)
        return list(found.values())


@dataclass(frozen=True, kw_only=True)
class BodySettings:
    """Whose body motions have."""

    body: str = setting(
        "body that motions are drawn on and measured with, and that the humanoid is cut from: open (it ships); smpl, "
        "smplh, smplx with your own files (environment/README.md); or a file",
        default=OPEN,
    )
    gender: str = setting(
        "whose of the body's files: neutral, male, female; auto: neutral, or each person's own",
        default=AUTO, choices=BODY_GENDERS,
    )
    betas: str = setting(
        "shape: mean (the paper's protocol), or from_motion: each person's own, where its file has it",
        default=MEAN, choices=BETAS,
    )

    def body_choice(self) -> BodyChoice:
        """Return whose body motions have."""
        return BodyChoice(self.body, self.gender, self.betas)


@lru_cache(maxsize=4)
def _person(body: str, gender: str, betas: tuple[float, ...]) -> BodyModel:
    return _loaded(body, gender).shaped(betas) if betas else _loaded(body, gender)


@lru_cache(maxsize=3)
def _loaded(body: str, gender: str) -> BodyModel:
    return load_body(body, gender)
