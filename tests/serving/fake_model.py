"""A small SavedModel with the contract's signatures, whose answers are known from the photo's pixels."""

from pathlib import Path

import numpy as np

from trainer import contract

RADIUS = 40.0


def face_template() -> np.ndarray:
    """[68, 3] points of a face of radius 1, image frame, no two alike."""
    rng = np.random.default_rng(68)
    return rng.uniform(-0.7, 0.7, (contract.LANDMARK_COUNT, 3)).astype(np.float32)


def head_mesh() -> tuple[np.ndarray, np.ndarray]:
    """A sphere of radius 1 with a nose, in the image frame; counter-clockwise seen from outside."""
    import trimesh

    sphere = trimesh.creation.icosphere(subdivisions=3)
    vertices = np.asarray(sphere.vertices, np.float32) * np.array([1, -1, -1], np.float32)
    vertices[np.argmin(vertices[:, 2])] *= 1.5
    return vertices, np.asarray(sphere.faces, np.int32)


def photo_of_disc(height: int, width: int, center: tuple[float, float], radius: float = RADIUS) -> np.ndarray:
    """A grey photo with a red disc, which the fake model takes for the face."""
    y, x = np.mgrid[:height, :width] + 0.5
    image = np.full((height, width, 3), 90, np.uint8)
    image[(x - center[0]) ** 2 + (y - center[1]) ** 2 < radius**2] = (250, 10, 10)
    return image


def write_fake_model(directory: Path, scale: float = 1.0) -> Path:
    """Writes the SavedModel. The face is where red is; its landmarks lie around as `face_template` says.

    Confidence is 1 where there is red, 0 elsewhere. `echo` gives its inputs back. `scale` multiplies the pose, so that
    versions can be told apart.
    """
    import tensorflow as tf

    template, (vertices, triangles) = face_template(), head_mesh()

    class Fake(tf.Module):
        def centers(self, image_bytes):
            def one(data):
                image = tf.cast(tf.io.decode_image(data, channels=3, expand_animations=False), tf.float32)
                red = (image[..., 0] > 170) & (image[..., 1] < 90)
                place = tf.cast(tf.where(red)[:, ::-1], tf.float32) + 0.5
                area = tf.cast(tf.shape(place)[0], tf.float32)
                center = tf.math.divide_no_nan(tf.reduce_sum(place, axis=0), area)
                return tf.concat([center, [tf.sqrt(area / np.pi)], [tf.cast(area > 0, tf.float32)]], axis=0)

            return tf.map_fn(one, image_bytes, fn_output_signature=tf.TensorSpec([4], tf.float32))

        def answer(self, found, mesh):
            center, radius = tf.pad(found[:, :2], [[0, 0], [0, 1]])[:, None], found[:, None, 2:3]
            landmarks = center + radius * template
            outputs = {
                contract.OUTPUT_BOX: tf.concat(
                    [tf.reduce_min(landmarks, axis=1)[:, :2], tf.reduce_max(landmarks, axis=1)[:, :2]], axis=-1
                ),
                contract.OUTPUT_LANDMARKS: landmarks,
                contract.OUTPUT_POSE: tf.tile(tf.constant([[10.0, -5.0, 2.5]]) * scale, [tf.shape(found)[0], 1]),
                contract.OUTPUT_CONFIDENCE: found[:, 3],
            }
            if mesh:
                outputs[contract.OUTPUT_VERTICES] = center + radius * vertices
                outputs[contract.OUTPUT_TRIANGLES] = tf.tile(tf.constant(triangles)[None], [tf.shape(found)[0], 1, 1])
            return outputs

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, contract.INPUT_IMAGE_BYTES)])
        def default(self, image_bytes):
            return self.answer(self.centers(image_bytes), False)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, contract.INPUT_IMAGE_BYTES)])
        def mesh(self, image_bytes):
            return self.answer(self.centers(image_bytes), True)

        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.string, contract.INPUT_IMAGE_BYTES),
                tf.TensorSpec([None, 4], tf.float32, contract.INPUT_BOX),
            ]
        )
        def with_box(self, image_bytes, box):
            tf.debugging.Assert(tf.reduce_all(box[:, 2:] > box[:, :2]), ["box[0] must have x0 < x1 and y0 < y1"])
            found = self.centers(image_bytes)
            center, half = (box[:, :2] + box[:, 2:]) / 2, tf.reduce_max(box[:, 2:] - box[:, :2], axis=-1) / 2
            return self.answer(tf.concat([center, half[:, None], found[:, 3:]], axis=-1), False)

        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.string, "text_bytes"),
                tf.TensorSpec([None, 2], tf.float32, "number"),
                tf.TensorSpec([None], tf.int64, "count"),
            ]
        )
        def echo(self, text_bytes, number, count):
            return {"text_bytes": text_bytes, "number": number, "count": count}

    fake = Fake()
    signatures = {
        contract.SIGNATURE_DEFAULT: fake.default,
        contract.SIGNATURE_WITH_BOX: fake.with_box,
        contract.SIGNATURE_MESH: fake.mesh,
        "echo": fake.echo,
    }
    tf.saved_model.save(fake, str(directory), signatures=signatures)
    return directory
