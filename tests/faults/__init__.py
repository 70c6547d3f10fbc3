"""What the programs that inject faults share; see README.md here."""
