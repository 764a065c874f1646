"""Customer-value analytics: pyramid, RFM and what follows."""
