"""The words that verbs and methods share: a Part learns, an Inpainter samples.

Axes in names: B images, K samples an image, C channels (RGB), H rows, W columns, 1 a singleton.
`known_B1HW` is 1 where the pixel is given and 0 in the hole. Images are float32 in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args, runtime_checkable

import torch
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from torch import Tensor, nn
from torch.optim import Optimizer

from stages.losses.tally import Tally

NO_CLASS = 255  # in label maps: no class is known here. Maps have 255 classes at most, so none bears it


class UserError(Exception):
    """The user's mistake, told in one line that names the file, key or value and the mend (exit code 2)."""


class Params(BaseModel):
    """A frozen, validated block of params.yaml; an unknown key is an error, and true, nan or inf is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_is_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic would read true as 1."""
        if isinstance(value, bool) and bool not in _kinds(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError("true and false are no value of this key")
        return value


def _kinds(annotation: Any) -> set[Any]:
    """All that a type is made of: bool and None, of `bool | None`."""
    return {annotation, *(kind for one in get_args(annotation) for kind in _kinds(one))}


@dataclass(frozen=True)
class Spec:
    """What a network must know of its data: images are size x size, label maps have `classes` classes (0: none)."""

    size: int
    classes: int = 0


@dataclass(frozen=True)
class Batch:
    """One step's images. seeds_B (int64) is a seed an image, the same whatever the rank or the micro-batch."""

    image_BCHW: Tensor
    known_B1HW: Tensor
    keys: tuple[str, ...]
    seeds_B: Tensor
    labels_BHW: Tensor | None = None


@dataclass(frozen=True)
class Guidance:
    """Maps that guide a completion beside the image, each known where its own mask is 1; None: not given.

    edges_B1HW is 1 on an edge, else 0; labels_BHW are classes (int64), NO_CLASS where there is none; a map and its mask
    are given together. What a map holds where it is not known is not read.
    """

    edges_B1HW: Tensor | None = None
    edges_known_B1HW: Tensor | None = None
    labels_BHW: Tensor | None = None
    labels_known_B1HW: Tensor | None = None


@dataclass(frozen=True)
class Request:
    """Images to complete. The hole is already blanked (0, mid-grey); a sample depends on its own seed alone."""

    image_BCHW: Tensor
    known_B1HW: Tensor
    seeds_BK: Tensor
    guidance: Guidance | None = None  # read by an inpainter that is Guided, and by no other


@dataclass(frozen=True)
class Completions:
    """raw_BKCHW in [-1, 1], not composited; side pictures by name (B first); seconds by phase for the whole call.

    `latents`, by name, were drawn before pixels, as codes of structures are: whole numbers (B, K, ...). A digest of
    them is kept, by which results that complete the same are known.
    """

    raw_BKCHW: Tensor
    side: Mapping[str, Tensor] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    latents: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """A finished part as it was released: its resolved params, the data's spec and its (averaged) weights."""

    params: Mapping[str, Any]
    spec: Spec
    tensors: Mapping[str, Tensor]


class Stateful(Protocol):
    """Anything with torch's state protocol: modules, optimisers, schedulers."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


class Perceptual(Protocol):
    """A perceptual distance of two image batches in [-1, 1]: a value an image, shape (B,)."""

    def __call__(self, image_BCHW: Tensor, other_BCHW: Tensor) -> Tensor: ...


class Features(Protocol):
    """A frozen classifier's maps of images in [-1, 1], (B, 3, H, W): a list of (B, C, h, w), the finest first."""

    def __call__(self, image_BCHW: Tensor) -> list[Tensor]: ...


class SetDistance(Protocol):
    """A distance between what two sets of images look like."""

    def features(self, image_BCHW: Tensor) -> Tensor:
        """What is compared of images in [-1, 1], (B, 3, H, W): a small vector an image, (B, D)."""
        ...

    def distance(self, real_ND: Tensor, fake_MD: Tensor) -> float:
        """That of two sets' vectors, at least two each: at least 0."""
        ...


class Accelerator(Protocol):
    """What the loop lends a part, so that no part knows of precision, ranks, clipping or accumulation."""

    def prepare(self, module: nn.Module) -> nn.Module:
        """The module on its device, in its memory format, weights equal on all ranks, compiled where asked for."""
        ...

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision in which forward passes run."""
        ...

    def minimize(self, loss: Tensor, optimizer: Optimizer) -> None:
        """Gradients of `loss` for that optimiser's parameters alone; then one guarded, clipped step when it is due."""
        ...

    def perceptual(self, net: str) -> Perceptual | None:
        """LPIPS on `net` (alex, squeeze, vgg); None where its weights cannot be had, which is told and recorded."""
        ...

    def features(self, net: str) -> Features | None:
        """Maps of `net` (alex, squeeze, vgg); None where its weights cannot be had, which is told and recorded."""
        ...

    def frechet(self) -> SetDistance | None:
        """Frechet distance on AlexNet's features, for figures; None where its weights cannot be had, which is told."""
        ...


class Part(Protocol):
    """One trainable stage of one method."""

    @property
    def model(self) -> nn.Module:
        """The network that is averaged and released."""
        ...

    def step(self, batch: Batch) -> dict[str, float | Tensor]:
        """Learn from one (micro-)batch; owns its losses and optimisers. Scalars to log (0-d tensors stay on device)."""
        ...

    def measure(self, batch: Batch) -> Tally:
        """What a val batch gives to the figures: sums, counts ... of its images alone; any rank may measure it."""
        ...

    def figures(self, tally: Tally) -> dict[str, float]:
        """Figures on val: accuracy, used codes, bits/dim, PSNR ... of what all batches gave, in their order."""
        ...

    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """What a person would look at: name -> B3HW in [-1, 1]."""
        ...

    def state(self) -> dict[str, Stateful]:
        """Everything that an exact resume needs, the model included."""
        ...


@runtime_checkable
class Inpainter(Protocol):
    """Completes images: seeds_BK in, K completions an image out."""

    def sample(self, request: Request) -> Completions: ...


@runtime_checkable
class Transfers(Protocol):
    """An inpainter that carries what another image shows in the hole's place over into the hole (paper 003, 4.3)."""

    def transfer(self, request: Request, target_BCHW: Tensor) -> Completions:
        """One completion an image (K = 1), after `target_BCHW` (whole, in [-1, 1]); seeds are not read."""
        ...


@runtime_checkable
class Scores(Protocol):
    """An inpainter that knows how likely it finds what it draws."""

    def log_likelihood(self, request: Request) -> Tensor:
        """log p(what `sample` draws for each seed | what is known) in nats, (B, K)."""
        ...


@runtime_checkable
class Guided(Protocol):
    """An inpainter that edges and label maps can guide (paper 002).

    Its method's `build` says in its annotation that it returns this class: so it is known without weights.
    """

    edges: bool  # whether edges guide it
    classes: int  # of the label maps that guide it; 0: label maps do not
    guided_by_truth: bool  # an ablation: test images' guidance is made from what their holes hold

    def guidance(self, image_BCHW: Tensor, known_B1HW: Tensor, labels_BHW: Tensor | None) -> Guidance | None:
        """What its params ask for where a person gives no map of their own; None: nothing guides.

        labels_BHW is None where the data has no label maps. The image is blanked in the hole and the labels are
        NO_CLASS there, so that nothing of the hole can enter; where `guided_by_truth` both are whole.
        """
        ...


AnyParams = Params  # its own name is taken below


class PartModule(Protocol):
    """A file of a method that defines a trained part: stages/methods/<method>/<part>.py."""

    PARENTS: tuple[str, ...]  # the method's parts whose results this one reads
    SHARED: tuple[str, ...]  # the method's blocks of params beside its own that it reads

    @property
    def Params(self) -> type[AnyParams]:
        """Its block of params.yaml."""
        ...

    def build(self, params: Any, parents: Mapping[str, Trained], spec: Spec, accelerator: Accelerator, /) -> Part:
        """The part, ready to learn."""
        ...


class MethodModule(Protocol):
    """A method's inpaint.py: the parts it samples with (PARENTS), its block of params, its inpainter."""

    PARENTS: tuple[str, ...]
    SHARED: tuple[str, ...]

    @property
    def Params(self) -> type[AnyParams]:
        """Its block of params.yaml."""
        ...

    def build(self, params: Any, parents: Mapping[str, Trained], device: torch.device, /) -> Inpainter:
        """The inpainter on its device."""
        ...
