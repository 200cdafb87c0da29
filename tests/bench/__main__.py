"""Print every bench's rows: what, peer's and our median seconds, the ratio (bigger = we are faster)."""

import importlib
import pkgutil
import sys

import tests.bench as room


def main(chosen: list[str]) -> None:
    """Run the named benches, or all."""
    names = [m.name for m in pkgutil.iter_modules(room.__path__) if m.name not in {"__main__", "turns"}]
    print(f"{'what':<64} {'peer s':>10} {'ours s':>10} {'ratio':>8}")
    for name in chosen or names:
        for what, peer, ours in importlib.import_module(f"tests.bench.{name}").rows():
            print(f"{what:<64} {peer:>10.4f} {ours:>10.4f} {peer / ours:>7.1f}x", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
