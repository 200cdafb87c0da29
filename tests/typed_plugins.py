"""`python -m tests.typed_plugins`: mypy on every file that is found by its name, against the protocol of its kind.

Such files are imported by name, which mypy cannot follow: here a throw-away module binds each to its protocol.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from stages.project import plugins

ROOT = Path(__file__).resolve().parent.parent
KINDS = {  # package: (protocol's module, its name)
    "stages.metrics": ("stages.metrics.core.contract", "MetricModule"),
    "stages.images.layouts": ("stages.images.layouts", "LayoutModule"),
    "stages.pages.sections": ("stages.pages.section", "SectionModule"),
}


def bindings() -> list[str]:
    """A line of code a file: `plugin: Protocol = module`."""
    bound = []
    for package, (home, protocol) in KINDS.items():
        names = [name for name in plugins.names(package) if (ROOT / package.replace(".", "/") / f"{name}.py").is_file()]
        bound += [_bound(f"{package}.{name}", home, protocol) for name in names]
    for method in plugins.names("stages.methods"):
        for path in sorted((ROOT / "stages/methods" / method).glob("*.py")):
            if path.stem in {"__init__", "results"}:
                continue
            protocol = "MethodModule" if path.stem == "inpaint" else "PartModule"
            bound.append(_bound(f"stages.methods.{method}.{path.stem}", "stages.contract", protocol))
    for name in plugins.names("stages.images.masks.generators"):
        generator = f"stages.images.masks.generators.{name}"
        bound.append(
            f"import {generator}\n"
            f"{generator.replace('.', '_')}: type[stages.images.masks.generator.MaskGenerator] = {generator}.Generator"
        )
    return ["import stages.images.masks.generator", *bound]


def _bound(module: str, home: str, protocol: str) -> str:
    return f"import {module}\nimport {home}\n{module.replace('.', '_')}: {home}.{protocol} = {module}"


def main() -> int:
    """mypy's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plugins.py"
        path.write_text("\n".join(bindings()) + "\n")
        command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(path)]
        return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
