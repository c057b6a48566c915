"""People at their desks: how one has set up one's screens, who looks at what, who took it, and what
the wall shows.

Presence and taking are words between colleagues who see the same object: neither opens anything,
and neither stops who goes on.
"""
