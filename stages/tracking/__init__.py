"""MLflow, the only room that knows it. Tracking serves the work and never stops it."""
