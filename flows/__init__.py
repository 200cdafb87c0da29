"""Where and when the stages of dvc.yaml run. What they compute, and what is stale, is not decided here."""

import os

# before prefect reads its settings: nothing phones home, and a busy machine is given time to start a server
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "300")
