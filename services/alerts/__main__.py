"""`python -m services.alerts`: alerts as a process of its own; `… test RULES`: tests of rules."""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["test"]:  # without the service: its imports take longer than the tests
        from services.alerts.rehearsal.command import main

        sys.exit(main(sys.argv[2:]))
    if sys.argv[1:2] == ["preview"]:
        from services.alerts.rehearsal import preview

        sys.exit(preview.main())
    from services.alerts.app import build
    from shared.runtime import run_process

    run_process(build)
