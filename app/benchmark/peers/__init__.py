"""One script a peer, run in a process of its own: it imports the peer and NumPy, and nothing of this program."""
