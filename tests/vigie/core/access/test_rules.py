"""Grants by properties: narrowing only takes, covering is what the list's SQL says."""

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.access.rules import covers, narrow, password_fault
from vigie.core.permissions import EVERY_ROLE, Catalogue, Permission
from vigie.core.scope import Grant, Principal, scope_of

places = st.sampled_from(["*", "21231", "21166"])
trades = st.sampled_from(["*", "lighting", "traffic"])
grants = st.builds(Grant, st.sampled_from(EVERY_ROLE), places, trades)
lists = st.lists(grants, max_size=5)
CELLS = [(m, t) for m in ("", "21231", "21166", "99999") for t in ("lighting", "traffic", "video")]


@given(lists, lists)
def test_narrowing_is_the_intersection_role_by_role(mine, wanted):
    common = narrow(mine, wanted)
    for role in EVERY_ROLE:
        held = scope_of(g for g in mine if g.role == role)
        asked = scope_of(g for g in wanted if g.role == role)
        both = scope_of(g for g in common if g.role == role)
        for cell in CELLS:
            assert both.allows(*cell) == (held.allows(*cell) and asked.allows(*cell))


@given(lists, grants)
def test_a_covered_grant_opens_nothing_outside(mine, grant):
    scope, opened = scope_of(mine), scope_of([grant])
    if covers(scope, grant):
        assert all(scope.allows(*cell) for cell in CELLS if opened.allows(*cell))
    assert all(covers(scope, held) for held in mine)


@given(lists, st.sets(st.sampled_from(["a.read", "a.write"])))
def test_a_token_never_reaches_further_than_its_owner(mine, only):
    catalogue = Catalogue(
        [Permission("a.read", "", ("viewer", "operator")), Permission("a.write", "", ("operator",))]
    )
    owner = Principal(None, "o", "user", tuple(mine))
    token = Principal(None, "t", "token", tuple(mine), frozenset(only))
    assert catalogue.held_by(token) == catalogue.held_by(owner) & only
    for name in ("a.read", "a.write", "a.unknown"):
        scope = catalogue.scope_for(token, name)
        assert (scope is not None) == (name in catalogue.held_by(token))
        if scope is not None:
            assert scope == catalogue.scope_for(owner, name)


def test_passwords():
    assert password_fault("quatre chevaux verts", "alice") is None
    assert password_fault("a" * 300, "alice") == "password_too_long"
