"""`python -m services.alerts`: alerts as a process of its own."""

from services.alerts.app import build
from shared.runtime import run_process

if __name__ == "__main__":
    run_process(build)
