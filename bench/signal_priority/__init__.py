"""Test bed of bus priority on SUMO: scenarios, controllers side by side, measures."""
