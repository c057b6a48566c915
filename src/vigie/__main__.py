"""`python -m vigie` is `vigie`."""

import sys

if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "run" and sys.argv[2].isalpha():
        # A role does not wait for what the other commands import.
        from vigie.role import main
    else:
        from vigie.cli import main
    main()
