"""What is unsafe, judged from what the lamps showed and the crossing's own figures alone.

Written apart from the checker on purpose: it shares none of its code.
"""

from itertools import groupby

from vigie.traffic.priority import Crossing


def broken(x: Crossing, shown: list[str]) -> list[str]:
    """Every bound that the seconds `shown` broke, in words; the first and last green are open."""
    out = [*_stages_too_long(x, shown)]
    for i, group in enumerate(x.groups):
        lamps = ["G" if second[i] in "Gg" else second[i] for second in shown]
        runs = [(lamp, len(list(same))) for lamp, same in groupby(lamps)]
        for k, (lamp, seconds) in enumerate(runs[:-1]):
            onward = runs[k + 1][0]
            if lamp == "G" and k > 0 and seconds < group.min_green:
                out.append(f"{group.id} green {seconds} s of {group.min_green}")
            if lamp == "G" and onward == "r" and group.amber:
                out.append(f"{group.id} without amber")
            if lamp == "y" and seconds < group.amber:
                out.append(f"{group.id} amber {seconds} s of {group.amber}")
            if lamp == "y" and onward == "G":
                out.append(f"{group.id} green after amber")
    for a, b in x.conflicts:
        for ending, starting in ((a, b), (b, a)):
            out += _cleared(x, shown, ending, starting)
    return out


def _stages_too_long(x: Crossing, shown: list[str]) -> list[str]:
    most = {stage.aspects: stage.max_green for stage in x.stages}
    runs = [(look, len(list(same))) for look, same in groupby(shown)]
    return [f"{k} for {n} s" for k, n in runs if k in most and n > most[k]]


def _cleared(x: Crossing, shown: list[str], ending: str, starting: str) -> list[str]:
    names = [group.id for group in x.groups]
    a, b = names.index(ending), names.index(starting)
    (wanted,) = [i.seconds for i in x.intergreens if (i.ending, i.starting) == (ending, starting)]
    out, ended = [], None
    for at, second in enumerate(shown):
        if second[a] in "Gg" and second[b] in "Gg":
            out.append(f"{ending} and {starting} green together at {at}")
        if at and shown[at - 1][a] in "Gg" and second[a] not in "Gg":
            ended = at
        began = second[b] in "Gg" and at and shown[at - 1][b] not in "Gg"
        if began and ended is not None and at - ended < wanted:
            out.append(f"{starting} {at - ended} s after {ending}, of {wanted}")
    return out
