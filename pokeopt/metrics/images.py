"""Metrics of images that were made: each is a mean over the images of one value an image, which is stored."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pokeopt.metrics.base import Direction, Floats, GroupMetric, ImageMetric, MeasuredMetric, SliceMetric
from pokeopt.registry import METRICS

MAKING = ("reconstruction", "translation")  # tasks whose networks make images
IMAGE_METRICS = {"mse": "squared_error", "mae": "absolute_error"}  # plain means over images, and of what
LEAST_ERROR = 1e-10  # 100 dB: nearer to the truth than bytes can be


@METRICS.register("mse")
class MeanSquaredError(ImageMetric):
    """Mean squared difference of the intensities in [0, 1], over pixels, channels and images."""

    reads: ClassVar[str] = "squared_error"
    is_trained: ClassVar[bool] = True
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = MAKING


@METRICS.register("mae")
class MeanAbsoluteError(ImageMetric):
    """Mean absolute difference of the intensities in [0, 1], over pixels, channels and images."""

    reads: ClassVar[str] = "absolute_error"
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = MAKING


@METRICS.register("psnr")
class PeakSignalToNoise(ImageMetric):
    """Mean over the images of -10 log10 of an image's squared error; at most 100 dB."""

    reads: ClassVar[str] = "squared_error"
    direction: ClassVar[Direction] = "maximize"
    unit: ClassVar[str] = "dB"
    tasks: ClassVar[tuple[str, ...]] = MAKING
    bounds: ClassVar[tuple[float, float]] = (float("-inf"), 100.0)

    def __call__(self, values: Floats) -> float:
        """Return decibels."""
        return float(np.mean(-10 * np.log10(np.maximum(values, LEAST_ERROR))))


@METRICS.register("ssim")
class StructuralSimilarity(ImageMetric):
    """Mean structural similarity, 1 where the images are equal.

    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004.
    """

    reads: ClassVar[str] = "structural_similarity"
    is_costly: ClassVar[bool] = True
    direction: ClassVar[Direction] = "maximize"
    tasks: ClassVar[tuple[str, ...]] = MAKING
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)


@METRICS.register("edge_sharpness")
class EdgeSharpness(ImageMetric):
    """Mean ratio of the gradients' sizes, made over wanted: below 1 the images are blurred."""

    reads: ClassVar[str] = "sharpness"
    is_costly: ClassVar[bool] = True
    direction: ClassVar[Direction] = "maximize"
    tasks: ClassVar[tuple[str, ...]] = MAKING


@METRICS.register("slice_mse")
class SliceMeanSquaredError(SliceMetric):
    """The squared error over some of the images, like those whose shapes touch the edge."""

    reads: ClassVar[str] = "squared_error"
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = MAKING


@METRICS.register("class_mse")
class ClassMeanSquaredError(GroupMetric):
    """The squared error over the images of one class."""

    reads: ClassVar[str] = "squared_error"
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = MAKING


@METRICS.register("kl")
class KullbackLeibler(ImageMetric):
    """Mean divergence of an image's latent distribution from the standard normal one, summed over the latent."""

    reads: ClassVar[str] = "divergence"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "nats"
    tasks: ClassVar[tuple[str, ...]] = ("reconstruction",)


@METRICS.register("head_accuracy")
class HeadAccuracy(ImageMetric):
    """Share of the images whose class the network's own head names."""

    reads: ClassVar[str] = "head_hit"
    direction: ClassVar[Direction] = "maximize"
    tasks: ClassVar[tuple[str, ...]] = ("reconstruction",)
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)


@METRICS.register("probe_accuracy")
class ProbeAccuracy(ImageMetric):
    """Share of the images whose class a logistic regression on the latents of the training part names."""

    reads: ClassVar[str] = "probe_hit"
    is_costly: ClassVar[bool] = True
    direction: ClassVar[Direction] = "maximize"
    tasks: ClassVar[tuple[str, ...]] = ("reconstruction",)
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)


@METRICS.register("partition_effect")
class PartitionEffect(MeasuredMetric):
    """Mean absolute change of the image when one unit of a part of the latent grows by 1; parts count from 0."""

    part: ClassVar[str] = "val"
    is_named: ClassVar[bool] = True
    direction: ClassVar[Direction] = "maximize"
    tasks: ClassVar[tuple[str, ...]] = ("reconstruction",)


@METRICS.register("dead_partitions")
class DeadPartitions(MeasuredMetric):
    """Number of parts of the latent whose effect is below a quarter of a grey level, 0.001."""

    part: ClassVar[str] = "val"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "partitions"
    tasks: ClassVar[tuple[str, ...]] = ("reconstruction",)


@METRICS.register("partition_information")
class PartitionInformation(MeasuredMetric):
    """What the parts of the latent tell of each other, see ``pokeopt.training.information``; 0: independent."""

    part: ClassVar[str] = "val"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "nats"
    tasks: ClassVar[tuple[str, ...]] = ("reconstruction",)
    bounds: ClassVar[tuple[float, float]] = (
        float("-inf"),
        float("inf"),
    )  # an estimate without bias may fall below 0


@METRICS.register("loss_term")
class LossTerm(MeasuredMetric):
    """Mean over the epoch of one term of the loss, before it is weighed; named by its role."""

    part: ClassVar[str] = "train"
    is_named: ClassVar[bool] = True
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = MAKING


@METRICS.register("gradient_share")
class GradientShare(MeasuredMetric):
    """Share of one term in the gradient of what all terms train: its norm over the sum of the terms' norms."""

    part: ClassVar[str] = "train"
    is_named: ClassVar[bool] = True
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = MAKING
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
