"""Weather: stations and the road's surface."""
