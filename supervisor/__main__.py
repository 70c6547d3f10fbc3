"""`python -m supervisor`."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        # `-m` looks for modules in the working directory first: a block in `logging.py` there would be our `logging`.
        sys.path.append(sys.path.pop(0))
    from supervisor.cli import main

    sys.exit(main())
