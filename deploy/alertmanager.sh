#!/bin/sh
# Starts Alertmanager with the chat and the token of the environment; it reads neither from there.
#
# The token goes to a file in memory, and to no command line, where others could see it.
set -eu

place=${BALLAST_ALERTS_DIR:-/tmp}
if [ -z "${TELEGRAM_TOKEN:-}" ] || [ -z "${TELEGRAM_CHAT_ID:-}" ]; then
    echo "alerts are not sent: set FREQTRADE__TELEGRAM__TOKEN and FREQTRADE__TELEGRAM__CHAT_ID in .env" >&2
fi
chat=${TELEGRAM_CHAT_ID:--1}
case ${chat#-} in
    ""|*[!0-9]*) echo "FREQTRADE__TELEGRAM__CHAT_ID is no number: ${TELEGRAM_CHAT_ID}" >&2; exit 2 ;;
esac
umask 077
printf '%s' "${TELEGRAM_TOKEN:-}" > "$place/telegram-token"
sed -e "s|chat_id: -1|chat_id: $chat|" \
    -e "s|/tmp/telegram-token|$place/telegram-token|" \
    "$(dirname "$0")/alertmanager.yml" > "$place/alertmanager.yml"
unset TELEGRAM_TOKEN
exec "${ALERTMANAGER:-/bin/alertmanager}" \
    --config.file="$place/alertmanager.yml" \
    --storage.path=/alertmanager \
    --cluster.listen-address=
