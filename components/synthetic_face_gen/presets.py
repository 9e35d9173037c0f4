"""Named data sets: one for each paper's own renders, `tiny` for the demo, and `wild`, the one that trains for photographs.

A preset is the fields in which it differs from `SyntheticFaceConfig`. What a paper leaves open is marked ours.
"""

from typing import Any, Final

_IDEAL: Final[dict[str, Any]] = {
    "blur_fraction": 0.0,
    "noise_fraction": 0.0,
    "gain_spread": 0.0,
    "contrast": [0.0, 0.0],
    "grey_fraction": 0.0,
    "jpeg_fraction": 0.0,
    "half_chroma_fraction": 0.0,
}
"""An image chain that changes nothing but the tone: the papers render for a computer, not for a camera."""

PRESETS: Final[dict[str, dict[str, Any]]] = {
    # What `make demo` renders: enough for a network to learn where a face is and which way it looks.
    "tiny": {"count": 1200, "image_size": 128, "views_per_identity": 4, "shard_size": 150},
    # 2DASL's training set, 300W-LP: 3,837 photographs profiled to 122,450 views, here 32 of each person.
    "tu2019": {
        "count": 3837 * 32,
        "image_size": 224,
        "views_per_identity": 32,
        "eval_fraction": 0.02,
        "shard_size": 1000,
    },
    # Piao et al. 2019, section 4: 100k renders, poses flat, Phong under one parallel light from the frontal half sphere, nose
    # and chin slightly deformed, black behind, aligned. Ours: the light's share of ambient and diffuse, the face's size.
    "piao2019": {
        "count": 100_000,
        "image_size": 256,
        "views_per_identity": 10,
        "eval_fraction": 0.02,
        "shard_size": 500,
        "population": {"freeform_sd": 0.001},
        "pose": {"yaw": [-90, 90], "pitch": [-60, 60], "roll": [-10, 10], "flat_fraction": 1.0},
        "camera": {"face_size": [0.55, 0.55], "face_offset": 0.0},
        "light": {
            "environment": "ambient",
            "ambient": [0.5, 0.5],
            "parallel_fraction": 1.0,
            "parallel_strength": [0.8, 0.8],
            "parallel_direction": "half_sphere",
            "warmth": 0.0,
            "white_spread": 0.01,
            "specular": [0.03, 0.03],
            "shininess": [12, 12],
            "metered": False,
            "exposure_spread": 0.0,
            "white_balance": 0.0,
        },
        "surroundings": {"black": 1.0},
        "image_chain": _IDEAL,
    },
    # Shu et al. 2020, section IV: ten views of each face at one moment by a perspective camera of fixed focal length, angles in
    # steps of 5°, environment light and up to five point lights that stand still while the camera goes round. Ours: harmonics
    # instead of path tracing, the camera's distance and field of view, what is behind.
    "shu2020": {
        "count": 40_000,
        "image_size": 360,
        "views_per_identity": 10,
        "views_per_moment": 10,
        "eval_fraction": 0.02,
        "shard_size": 250,
        "pose": {"yaw": [-45, 45], "pitch": [-30, 30], "roll": [-20, 20], "step": 5.0, "flat_fraction": 1.0},
        "camera": {"kind": "perspective", "distance": [900, 900], "field_of_view": 16.0, "face_offset": 0.0},
        "light": {"parallel_fraction": 0.0, "lamps": [0, 5], "follows_head": True},
        "image_chain": _IDEAL,
    },
    # Genova et al. 2018: neutral faces under two point lights some metres away, of common light sources' colours, mirrored share
    # c - c K_d with c anywhere in [0, 1], three poses and lights a face; NN2's 224². Ours: the poses' ranges, exponent, size.
    "genova2018": {
        "count": 90_000,
        "image_size": 224,
        "views_per_identity": 3,
        "eval_fraction": 0.02,
        "shard_size": 500,
        "expression": {"strength": 0.0, "strong_fraction": 0.0, "closed_fraction": 0.0, "gaze_fraction": 0.0},
        "pose": {"yaw": [-75, 75], "pitch": [-30, 30], "roll": [-20, 20], "flat_fraction": 1.0},
        "camera": {"kind": "perspective", "distance": [600, 3000], "face_size": [0.5, 0.6], "face_offset": 0.03},
        "light": {
            "environment": "none",
            "parallel_fraction": 0.0,
            "lamps": [2, 2],
            "lamp_distance": [1000, 5000],
            "lamp_strength": [0.3, 1.0],
            "specular": [0.0, 1.0],
            "specular_complement": True,
            "shininess": [8, 40],
        },
        "surroundings": {"black": 1.0},
        "image_chain": _IDEAL,
    },
    # Gecer et al. 2018: expression, pose, light and colour distributed as in the paired photographs, narrowed. Ours: the number
    # of images, black behind.
    "gecer2018": {
        "count": 100_000,
        "image_size": 108,
        "views_per_identity": 20,
        "eval_fraction": 0.02,
        "shard_size": 1000,
        "pose": {"yaw": [-90, 90], "pitch": [-40, 40], "roll": [-35, 35]},
        "camera": {"face_size": [0.55, 0.65], "face_offset": 0.03},
        "light": {"parallel_fraction": 0.0},
        "paired_set": {},
        "surroundings": {"black": 1.0},
        "image_chain": _IDEAL,
    },
    # Ours: what makes renders train models that work on photographs. Each ingredient is a switch.
    "wild": {
        "count": 100_000,
        "image_size": 128,
        "views_per_identity": 4,
        "eval_fraction": 0.02,
        "shard_size": 500,
        "shading": "vertex",
        "population": {"skin": "physical"},
        "expression": {"strong_fraction": 0.12, "closed_fraction": 0.12, "gaze_fraction": 0.7},
        "wardrobe": {},
        "pose": {"yaw": [-90, 90], "pitch": [-45, 45], "roll": [-40, 40], "shoulder_turn": [0.0, 0.85]},
        "camera": {"kind": "perspective", "distance": [500, 8000], "face_size": [0.4, 0.75], "face_offset": 0.15},
        "light": {
            "lamps": [0, 1],
            "lamp_strength": [0.1, 0.6],
            "shadow_fraction": 0.15,
            "skin_exposure": 0.48,
            "exposure_spread": 0.35,
        },
        "surroundings": {"procedural": 0.3, "renders": 0.15, "border_fraction": 0.12},
        "image_chain": {
            "blur_fraction": 0.4,
            "motion_fraction": 0.08,
            "defocus_fraction": 0.08,
            "noise_fraction": 0.45,
            "shot_noise": [1e-4, 1.2e-3],
            "gain_spread": 0.07,
            "contrast": [0.1, 1.0],
            "lift": [0.0, 0.05],
            "saturation": [0.8, 1.5],
            "grey_fraction": 0.08,
            "resample_fraction": 0.25,
        },
    },
}
