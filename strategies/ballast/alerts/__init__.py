"""Telling a person: messages, log lines, answers to Telegram commands."""
