"""One router for each resource of the API; each endpoint reads as the story of one call."""
