"""Reading SUMO networks: a small one written here, broken ones, and Bologna where present."""

from pathlib import Path

import pytest

from vigie.traffic.priority import NetworkError, PlanError, check_crossing, read_sumo

BOLOGNA = Path(__file__).resolve().parents[5] / "shared" / "data" / "bologna" / "joined"

NET = """<net version="1.20">
<edge id="w" from="a" to="x"><lane id="w_0" index="0" speed="13.9" length="120"
 shape="-120,0 0,0"/></edge>
<edge id="s" from="b" to="x"><lane id="s_0" index="0" speed="13.9" length="120"
 shape="0,-120 0,0"/></edge>
<edge id="e" from="x" to="c"><lane id="e_0" index="0" speed="13.9" length="120"
 shape="0,0 120,0"/></edge>
<edge id="n" from="x" to="d"><lane id="n_0" index="0" speed="13.9" length="120"
 shape="0,0 0,120"/></edge>
<tlLogic id="x" type="static" programID="0" offset="0">
 <phase duration="30" state="Gr"/><phase duration="3" state="yr"/>{clear}
 <phase duration="20" state="rG" minDur="8" maxDur="50"/><phase duration="3" state="ry"/>
 <phase duration="2" state="rr"/></tlLogic>
<junction id="x" type="traffic_light" x="0" y="0" incLanes="w_0 s_0" intLanes="">
 <request index="0" response="10" foes="10" cont="0"/>
 <request index="1" response="01" foes="01" cont="0"/></junction>
<connection from="w" to="e" fromLane="0" toLane="0" tl="x" linkIndex="0" dir="s" state="O"/>
<connection from="s" to="n" fromLane="0" toLane="0" tl="x" linkIndex="1" dir="s" state="O"/>
</net>"""
CLEAR = '<phase duration="2" state="rr"/>'


def read(tmp_path: Path, text: str):
    path = tmp_path / "n.net.xml"
    path.write_text(text)
    return read_sumo(path)


def test_a_programme_becomes_a_checked_crossing(tmp_path: Path) -> None:
    (x,) = read(tmp_path, NET.format(clear=CLEAR))
    assert [(s.aspects, s.min_green, s.green, s.max_green) for s in x.stages] == [
        ("Gr", 20, 30, 45),
        ("rG", 8, 20, 50),
    ]
    assert x.conflicts == (("k0", "k1"),)
    assert {(i.ending, i.starting, i.seconds) for i in x.intergreens} == {
        ("k0", "k1", 5), ("k1", "k0", 5),
    }  # fmt: skip
    assert x.cycle == 60
    assert [(k.id, k.entry_distance) for k in x.lanes] == [("w_0", 100.0), ("s_0", 100.0)]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ('<?xml version="1.0" encoding="foo"?><net/>', NetworkError, "cannot be read"),
        (NET.format(clear=CLEAR).replace('speed="13.9"', 'speed="inf"', 1), NetworkError, "above"),
        (NET.format(clear=CLEAR).replace("-120,0", "nan,0"), NetworkError, "no place"),
        (NET.format(clear=CLEAR).replace('"30"', '"1e999"'), NetworkError, "no time"),
        (NET.format(clear=CLEAR).replace('offset="0"', 'offset="inf"'), NetworkError, "no time"),
        (NET.format(clear=CLEAR).replace('linkIndex="1"', 'linkIndex="-1"'), NetworkError, "below"),
        (NET.format(clear=CLEAR).replace('foes="10"', 'foes="1"'), NetworkError, "1 foes for 2"),
        (NET.format(clear=CLEAR).replace('"3" state="yr"', '"3" state="rr"'), PlanError, "amber"),
        ("<net", NetworkError, "cannot be read"),
        ("<routes/>", NetworkError, "not a SUMO network"),
        ("<net/>", NetworkError, "without edges"),
        (NET.format(clear=CLEAR).replace('length="120"', "", 1), NetworkError, "lacks length"),
        (NET.format(clear=CLEAR).replace('length="120"', 'length="-1"', 1), NetworkError, "above"),
        (NET.format(clear=CLEAR).replace('"30"', '"30.5"'), NetworkError, "whole seconds"),
        (NET.format(clear=CLEAR).replace('state="Gr"', 'state="Go"'), NetworkError, "lamps out"),
        (NET.format(clear=CLEAR).replace('state="Gr"', 'state="G"'), NetworkError, "cover"),
        (NET.format(clear=CLEAR).replace('from="s" to="n"', 'from="q" to="n"'), NetworkError, "q_"),
        (
            NET.format(clear=CLEAR).replace('tlLogic id="x"', 'tlLogic id="z"'),
            NetworkError,
            "no prog",
        ),
        (NET.format(clear="").replace('<phase duration="3" state="yr"/>', ""), PlanError, "interg"),
    ],
)
def test_broken_networks_are_refused(tmp_path: Path, text: str, error, words: str) -> None:
    with pytest.raises(error, match=words):
        read(tmp_path, text)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="cannot be read"):
        read_sumo(tmp_path / "none.net.xml")


