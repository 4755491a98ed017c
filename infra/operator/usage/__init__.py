"""`antiphon usage`: what the gateway's responses came to."""
