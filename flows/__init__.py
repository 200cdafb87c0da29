"""Where and when the stages of dvc.yaml run. What they compute, and what is stale, is not decided here."""

import os
import sys
import sysconfig

from flows import access
from flows.errors import InvalidRequest

# before prefect reads its settings: nothing phones home, and a busy machine is given time to start a server
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "300")
# what flows start (prefect, mlflow, dvc, plurifill) is this interpreter's, whatever is or is not on the caller's PATH
os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
try:
    os.environ.update(access.client_environment())
except InvalidRequest as error:
    print(error, file=sys.stderr)
    sys.exit(2)
