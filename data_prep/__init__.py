"""Corpora in, Parquet feature stores out. Knows audio; knows no model."""
