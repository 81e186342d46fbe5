"""Subjects: what a plant has built besides yields. Each is a folder of models, part of the project or not."""

MADE_OF = {
    "sensors": (),
    "production": (),
    "comparison": ("production",),
    "anomalies": ("sensors",),
    "spc": (),
}
"""Each with the subjects that its models read."""
SUBJECTS = list(MADE_OF)
YIELDS = "yields"
"""What every plant has built. It is written beside the others, since an empty text reads as everything."""
