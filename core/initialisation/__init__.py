"""Find poses without a start: hypotheses from the pictures, decided by registration."""
