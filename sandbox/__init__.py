"""An exchange on loopback that speaks Binance's spot API, for rehearsals without a network.

``python -m sandbox --generate 7`` serves a generated year, ``python -m sandbox --data DIR`` replays
Freqtrade's own candle files, and ``freqtrade ... -c config.json -c sandbox/config-overlay.json``
takes it for Binance. Nothing that trades imports this package.

Which time it is there:

- By default it stands still at the end of the history: for download-data with a ``--timerange``.
- ``--shift-to-now`` moves the history to the present: for dry-run and pairlists, as Freqtrade asks
  for candles by the machine's clock. ``--now flash_crash`` makes the present that label's start,
  ``--now 2024-03-10`` makes today that day.
- ``--clock replay --speed 60`` runs from ``--now`` faster: for clients that ask for the time first,
  or run under a simulated clock themselves.

Modules: `candles` (columns, aggregation), `regimes` (the labelled script), `profiles`, `volatility`
and `model` (the market model), `sources` and `files` (where candles come from), `clock`, `markets`
(symbols and filters), `trades` and `market_data` (what the exchange knows at a moment), `bodies`,
`routes`, `websocket` and `server` (HTTP), `overlay` (the config file that points Freqtrade here),
`cli`.

Trading: `units` (whole units of 1e-8), `ledger` (double entry) and `account`, `orders`, `filters`,
`path` and `matching` (how resting orders meet the price), `exchange` (all of it together), `hooks`
(what a rehearsal may change), `signing`, `order_requests`, `order_bodies` and `trading_routes`
(HTTP), `admin` (the truth, under /sandbox), `trading_options` (the command line's part).

What goes wrong: `faults` (the kinds), `faults_plan` (when), `faults_http`, `faults_answers`,
`faults_candles` and `faults_orders` (how), `faults_routes` (injection), `rehearsal` (all of it
together).
"""
