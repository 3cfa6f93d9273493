"""Multipath maps: which paths a LUN has, and what multipathd has to know about reservations."""
