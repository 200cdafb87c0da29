"""The generator's opponent in training, with all that is learnt or counted beside the generator."""

from __future__ import annotations

from torch import Tensor, nn

from stages.contract import Spec
from stages.methods.mm_invertfill.blocks.augment import Augment
from stages.methods.mm_invertfill.blocks.discriminator import Discriminator
from stages.methods.mm_invertfill.blocks.generator import Sizes
from stages.methods.mm_invertfill.blocks.penalties import PathLength


class Judge(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] -> logits (B, 1), of what augmentation makes of them where it is on."""

    def __init__(self, sizes: Sizes, spec: Spec, augmented: bool) -> None:
        super().__init__()
        self.net, self.augment, self.path = Discriminator(sizes, spec), Augment(), PathLength()
        self.augmented = augmented

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return self.net(self.augment(image_BCHW) if self.augmented else image_BCHW)
