"""Principal components of sampled heads and skins, and the rigid alignment before them."""

import numpy as np


def rigid_alignment(points: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and shifts that bring point sets nearest to a reference (Kabsch).

    Args:
        points: `[S, N, 3]`.
        reference: `[N, 3]`.

    Returns:
        Rotations `[S, 3, 3]`, shifts `[S, 3]`: aligned = points @ rotationᵀ + shift.
    """
    centers, center = points.mean(axis=1), reference.mean(axis=0)
    covariance = np.einsum("nd,sne->sde", reference - center, points - centers[:, None])
    u, _, vt = np.linalg.svd(covariance)
    handedness = np.ones((len(points), 3))
    handedness[:, 2] = np.linalg.det(u @ vt)
    rotations = (u * handedness[:, None, :]) @ vt
    return rotations, center - np.einsum("sde,se->sd", rotations, centers)


def principal_modes(
    samples: np.ndarray, weights: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Mean and principal modes of samples, by the snapshot method.

    Args:
        samples: `[S, N, 3]`.
        weights: `[N]` importance of a vertex: which modes come first depends on it, their values do not.
        count: Modes wanted.

    Returns:
        Mean `[N, 3]`; modes `[count, N, 3]` per standard deviation, the sign such that the largest value is positive;
        `[count]` root of the weighted variance of each; fraction of the weighted variance kept.
    """
    size = len(samples)
    mean = samples.mean(axis=0, dtype=np.float64)
    centered = (samples - mean).reshape(size, -1)
    weighted = (centered.reshape(size, -1, 3) * np.sqrt(weights)[:, None]).reshape(size, -1)
    variances, scores = np.linalg.eigh(weighted @ weighted.T / (size - 1))
    variances, scores = np.maximum(variances[::-1], 0), scores[:, ::-1][:, :count]
    modes = scores.T @ centered / np.sqrt(size - 1)
    largest = np.abs(modes).argmax(axis=1)
    modes *= np.sign(modes[np.arange(len(modes)), largest])[:, None]
    kept = float(variances[:count].sum() / variances.sum())
    return mean, modes.reshape(len(modes), -1, 3), np.sqrt(variances[:count]), kept
