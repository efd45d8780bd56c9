"""The ground floor: questionnaires, answers, scores and rules as frozen values and pure functions."""
