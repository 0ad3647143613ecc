"""Transfer learning: a backbone that knows photographs, and a head that learns the classes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from pokeopt.errors import SpecError
from pokeopt.models.backbones import (
    N_STAGES,
    Backbone,
    check_backbone,
    check_weights,
    identity_of,
    load_backbone,
    statistics_of,
)
from pokeopt.models.base import ImageShape
from pokeopt.registry import MODELS, PathOrWord

RGB = 3


@MODELS.register("transfer")
@dataclass(frozen=True)
class Transfer:
    """A pretrained backbone, whose classifier is replaced by a head; parts of the backbone may be trained on.

    Gray images are repeated to three channels, of RGBA images the alpha channel is dropped. What is not trained stays
    as it was in every respect: its batch norms keep the statistics of ImageNet, its dropout and stochastic depth rest.

    Source: document 001, task 3.

    Attributes:
        backbone: A classification model of torchvision (``resnet50``, ``vgg16``, ``vit_b_16``, ...), or
            ``efficientnet_lite0``.
        weights: ``DEFAULT`` takes torchvision's newest for ImageNet, downloaded once a machine, and of
            ``efficientnet_lite0`` those of the extra ``pokeopt[pretrained]`` (Apache 2.0). Another name there,
            as ``IMAGENET1K_V1``, takes those; the ones called SWAG are not for commerce. ``none`` draws them at random.
            Anything else is the path of a file with a state dict, relative to the file that names it.
        head_width: Units of the head's hidden layer; 0 leaves a linear head.
        head_dropout: Share of the numbers before the last layer that are silenced in training, in [0, 1).
        trainable: Stages of the backbone that are trained: 1 to 4, the last, and 0, the stem; see
            ``backbones.stages.divide``. Empty trains the head alone.
        unfreeze_every: Epochs between one stage and the next: the head is trained alone at first, then with the last of
            the trainable stages, and so on. None trains all of them from the start.
        unfreeze_from: Stages that are trained from the start all the same, where the others wait for their turn.
        backbone_rate: Factor of the learning rate in the backbone.
        input_size: Side in pixels that images are resized to, bilinearly. None leaves them as they are, but a ViT or
            MaxViT has its own.
    """

    backbone: str = "resnet18"
    weights: PathOrWord = "DEFAULT"
    head_width: int = 512
    head_dropout: float = 0.5
    trainable: tuple[int, ...] = (3, 4)
    unfreeze_every: int | None = None
    unfreeze_from: tuple[int, ...] = ()
    backbone_rate: float = 0.1
    input_size: int | None = None

    def __post_init__(self) -> None:
        check_backbone(self.backbone)
        check_weights(self.backbone, self.weights)
        if self.head_width < 0:
            raise ValueError(f"head_width must be at least 0, got {self.head_width}")
        if not 0 <= self.head_dropout < 1:
            raise ValueError(f"head_dropout must be in [0, 1), got {self.head_dropout}")
        if not set(self.trainable) <= set(range(N_STAGES + 1)):
            raise ValueError(f"trainable must name stages from 0 to {N_STAGES}, got {list(self.trainable)}")
        if len(set(self.trainable)) != len(self.trainable):
            raise ValueError(f"trainable must name each stage once, got {list(self.trainable)}")
        if self.unfreeze_every is not None and self.unfreeze_every < 1:
            raise ValueError(f"unfreeze_every must be at least 1, got {self.unfreeze_every}")
        if not set(self.unfreeze_from) <= set(self.trainable):
            what = f"{list(self.unfreeze_from)} of {list(self.trainable)}"
            raise ValueError(f"unfreeze_from must name stages of trainable, got {what}")
        if self.unfreeze_from and self.unfreeze_every is None:
            raise ValueError(
                "unfreeze_from needs unfreeze_every: without it all stages are trained from the start"
            )
        if self.backbone_rate <= 0:
            raise ValueError(f"backbone_rate must be above 0, got {self.backbone_rate}")
        if self.input_size is not None and self.input_size < 1:
            raise ValueError(f"input_size must be at least 1, got {self.input_size}")

    @property
    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Means and standard deviations of the intensity that the backbone is used to: 3 channels', or one for all."""
        return statistics_of(self.backbone, self.weights)

    @property
    def features_key(self) -> str | None:
        """What the features of a frozen backbone follow from; None where it is trained, or drawn at random."""
        if self.trainable or self.weights == "none":
            return None
        return f"{self.backbone} {identity_of(self.backbone, self.weights)} {self.input_size}"

    def build(self, image: ImageShape, n_classes: int) -> TransferNetwork:
        """Return a network from standardised images (N, C, H, W), C in 1, 3 and 4, to logits (N, n_classes).

        Raises:
            SpecError: If the images are too small for the backbone, or the weights do not fit it.
            TrialError: If the weights cannot be downloaded.
        """
        if image.channels not in (1, RGB, 4) or image.condition:
            what = (
                f"a backbone takes gray, RGB or RGBA images, not {image.channels + image.condition} channels"
            )
            raise SpecError("model.family", what, "choose another family, or change data.channels")
        backbone = load_backbone(self.backbone, self.weights, self.input_size, image.height, image.width)
        head: list[nn.Module] = []
        n_in = backbone.n_features
        if self.head_width:
            head += [nn.Linear(n_in, self.head_width), nn.ReLU()]
            n_in = self.head_width
        head += [nn.Dropout(self.head_dropout), nn.Linear(n_in, n_classes)]
        kind = TransferNetwork if self.trainable else FrozenNetwork
        return kind(backbone, nn.Sequential(*head), self)


