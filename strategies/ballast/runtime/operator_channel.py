"""The contact with the operator of a live or paper run: messages, log, and what may be asked."""

from collections.abc import Callable
from datetime import datetime

from ballast.alerts.data_watch import DataWatch
from ballast.alerts.guard_watch import GuardWatch
from ballast.alerts.logs import EventLog
from ballast.alerts.messages import Messages, as_code
from ballast.alerts.telegram_commands import TelegramCommands
from ballast.config.settings import Settings
from ballast.core.columns import CandleColumns
from ballast.core.measures import share
from ballast.core.redaction import Redactor
from ballast.core.verdict import Verdict
from ballast.journal.explanations import status_text, why
from ballast.journal.recorder import Recorder
from ballast.risk.engine import RiskEngine
from ballast.runtime.host import Host


class OperatorChannel:
    """
    Listens to a run's events and tells the operator about them.

    Parameters
    ----------
    host : Host
    engine : RiskEngine
    recorder : Recorder or None
    columns_of : callable
        Gives a pair's columns, or None.
    """

    def __init__(
        self,
        host: Host,
        engine: RiskEngine,
        recorder: Recorder | None,
        columns_of: Callable[[str], CandleColumns | None],
    ) -> None:
        settings, dp, events = host.settings, host.dp, host.events
        tell = sender(host.redactor, lambda text: dp.send_msg(text, always_send=True))
        host.incidents.announce_through(tell)
        self._messages = Messages(settings.messages, tell)
        events.listen(EventLog(host.redactor).hear)
        events.listen(self._messages.hear)
        self._data = DataWatch(dp.current_whitelist, columns_of, events.publish)
        self._guards = GuardWatch(engine.guard_set, self._messages.transition)
        self._commands = TelegramCommands(
            dp,
            (lambda pair: why(recorder, dp.current_whitelist(), pair))
            if settings.messages.why_command
            else None,
            (lambda: status_text(recorder)) if settings.messages.why_command else None,
            lambda: guards_text(host.version(), settings, engine.guard_set.standing()),
        )
        self._engine = engine
        self._seen: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Look at what the last loop left, and send what is due; to be called in every loop."""
        self._commands.ensure()
        snapshot = self._engine.guard_set.snapshot
        if snapshot is not None and snapshot.now != self._seen:
            self._seen = snapshot.now
            self._data.look(snapshot.now)
            self._guards.look()
        self._messages.tick(now)


def sender(redactor: Redactor, send: Callable[[str], None]) -> Callable[[str], None]:
    """A function that sends a text without secrets, in a form that Telegram takes."""
    return lambda text: send(as_code(redactor.text(text)))


def guards_text(version: str, settings: Settings, standing: dict[str, Verdict]) -> str:
    """Which guards are on, what they say of the market now, and which are off, or wait."""
    guards = settings.guards
    lines = [version, ""]
    for name in guards.names():
        verdict = standing.get(name)
        state = guards.state(name)
        if verdict is not None and verdict.multiplier < 1:
            cut = "blocks" if verdict.blocks else f"cuts sizes to {share(verdict.multiplier)}"
            state += f", {cut}: {verdict}"
        lines.append(f"{name}: {state}")
    return "\n".join(lines)
