"""A reconstructed mesh as a Wavefront .obj that Blender, MeshLab and trimesh open."""

import io

import numpy as np

FLIP = np.array([1.0, -1.0, -1.0], np.float32)
"""Image axes to the file's, the diagonal of the contract's FLIP."""


def to_obj(vertices: np.ndarray, triangles: np.ndarray, name: str = "face") -> str:
    """The text of an .obj file.

    The file's axes are x right, y up, z towards the viewer, one unit per pixel of the photo: the image frame with y and z
    turned round, which is a rotation, so that triangles keep their winding and the mesh its handedness.

    Args:
        vertices: `[V, 3]` image frame, pixels.
        triangles: `[T, 3]` indices, counter-clockwise seen from outside.
        name: Name of the object, one word.

    Raises:
        ValueError: If the shapes are wrong, a vertex is not finite, or an index has no vertex.
    """
    if vertices.ndim != 2 or vertices.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(
            f"`vertices` must be [V, 3] and `triangles` [T, 3]. Received: {list(vertices.shape)}, {list(triangles.shape)}"
        )
    if not np.isfinite(vertices).all():
        raise ValueError("`vertices` must be finite.")
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(vertices):
        raise ValueError(
            f"`triangles` must index {len(vertices)} vertices. Received: {triangles.min()}…{triangles.max()}"
        )
    text = io.StringIO()
    text.write("# monoface: x right, y up, z towards the viewer; units are pixels of the photo\n")
    text.write(f"o {''.join(c if c.isalnum() or c in '-_.' else '_' for c in name) or 'face'}\n")
    np.savetxt(text, vertices * FLIP, fmt="v %.4f %.4f %.4f")
    np.savetxt(text, triangles + 1, fmt="f %d %d %d")
    return text.getvalue()