class TransferNetwork(nn.Module):
    """A backbone of which some stages are trained, and a head.

    Args:
        backbone: Gives the features.
        head: From features (N, F) to logits (N, K).
        settings: What is trained, when, and how fast.
    """

    def __init__(self, backbone: Backbone, head: nn.Module, settings: Transfer) -> None:
        super().__init__()
        self.backbone, self.head, self.settings = backbone.module, head, settings
        self.stages, self.size_px = backbone.stages, backbone.size_px
        self.trained: frozenset[int] = frozenset()
        self.begin_epoch(1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of standardised images (N, C, H, W)."""
        logits: Tensor = self.head(self._embed(images))
        return logits

    def parameter_groups(self) -> list[tuple[float, list[nn.Parameter]]]:
        """Return (factor of the learning rate, parameters) of all that is ever trained."""
        parameters = [
            p
            for name, p in self.backbone.named_parameters()
            if self.stages.of(name) in self.settings.trainable
        ]
        groups = [(self.settings.backbone_rate, parameters)] if parameters else []
        return [*groups, (1.0, list(self.head.parameters()))]

    def begin_epoch(self, epoch: int) -> None:
        """Freeze and unfreeze what is due in this epoch, from 1."""
        every, first = self.settings.unfreeze_every, self.settings.unfreeze_from
        waiting = sorted(set(self.settings.trainable) - set(first), reverse=True)
        n_due = len(waiting) if every is None else (epoch - 1) // every
        self.trained = frozenset(first) | frozenset(waiting[:n_due])
        for name, parameter in self.backbone.named_parameters():
            parameter.requires_grad_(self.stages.of(name) in self.trained)
        self.train(self.training)

    def train(self, mode: bool = True) -> TransferNetwork:
        """Set training mode; what is frozen stays in evaluation mode."""
        super().train(mode)
        for stage, names in enumerate(self.stages.modules):
            if stage not in self.trained:
                for name in names:
                    self.backbone.get_submodule(name).eval()
        return self

    def _embed(self, images: Tensor) -> Tensor:
        """Return features (N, F) of standardised images (N, C, H, W)."""
        images = images.expand(-1, RGB, -1, -1) if images.shape[1] == 1 else images[:, :RGB]
        size = self.size_px
        if size is not None and images.shape[2:] != (size, size):
            images = functional.interpolate(
                images, (size, size), mode="bilinear", antialias=min(images.shape[2:]) > size
            )
        features: Tensor = self.backbone(images)
        return features


class FrozenNetwork(TransferNetwork):
    """A head on a backbone that is never trained, whose features can be computed once for all epochs."""

    def features(self, images: Tensor) -> Tensor:
        """Return features (N, F) of standardised images (N, C, H, W)."""
        return self._embed(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of standardised images (N, C, H, W), or of their features (N, F)."""
        logits: Tensor = self.head(images if images.ndim == 2 else self._embed(images))
        return logits
