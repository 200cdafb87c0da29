"""Which pixels of an edge map's picture are edges: black on white or white on black, told apart or declared."""

from dataclasses import dataclass

from stages.contract import UserError
from stages.images.levels import Level, levels_of
from stages.images.pixels import Bool, Uint8

DOUBTED = (0.4, 0.6)  # shares of white between which neither level is plainly the fewer; ours


@dataclass(frozen=True)
class EdgeMap:
    """edges_HW is True on an edge; `colour` is what they were read by; `remark` tells what the person should know."""

    edges_HW: Bool
    colour: str
    remark: str | None = None


def edge_map_of(picture_HWC: Uint8, colour: str | None, name: str) -> EdgeMap:
    """An edge map's picture `name`, RGB or RGBA (H, W, 3 or 4), by its levels, as masks are read.

    `colour` declares its edges; None: they are what is drawn on a transparent ground, else the level that fewer pixels
    have. UserError as `levels_of`, and where the levels are too even to tell.
    """
    levels = levels_of(picture_HWC, name)
    chosen = colour or levels.ink or _rarer(levels.white_HW, name)
    edges_HW = levels.white_HW if chosen == Level.white else ~levels.white_HW
    return EdgeMap(edges_HW, str(chosen), "; ".join(filter(None, [levels.remark, _doubt(edges_HW, chosen)])) or None)


def _rarer(white_HW: Bool, name: str) -> str:
    share, (low, high) = white_HW.mean(), DOUBTED
    if low <= share <= high:
        told = f"{share:.0%} of it are white, the rest black: either could be edges"
        raise UserError(f"{name}: {told}; say which by --edge-colour white or black")
    return Level.white if share < low else Level.black


def _doubt(edges_HW: Bool, colour: str) -> str | None:
    """What looks wrong about it; None where nothing does."""
    share = edges_HW.mean()
    if share == 0:
        return "no edge in it"
    if share > DOUBTED[1]:
        other = Level.black if colour == Level.white else Level.white
        return f"{share:.0%} of it are edges; --edge-colour {other} reads it the other way"
    return None
