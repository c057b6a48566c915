"""Roads: the graph of the imported streets, what is closed when, and travel times.

Other rooms ask `nearest`, `route` and `travel_s` (see travel.py) and close roads by the verbs
`places.close_road` and `places.open_road`. Never: know vehicles or crews.
"""
