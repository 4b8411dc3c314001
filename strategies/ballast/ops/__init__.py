"""Beside a running bot: preflight, health, metrics, doctor, drill."""
