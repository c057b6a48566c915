"""Tests mirror src/; support/ starts what they need; e2e, conformance and faults see the whole."""
