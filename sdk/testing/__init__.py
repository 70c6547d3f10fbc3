"""What block authors test with."""
