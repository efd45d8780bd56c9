"""What vendors do with a request: sit down, answer, attach, hand in; and the score that comes of it."""
