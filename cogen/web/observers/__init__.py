"""What looks on while requests are answered: log, figures, health, garbage and memory."""