@pytest.mark.skipif(not BOLOGNA.is_dir(), reason="Bologna's scenario is not on this machine")
def test_bologna_is_read_and_safe() -> None:
    crossings = read_sumo(BOLOGNA / "joined_buslanes.net.xml", [BOLOGNA / "joined_tls.add.xml"])
    assert len(crossings) == 13
    assert {c.id: c.cycle for c in crossings}["219"] == 123
    for crossing in crossings:
        check_crossing(crossing)
    lanes = {lane.id: lane.leads_to for crossing in crossings for lane in crossing.lanes}
    assert lanes["b100_0"] == ("b7_0",), "two stop lines, one behind the other"
    assert lanes["b7_0"] == ()


WALK = """<net version="1.20">
<edge id="w"><lane id="w_0" index="0" speed="13.9" length="120" shape="-120,0 0,0"/></edge>
<edge id="e"><lane id="e_0" index="0" speed="13.9" length="120" shape="0,0 120,0"/></edge>
<edge id=":x_w0" function="walkingarea"><lane id=":x_w0_0" index="0" allow="pedestrian" speed="1"
 length="3" shape="0,0 1,1"/></edge>
<edge id=":x_c0" function="crossing"><lane id=":x_c0_0" index="0" allow="pedestrian" speed="1"
 length="{across}" shape="0,0 1,1"/></edge>
<tlLogic id="x" type="static" programID="0" offset="0">
 <phase duration="40" state="Gr"/><phase duration="3" state="yr"/><phase duration="2" state="rr"/>
 <phase duration="16" state="rG"/><phase duration="15" state="rr"/></tlLogic>
<junction id="x" type="traffic_light" x="0" y="0" incLanes="w_0 :x_w0_0" intLanes="">
 <request index="0" response="10" foes="10" cont="0"/>
 <request index="1" response="00" foes="01" cont="0"/></junction>
<connection from="w" to="e" fromLane="0" toLane="0" tl="x" linkIndex="0" dir="s" state="O"/>
<connection from=":x_w0" to=":x_c0" fromLane="0" toLane="0" tl="x" linkIndex="1" dir="s"
 state="M"/>
</net>"""


@pytest.mark.parametrize(("across", "seconds"), [("6", 5), ("18", 15), ("30", 16)])
def test_pedestrians_have_the_time_to_cross(tmp_path: Path, across: str, seconds: int) -> None:
    """At 1.2 m/s, none more than the city planned; the stage in which they walk waits for them."""
    (x,) = read(tmp_path, WALK.format(across=across))
    walk = x.groups[x.group_index["k1"]]
    assert (walk.kind, walk.min_green) == ("pedestrian", seconds)
    assert x.stages[1].min_green >= seconds
