"""What a mention says besides its polarity: intents, reasons, spam, emotion."""
