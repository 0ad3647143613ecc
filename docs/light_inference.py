"""Classify images with an exported model: torch or onnxruntime, numpy and Pillow, nothing of pokeopt.

    python light_inference.py model.pt2 IMAGES > submission.csv      # needs torch
    python light_inference.py model.onnx IMAGES > submission.csv     # needs onnxruntime

Copy what you need. The graph takes bytes (N, C, H, W) and holds normalisation and softmax; what comes before it,
decoding, the preprocessing steps and the resizing, is done here as the training did it.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def load(path: str):
    """Return (card, run) of a model file: the card is a dict, run takes bytes (N, C, H, W) to a list of arrays."""
    if path.endswith(".onnx"):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        card = json.loads(session.get_modelmeta().custom_metadata_map["card.json"])
        return card, lambda images: session.run(None, {"images": images})
    import torch

    inside = {"card.json": ""}
    module = torch.export.load(path, extra_files=inside).module()

    def run(images):
        with torch.inference_mode():
            return [output.numpy() for output in module(torch.from_numpy(images))]

    return json.loads(inside["card.json"]), run


def read(path: Path, card: dict) -> np.ndarray:
    """Return an image as the graph takes it: bytes (C, H, W), resized without cropping, on white where transparent."""
    image = ImageOps.exif_transpose(Image.open(path))  # as a viewer shows it: the camera may have been turned
    if image.mode == "F":
        image = Image.fromarray(np.round(np.asarray(image) * 255).astype(np.uint8))  # floats in [0, 1]
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip at 255
        image = Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 65535) // 257).astype(np.uint8))
    pixels = np.array(image.convert("RGBA"))
    for step in card["preprocess"]:
        name, settings = (step, {}) if isinstance(step, str) else next(iter(step.items()))
        if name not in STEPS:
            sys.exit(f"{name} is not in this script: copy pokeopt/data/preprocess/{name}.py into STEPS")
        pixels = STEPS[name](pixels, **(settings or {}))
    picture, size = Image.fromarray(pixels), (card["image_size"], card["image_size"])
    if card["channels"] != "rgba":
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture).convert("RGB" if card["channels"] == "rgb" else "L")
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    pixels = np.array(picture)  # torch wants to own what it reads
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def silhouette_crop(image: np.ndarray, padding: float = 0.05, dark: int = 32, gap_px: int = 2) -> np.ndarray:
    """Cut an RGBA image (H, W, 4) to the bounding box of its dark outline; needs scipy."""
    from scipy import ndimage

    candidates = (image[..., :3].max(axis=2) <= dark) & (image[..., 3] > 127)
    joined = candidates if gap_px == 1 else ndimage.maximum_filter(candidates, size=gap_px, mode="constant")
    group, n_groups = ndimage.label(joined, structure=np.ones((3, 3)))
    sizes = np.bincount(group[candidates], minlength=n_groups + 1)
    sizes[0] = 0
    if sizes.max() < 12:  # specks: there is no outline
        return image
    outline = candidates & (sizes >= max(4, 0.05 * sizes.max()))[group]
    rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    down, across = round(padding * (bottom - top)), round(padding * (right - left))
    return image[max(0, top - down) : bottom + down, max(0, left - across) : right + across].copy()


STEPS = {"silhouette_crop": silhouette_crop}

if __name__ == "__main__":
    card, run = load(sys.argv[1])
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["Id", "label", *card["classes"]])
    for path in sorted(Path(sys.argv[2]).iterdir()):
        probabilities = run(read(path, card)[None])[0][0]
        table.writerow([path.stem, card["classes"][probabilities.argmax()], *probabilities.tolist()])
