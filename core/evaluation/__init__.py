"""How far poses lie from known ones."""
