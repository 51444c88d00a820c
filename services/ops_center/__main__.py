"""`python -m services.ops_center`: the live picture, the wall and the console as one process;
`… audit verify`: whether the audit logs are as they were written."""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["audit"]:
        from services.ops_center.people.command import main

        sys.exit(main(sys.argv[2:]))
    from services.ops_center.app import build
    from shared.runtime import run_process

    run_process(build)
