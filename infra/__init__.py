"""How Antiphon is deployed, operated, and run on your own machine."""
