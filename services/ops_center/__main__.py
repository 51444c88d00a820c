"""`python -m services.ops_center`: the live picture, the wall and the console as one process."""

from services.ops_center.app import build
from shared.runtime import run_process

if __name__ == "__main__":
    run_process(build)
