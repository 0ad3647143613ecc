"""Networks trained on ImageNet, as what a head can be put on: their weights, stages and features."""

from pokeopt.models.backbones.backbone import Backbone, check_backbone, load_backbone
from pokeopt.models.backbones.efficientnet_lite import EfficientNetLite0
from pokeopt.models.backbones.stages import N_STAGES, Stages, divide
from pokeopt.models.backbones.weights import check_weights, identity_of, statistics_of

__all__ = [
    "N_STAGES",
    "Backbone",
    "EfficientNetLite0",
    "Stages",
    "check_backbone",
    "check_weights",
    "divide",
    "identity_of",
    "load_backbone",
    "statistics_of",
]
