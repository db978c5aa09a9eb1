"""What runs beside the night: the serving stack, and what outranks every release."""
