"""Configuration of the locator's training pictures."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SceneConfig:
    """What is in a scene how often; shares are probabilities in [0, 1], sizes fractions of the frame's side."""

    number_shares: tuple[float, ...] = (0.2, 0.47, 0.12, 0.08, 0.07, 0.06)
    """Probability of 0, 1, 2 … heads; sums to 1."""
    few: int = 3
    """A larger number of heads than this is drawn up to twice as large: crowds."""
    smallest_drawn: float = 0.045
    """Longer side of the smallest face's box."""
    smallest_face: float = 0.045
    """Smaller faces count neither as faces nor as none."""
    largest_face: float = 0.95
    """Longer side of the largest face's box."""
    cut_off_share: float = 0.2
    """Heads of which the frame may cut up to half of the face off."""
    large_turn_share: float = 0.25
    """Heads turned in the image plane by up to 45 degrees; most are by up to 10."""
    any_turn_share: float = 0.04
    """Heads turned by any angle."""
    body_share: float = 0.2
    """Scenes with a body that ends at the neck."""
    cover_share: float = 0.25
    """Scenes with a thing in front; with this chance there is another."""
    whole_background_share: float = 0.6
    """Backgrounds that are a photograph nearly whole; the others are any part of one."""
    strange_background_share: float = 0.35
    """Backgrounds turned by quarters, their colours exchanged: there are more things than photographs of them."""
    framed_share: float = 0.15
    """Heads in a picture in the picture: a poster, a screen, a collage."""
    split_share: float = 0.2
    """Scenes with two backgrounds side by side."""
    letterbox_share: float = 0.6
    """Scenes with black bars on two sides."""
    widest_bar: float = 0.25
    """Of each bar, fraction of the side."""
    low_resolution_share: float = 0.25
    blur_share: float = 0.4
    noise_share: float = 0.6
    grey_share: float = 0.12
    jpeg_share: float = 0.25

    def __post_init__(self) -> None:
        """Checks the fields."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not 0 <= value <= 1:
                raise ValueError(f"`{field.name}` must lie in [0, 1]. Received: {field.name}={value}")
        if min(self.number_shares) < 0 or abs(sum(self.number_shares) - 1) > 1e-6:
            raise ValueError(f"`number_shares` must be probabilities. Received: {self.number_shares}")
        if not 0 < self.smallest_drawn <= self.largest_face:
            raise ValueError(
                "`smallest_drawn` must lie between 0 and `largest_face`. "
                f"Received: {self.smallest_drawn}, {self.largest_face}"
            )
        if self.cover_share > 0.9:
            raise ValueError(f"`cover_share` must be at most 0.9. Received: {self.cover_share}")
