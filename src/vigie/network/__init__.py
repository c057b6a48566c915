"""The fibre network: switches and links."""
