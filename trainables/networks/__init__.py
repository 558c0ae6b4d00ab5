"""Encoders, decoders, heads and discriminators."""
