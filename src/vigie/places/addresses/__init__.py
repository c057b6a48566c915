"""Addresses with house numbers: imported from BAN's CSV, corrected by people, found by what people
type, and the nearest to a place. Never: know who lives there."""
