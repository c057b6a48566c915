"""Tables and a figure of the runs."""

from collections import defaultdict
from pathlib import Path

import numpy as np

ORDER = ("static", "actuated", "sumo-bus", "naive", "ours")
NAMES = {
    "actuated": "SUMO actuated",
    "sumo-bus": "SUMO's bus prioritisation",
    "naive": "naive rule, 120 m",
    "ours": "Vigie",
}
LEAST = 100  # vehicles of a movement in a run, on average, below which its mean says little


def pooled(runs: list[dict]) -> dict[str, dict]:
    """Means over the runs of each controller; movements pooled."""
    by: dict[str, list[dict]] = defaultdict(list)
    for run in runs:
        by[run["controller"]].append(run)
    out = {}
    for name in sorted(by, key=lambda n: ORDER.index(n) if n in ORDER else 9):
        mine = by[name]
        keys = [k for k, v in mine[0].items() if isinstance(v, float | int)]
        out[name] = {k: float(np.mean([r[k] for r in mine])) for k in keys}
        for kind in ("movements", "through"):
            total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
            for run in mine:
                for movement, (spent, n) in run[kind].items():
                    total[movement][0] += spent
                    total[movement][1] += n
            out[name][kind] = {
                m: (spent / max(n, 1), n / len(mine)) for m, (spent, n) in total.items()
            }
        out[name]["runs"] = len(mine)
    return out


def worst(
    means: dict, base: dict, kind: str = "movements", least: int = LEAST
) -> list[tuple[float, str, float, float]]:
    """Movements by their change against `base`, worst first: change, name, before, after."""
    out = []
    for name, (before, n) in base[kind].items():
        if n >= least and name in means[kind]:
            after = means[kind][name][0]
            out.append((after / max(before, 0.1) - 1, name, before, after))
    return sorted(out, reverse=True)


def table(runs: list[dict]) -> str:
    """A Markdown table of the controllers."""
    means = pooled(runs)
    base = means.get("static")
    lines = [
        "| controller | runs | buses' time loss (s) | | others' time loss (s) | | person-delay (s)"
        " | worst at a stop line | > 15% worse | worst through a crossing | > 15% worse | bus stops"
        " | others' stops | headway CV | CO2 (kg) | violations |",
        "|---|" + "---:|" * 15,
    ]
    for name, m in means.items():
        tops = " | ".join(_tops(m, base, kind) for kind in ("movements", "through"))

        def change(key: str, m: dict = m) -> str:
            return f"{m[key] / base[key] - 1:+.1%}" if base else ""

        lines.append(
            f"| {name} | {m['runs']} | {m['bus_loss']:.1f} | {change('bus_loss')} "
            f"| {m['other_loss']:.1f} | {change('other_loss')} | {m['person_delay']:.1f} "
            f"| {tops} | {m['bus_stops']:.2f} | {m['other_stops']:.2f} "
            f"| {m['headway_cv']:.3f} | {m['co2_kg']:.0f} | {m['violations']:.0f} |"
        )
    return "\n".join(lines)


def _tops(means: dict, base: dict | None, kind: str) -> str:
    bad = worst(means, base, kind) if base else []
    if not bad:
        return " | "
    return f"{bad[0][0]:+.0%} ({bad[0][1]}) | {sum(b[0] > 0.15 for b in bad)} of {len(bad)}"


def figure(runs: list[dict], path: Path) -> None:
    """Change of buses' and others' time loss against the static plans, a point a seed."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    base = {r["seed"]: r for r in runs if r["controller"] == "static"}
    colours = dict(zip(ORDER, ("#555555", "#b08030", "#8060a0", "#a04040", "#1f6fb2"), strict=True))
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6))
    for name in ORDER[1:]:
        mine = [r for r in runs if r["controller"] == name and r["seed"] in base]
        if not mine:
            continue
        x = [100 * (r["other_loss"] / base[r["seed"]]["other_loss"] - 1) for r in mine]
        y = [100 * (r["bus_loss"] / base[r["seed"]]["bus_loss"] - 1) for r in mine]
        left.scatter(x, y, s=22, alpha=0.5, color=colours[name])
        left.scatter([np.mean(x)], [np.mean(y)], s=90, color=colours[name], label=NAMES[name])
    left.axhline(0, color="#999999", lw=0.8)
    left.axvline(0, color="#999999", lw=0.8)
    left.axhline(-35, color="#1f6fb2", lw=0.8, ls=":")
    left.text(0.99, -36, "target: −35%", color="#1f6fb2", ha="right", va="top", fontsize=8,
              transform=left.get_yaxis_transform())  # fmt: skip
    left.set_title("each controller, a point a seed; large: the mean", fontsize=10)
    left.set_xlabel("others' time loss against the static plans (%)")
    left.set_ylabel("buses' time loss against the static plans (%)")
    left.legend(frameon=False, loc="upper left", fontsize=9)
    means = pooled(runs)
    if "ours" in means and "static" in means:
        bad = worst(means["ours"], means["static"])
        before, after = [b[2] for b in bad], [b[3] for b in bad]
        right.scatter(before, after, s=16, color=colours["ours"])
        top = max([*before, *after]) * 1.05
        right.plot([0, top], [0, top], color="#999999", lw=0.8, label="as under the plans")
        right.plot([0, top], [0, 1.15 * top], color="#999999", lw=0.8, ls=":", label="15% worse")
        right.legend(frameon=False, loc="upper left", fontsize=9)
        right.set_title("each movement under Vigie, a point a movement", fontsize=10)
        right.set_xlabel("mean delay of each movement, static plans (s)")
        right.set_ylabel("mean delay, Vigie (s)")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    fig.tight_layout()
    fig.savefig(path, dpi=130)
