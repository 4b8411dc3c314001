"""Orders, trades and the account in Binance's form."""

from __future__ import annotations

from typing import Any

from sandbox.account import ClientAccount
from sandbox.orders import Fill, Order, Side
from sandbox.units import MILLION, UNIT, text

_SELF_TRADE = "EXPIRE_MAKER"
NO_LIST = -1


def order_body(order: Order) -> dict[str, Any]:
    """The body of GET /api/v3/order, and an entry of openOrders and allOrders."""
    return _common(order) | {
        "clientOrderId": order.request.client_id,
        "stopPrice": text(order.request.stop_price),
        "icebergQty": text(0),
        "time": order.time_ms,
        "updateTime": order.update_ms,
        "isWorking": order.working_ms is not None,
        "workingTime": -1 if order.working_ms is None else order.working_ms,
    }


def placed_body(order: Order, response_type: str) -> dict[str, Any]:
    """The answer to a new order: ACK, RESULT or FULL, each with more than the one before."""
    if response_type == "ACK":
        return {
            "symbol": order.symbol,
            "orderId": order.id,
            "orderListId": NO_LIST,
            "clientOrderId": order.request.client_id,
            "transactTime": order.time_ms,
        }
    body = _common(order) | {
        "clientOrderId": order.request.client_id,
        "transactTime": order.time_ms,
        "workingTime": -1 if order.working_ms is None else order.working_ms,
    }
    if order.request.stop_price:
        body["stopPrice"] = text(order.request.stop_price)
    if response_type == "FULL":
        body["fills"] = [_fill_body(fill) for fill in order.fills]
    return body


def cancelled_body(order: Order, client_id: str) -> dict[str, Any]:
    """The answer to a cancellation; ``client_id`` names the cancellation itself."""
    return _common(order) | {
        "origClientOrderId": order.request.client_id,
        "clientOrderId": client_id,
        "transactTime": order.update_ms,
    }


def trade_body(order: Order, fill: Fill) -> dict[str, Any]:
    """An entry of myTrades."""
    return {
        "symbol": order.symbol,
        "id": fill.trade_id,
        "orderId": order.id,
        "orderListId": NO_LIST,
        "price": text(fill.price),
        "qty": text(fill.amount),
        "quoteQty": text(fill.quote),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": order.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account_body(account: ClientAccount, now_ms: int, *, can_trade: bool) -> dict[str, Any]:
    """The body of GET /api/v3/account, with the assets there is any of."""
    rate = text(account.fee_millionths * UNIT // MILLION)
    basis_points = account.fee_millionths // 100
    return {
        "makerCommission": basis_points,
        "takerCommission": basis_points,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": rate, "taker": rate, "buyer": text(0), "seller": text(0)},
        "canTrade": can_trade,
        "canWithdraw": False,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": now_ms,
        "accountType": "SPOT",
        "balances": [
            {
                "asset": asset,
                "free": text(account.free(asset)),
                "locked": text(account.locked(asset)),
            }
            for asset in account.assets()
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def _common(order: Order) -> dict[str, Any]:
    request = order.request
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": NO_LIST,
        "price": text(order.price),
        "origQty": text(order.amount),
        "executedQty": text(order.executed),
        "origQuoteOrderQty": text(request.quote_amount),
        "cummulativeQuoteQty": text(order.quote_executed),
        "status": order.status.value,
        "timeInForce": request.time_in_force.value,
        "type": request.type.value,
        "side": request.side.value,
        "selfTradePreventionMode": _SELF_TRADE,
    }


def _fill_body(fill: Fill) -> dict[str, Any]:
    return {
        "price": text(fill.price),
        "qty": text(fill.amount),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }
