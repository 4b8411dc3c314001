"""The log of a bot: secrets taken out of every line, and what happened as JSON beside the console.

The file is opened once a bot's strategy is made, and not by Freqtrade's `log_config`: that ends in
a traceback where the file cannot be written, and is read before anything of ours can be imported.
"""

import logging
import math
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from freqtrade.enums import TRADE_MODES
from freqtrade.exceptions import OperationalException
from freqtrade.loggers.json_formatter import JsonFormatter

from ballast.config.settings import LogSettings
from ballast.core.events import Event, EventKind
from ballast.core.reasons import ALL_WELL
from ballast.core.redaction import Redactor
from ballast.core.sentences import sentence

logger = logging.getLogger(__name__)

# Attribute of a log record that holds an event's fields.
_EVENT = "ballast_event"
# And the redactor that has taken its secrets out.
_CLEAN = "ballast_clean"
_EXCHANGE_LOGGER, _RESPONSE = "freqtrade.exchange.exchange", "API "
_NOTEWORTHY = {
    EventKind.INCIDENT,
    EventKind.WATCH,
    EventKind.FLOW,
    EventKind.GUARD,
    EventKind.DATA,
}


class Redaction(logging.Filter):
    """Takes secrets out of a record's message and traceback before any handler writes it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record is changed, once for all handlers."""
        if getattr(record, _CLEAN, None) is self._redactor:
            return True
        setattr(record, _CLEAN, self._redactor)
        try:
            text = record.getMessage()
        except Exception:
            # Python would print the arguments as they are.
            record.msg, record.args = "a message that cannot be formatted", ()
            return True
        clean = self._redactor.text(text)
        if clean != text:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redactor.text(record.exc_text)
        return True


class EventFormatter(JsonFormatter):
    """Freqtrade's JSON lines, in UTC, with the fields of an event where the line is about one."""

    converter = time.gmtime

    def formatMessageDict(self, record: logging.LogRecord) -> dict[str, Any]:  # noqa: N802
        """Fields of the line."""
        fields = super().formatMessageDict(record)
        event = getattr(record, _EVENT, None)
        return fields if event is None else {**fields, "event": event}


class _NotResponses(logging.Filter):
    """Keeps answers of the exchange off the console: one balance is a screen of its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        response = str(record.msg).startswith(_RESPONSE)
        return not (record.name == _EXCHANGE_LOGGER and response)


class JsonLines(RotatingFileHandler):
    """Ten files of ten megabytes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, maxBytes=10_000_000, backupCount=10, encoding="utf-8")
        self.setFormatter(EventFormatter())
        self._is_told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say once that the disk is full; Python would print a traceback for each line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._is_told:
            self._is_told = True
            said = f"the log {self.baseFilename} cannot be written ({error.strerror}): make room\n"
            sys.stderr.write(said)

    def close(self) -> None:
        """Lines that a full disk has not taken are lost; a bot that begins anew goes on."""
        with suppress(OSError):
            super().close()


def attach(redactor: Redactor) -> None:
    """Let every handler of the root logger pass through here; a later call replaces an earlier."""
    handlers = logging.root.handlers
    in_file = any(isinstance(handler, JsonLines) for handler in handlers)
    for handler in handlers:
        for known in [f for f in handler.filters if isinstance(f, Redaction | _NotResponses)]:
            handler.removeFilter(known)
        if in_file and not isinstance(handler, JsonLines):
            handler.addFilter(_NotResponses())
        handler.addFilter(Redaction(redactor))


def path_of(config: Mapping[str, Any], settings: LogSettings) -> Path:
    """Where the file of a configuration lies."""
    return Path(config.get("user_data_dir") or "user_data") / settings.file


def open_file(config: Mapping[str, Any], settings: LogSettings, redactor: Redactor) -> None:
    """
    Write JSON lines from now on, if a bot trades; a file that is open already is closed.

    Raises
    ------
    OperationalException
        Naming the file that cannot be written.
    """
    if config.get("runmode") not in TRADE_MODES:
        return
    path = path_of(config, settings)
    for handler in [h for h in logging.root.handlers if _writes(h, path)]:
        logging.root.removeHandler(handler)
        handler.close()
    try:
        logging.root.addHandler(JsonLines(path))
    except OSError as error:
        raise OperationalException(
            f"the log {path} cannot be written ({error.strerror}): give its folder to the bot's "
            "user (chown), or name another file in ballast.log.file"
        ) from None
    attach(redactor)


def _writes(handler: logging.Handler, path: Path) -> bool:
    """Whether a handler is an earlier one of ours, or has the file open by `log_config`."""
    if not isinstance(handler, logging.FileHandler):
        return False
    return isinstance(handler, JsonLines) or Path(handler.baseFilename) == path.absolute()


class EventLog:
    """
    Writes every event to the log, as a sentence and as fields.

    Parameters
    ----------
    redactor : Redactor
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def hear(self, event: Event) -> None:
        """Write one event."""
        noteworthy = event.kind in _NOTEWORTHY and event.code not in ALL_WELL
        level = logging.WARNING if noteworthy else logging.INFO
        logger.log(level, "%s", sentence(event), extra={_EVENT: self._fields(event)})

    def _fields(self, event: Event) -> dict[str, Any]:
        fields = {
            **event.facts,
            "at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
            "kind": str(event.kind),
            "code": event.code,
            "pair": event.pair,
            "trade_id": event.trade_id,
            "value": event.value,
            "limit": event.limit,
        }
        clean = self._redactor.clean({name: _json(value) for name, value in fields.items()})
        return {name: value for name, value in clean.items() if value not in ("", None)}


def _json(value: Any) -> Any:
    """What JSON has no word for, as null or text."""
    if isinstance(value, Mapping):
        return {str(name): _json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)
