"""Data quality: two records of one thing become one."""
