"""Both event logs, so that one suite runs on each."""
