"""The `loop` block of a part: how long, how much at once, in what precision it learns."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from stages.contract import Params


class LoopParams(Params):
    """Time and precision of one part's training; what it learns is the part's own affair."""

    # keys that change when something is told, saved or fetched, or how ranks share a step, not what is learnt: a run
    # goes on under other values, as it does under another number of ranks
    CADENCE: ClassVar[frozenset[str]] = frozenset(
        {"log_every", "eval_every", "save_every", "workers", "nonfinite_limit", "parallel"}
    )

    steps: PositiveInt  # no default: the length is the budget
    batch: PositiveInt  # images a step over all ranks and micro-batches; no default: the learning rate belongs to it
    seed: NonNegativeInt = 0  # order, crops, masks, initial weights, noise
    accumulate: PositiveInt = 1  # micro-batches a step: the same gradient in less memory
    workers: NonNegativeInt = 0  # threads that draw batches ahead; on 2 cores they cost more than they bring
    eval_images: PositiveInt = 256  # of val; a mean over 256 is steady enough to see a curve
    eval_batch: PositiveInt = 32  # no gradients are kept, so more fits than in training
    log_every: PositiveInt = 20  # steps; the mean since the last line is fetched from the device then, and only then
    eval_every: NonNegativeInt = 0  # steps; 0 = before the first and after the last step only
    save_every: PositiveInt = 200  # steps that a kill may cost
    ema: Annotated[float, Field(ge=0, lt=1)] = (
        0.0  # decay of the averaged weights; 0 = off, as in papers that name none
    )
    amp: Literal["off", "bf16", "auto"] = "auto"  # auto = bf16 where the device is faster so: 1.7-2.6x there
    parallel: Literal["averaged", "ddp", "fully_shard"] = (
        "averaged"  # how ranks come to one gradient; the others are torch's own, for parts of one network and optimiser
    )
    compile: bool = False  # GPU only: on CPUs compiled attention was 5x slower
    channels_last: bool = True  # the layout that bf16 convolutions are fast in; same numbers to rounding
    clip: Annotated[float, Field(ge=0)] = 0.0  # largest gradient norm of an optimiser's step; 0 = off
    nonfinite_limit: PositiveInt = 10  # steps in a row that a NaN or inf may cost one optimiser before the run stops

    def lasting(self) -> dict[str, Any]:
        """The keys that results depend on: what belongs in a fingerprint."""
        return self.model_dump(mode="json", exclude=set(self.CADENCE))
