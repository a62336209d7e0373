"""Synthetic knees with known truth: implants, bones, motion, and the pictures two X-ray planes take of them."""
