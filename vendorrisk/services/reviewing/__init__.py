"""What staff do with answers: read them beside the score, ask back, decide."""
