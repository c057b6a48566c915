"""Command line of the test bed: run, gather, report."""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))


def main() -> None:
    """Run what was asked and print the table."""
    asked = _arguments()
    if asked.speed:
        from signal_priority import speed

        print(speed.report(asked.speed))
        return
    asked.seeds = _seeds(asked.seeds)
    if asked.weights is None:
        asked.weights = str(Path(__file__).parent / f"{asked.scenario}.weights.json")
    if asked.learn:
        from signal_priority.learning import learn_weights
        from signal_priority.scenario import of_name

        with tempfile.TemporaryDirectory() as folder:
            scenario = of_name(asked.scenario, Path(folder), asked.scale)
            learn_weights(asked, scenario, lambda *what: _run_some(asked, *what))
        return
    if asked.report:
        runs = [run for path in asked.report for run in _read(path)]
    else:
        runs = _run_all(asked)
    from signal_priority.report import figure, table

    print(table(runs))
    if asked.figure:
        figure(runs, Path(asked.figure))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Bus priority on SUMO, controllers side by side")
    parser.add_argument("--scenario", default="bologna", choices=("bologna", "grid"))
    parser.add_argument("--seeds", default="101-103", help="first-last, or a list with commas")
    parser.add_argument("--controllers", default="static,actuated,sumo-bus,naive,ours")
    parser.add_argument("--scale", type=float, default=1.0, help="traffic, not buses")
    parser.add_argument("--gps", type=float, default=5.0, help="metres of GPS noise")
    parser.add_argument("--lost", type=float, default=0.01, help="share of positions lost")
    parser.add_argument("--dead", type=float, default=0.0, help="share of loops dead")
    parser.add_argument("--speed", type=int, help="only time decisions, for so many seconds")
    parser.add_argument("--weights", help="lane weights; what the scenario ships if not given, "
                        "'none' for none")  # fmt: skip
    parser.add_argument("--learn", type=int, help="learn the weights for so many days instead")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--settings", default="{}", help="JSON of Settings fields")
    parser.add_argument(
        "--out", help="add the runs to this file, a line of JSON each; runs in it are not repeated"
    )
    parser.add_argument("--log", help="write the log of ours' requests to this file")
    parser.add_argument("--language", default="en", choices=("en", "fr"), help="of the log")
    parser.add_argument("--report", nargs="*", help="report runs written before")
    parser.add_argument("--figure", help="draw the figure into this file")
    return parser.parse_args()


def _read(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def _seeds(text: str) -> list[int]:
    out: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        out += range(int(first), int(last or first) + 1)
    return out


def _run_all(asked: argparse.Namespace) -> list[dict]:
    out = _read(asked.out) if asked.out and Path(asked.out).exists() else []
    done = {(run["controller"], run["seed"]) for run in out}
    jobs = [
        (vars(asked), controller, seed)
        for controller in asked.controllers.split(",")
        for seed in asked.seeds
        if (controller, seed) not in done
    ]
    for result in _in_parallel(asked.jobs, jobs):
        out.append(result)
        if asked.out:
            with open(asked.out, "a") as file:
                file.write(json.dumps(result) + "\n")
        print(
            f"{result['scenario']} seed {result['seed']} {result['controller']}: buses "
            f"{result['bus_loss']:.1f} s, others {result['other_loss']:.1f} s, "
            f"{result['violations']} violations, {result['wall']:.0f} s",
            flush=True,
        )
    return sorted(out, key=lambda r: (r["seed"], r["controller"]))


def _run_some(
    asked: argparse.Namespace, controllers: list[str], seeds: list[int], weights: str
) -> list[dict]:
    options = vars(asked) | {"weights": weights}
    jobs = [(options, controller, seed) for controller in controllers for seed in seeds]
    return list(_in_parallel(asked.jobs, jobs))


def _in_parallel(jobs: int, what: list[tuple[dict, str, int]]) -> Iterator[dict]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(_one, what)


def _one(job: tuple[dict, str, int]) -> dict:
    from signal_priority import controllers as k
    from signal_priority.measure import measure
    from signal_priority.scenario import of_name, tool
    from signal_priority.world import Field, run
    from vigie.traffic.priority import Settings

    asked, controller, seed = job
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        scenario = of_name(asked["scenario"], folder, asked["scale"])
        additional = [*scenario.additional]
        if controller == k.ACTUATED:
            k.actuated_file(scenario, folder / "tls.add.xml")
            additional.append(folder / "tls.add.xml")
        elif controller == k.SUMO_BUS:
            k.sumo_bus_file(scenario, folder / "tls.add.xml")
            additional.append(folder / "tls.add.xml")
        else:
            additional += scenario.programmes
        make = naive = None
        if controller == k.OURS:
            additional.append(folder / "loops.add.xml")
            settings = msgspec.json.decode(asked["settings"], type=Settings)
            make = k.ours(scenario, settings, _weights(asked["weights"]))
        elif controller == k.NAIVE:
            naive = k.Naive(scenario)
        command = [
            tool("sumo"), "-n", str(scenario.net), "-r", ",".join(map(str, scenario.routes)),
            "-a", ",".join(map(str, additional)), "--seed", str(seed), "--no-step-log",
            "--no-warnings", "--tripinfo-output", str(folder / "trip.xml"),
            "--stop-output", str(folder / "stops.xml"),
            "--vehroute-output", str(folder / "routes.xml"), "--vehroute-output.exit-times",
            "--device.emissions.probability", "0.1", "--xml-validation", "never",
        ]  # fmt: skip
        field = Field(gps=asked["gps"], lost=asked["lost"], dead_loops=asked["dead"])
        ledger = run(
            command, scenario.crossings, scenario.facts, seed, field, make, naive, scenario.end
        )
        result = measure(scenario, folder)
    if asked["log"] and controller == k.OURS:
        with open(f"{asked['log']}.{seed}", "w") as log:
            for event in ledger.events:
                words = event.reason.words(asked["language"]).replace("bus bus_", "bus ")
                log.write(f"{event.at}\t{event.crossing}\t{event.bus}\t{event.state}\t{words}\n")
    seconds = sorted(ledger.seconds)
    return result | {
        "scenario": asked["scenario"],
        "scale": asked["scale"],
        "field": [asked["gps"], asked["lost"], asked["dead"]],
        "seed": seed,
        "controller": controller,
        "violations": len(ledger.violations),
        "broken": ledger.violations[:5],
        "refused": ledger.refused,
        "grants": sum(e.state == "granted" for e in ledger.events),
        "turn_ms": [1e3 * seconds[int(q * (len(seconds) - 1))] for q in (0.5, 0.95, 1.0)]
        if seconds
        else [],
        "wall": time.perf_counter() - begin,
    }


def _weights(path: str):
    from vigie.traffic.priority import weights_from_json

    file = Path(path)
    return weights_from_json(file.read_bytes()) if path != "none" and file.exists() else None
