"""Bus priority on SUMO: five controllers side by side.

    python bench/signal_priority.py --scenario bologna --seeds 101-110 --jobs 2 --out results.json
    python bench/signal_priority.py --scenario grid --seeds 101-103
    python bench/signal_priority.py --report results.json --figure docs/images/signal-priority.png

Needs eclipse-sumo and libsumo; the figure needs matplotlib.
"""

from signal_priority.cli import main

if __name__ == "__main__":
    main()
