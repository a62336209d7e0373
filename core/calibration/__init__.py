"""From pictures of phantoms to distortion, source and the relation of the planes, with what they are worth."""
