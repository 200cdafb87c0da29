"""How busy the machine is while a part learns: processor, memory, disk, network, GPU, by MLflow's own gauges."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

EVERY_S = 10.0  # what MLflow's own monitor waits


class Machine(threading.Thread):
    """Notes figures against the seconds since `begun` (Unix time) until it is ended."""

    def __init__(self, note: Callable[[Mapping[str, float], int], None], begun: float) -> None:
        super().__init__(name="machine", daemon=True)
        self._note, self._begun = note, begun
        self._ended = threading.Event()

    def run(self) -> None:
        """The thread's work."""
        gauges = _gauges()
        while not self._ended.wait(EVERY_S):
            for gauge in gauges:
                gauge.collect_metrics()
                figures = {f"system/{name}": float(value) for name, value in gauge.aggregate_metrics().items()}
                self._note(figures, round(time.time() - self._begun))
                gauge.clear_metrics()

    def end(self) -> None:
        """Note nothing more."""
        self._ended.set()


def _gauges() -> list:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    try:
        return [CPUMonitor(), DiskMonitor(), NetworkMonitor(), GPUMonitor()]
    except Exception:  # no GPU, no NVML
        return [CPUMonitor(), DiskMonitor(), NetworkMonitor()]
