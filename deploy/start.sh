#!/bin/sh
# Preflight, and only then the bot, in this process' place so that it is told to stop itself.
# Arguments: those of both, such as --config.
set -eu
# The working directory is user_data here.
python -m ballast preflight "$@"
exec freqtrade trade --logfile logs/freqtrade.log "$@"
