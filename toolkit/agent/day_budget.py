"""The dollars of a day: what the platform, and each caller of it, may spend between two midnights in UTC.

    reserve the worst case ──▶ ask the model ──▶ settle to the real cost
                                  └── refused before it began: release

A row for each day and account holds `committed` (what is spent and what is reserved), `spent`, and what is
reserved right now, by the run (`open …`). A reservation is one conditional update of `committed`, so that
runs at the same time cannot pass the limit together. What nobody settles stays committed until the day is
over: a run that crashed, or was cut off in the middle of an answer, may have cost as much as that.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.errors import BudgetExceeded, PlatformError
from toolkit.tables import KEEP_DAYS, budget_key, condition_failed

log = logging.getLogger(__name__)

NANODOLLAR = Decimal("1e-9")
UNKNOWN_CALLER = "unknown"
"""Callers that the deployed side cannot tell apart share one account."""


@dataclass(frozen=True)
class Account:
    """A limit in US dollars a day: `key` names it in the table, `whose` in an error, `setting` raises it."""

    key: str
    limit: Decimal
    whose: str
    setting: str


def accounts(platform: float | None, each_caller: float | None, caller: str) -> list[Account]:
    """The accounts that a run of this caller draws on; none where there is no limit."""
    found = []
    if each_caller is not None:
        name = caller or UNKNOWN_CALLER
        limit = Decimal(str(each_caller))
        found.append(Account(f"CALLER#{name}", limit, f"the caller {name}", "caller_daily_budget_usd"))
    if platform is not None:
        found.append(Account("PLATFORM", Decimal(str(platform)), "the platform", "daily_budget_usd"))
    return found


@dataclass(frozen=True)
class Reservation:
    """Dollars that are set aside for one request to the model, on one day, under one name in its rows."""

    name: str
    day: str
    usd: Decimal


class DayBudget:
    """Draws on the accounts of the day for one run. Every limit holds over all runs of the platform.

    `today` gives the time in UTC. A write whose answer was lost is sent again by boto3; as each goes by the
    reservation's own name, it counts once.
    """

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        run_id: str,
        drawn_on: Sequence[Account],
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._run_id = run_id
        self._accounts = drawn_on
        self._today = today

    def reserve(self, usd: Decimal) -> Reservation:
        """Set the worst case of a request aside in every account, or in none.

        Raises `BudgetExceeded` naming the account that has no room, `PlatformError` where the table refuses.
        """
        asked = Reservation(
            name=f"open {self._run_id} {uuid.uuid4().hex[:8]}",
            day=self._today().date().isoformat(),
            usd=usd.quantize(NANODOLLAR, ROUND_UP),
        )
        held: list[Account] = []
        try:
            for account in self._accounts:
                self._reserve(asked, account)
                held.append(account)
        except (BudgetExceeded, PlatformError):
            self._settle(asked, held, Decimal(0))
            raise
        return asked

    def settle(self, reserved: Reservation, usd: Decimal) -> None:
        """Count what the request really cost; where the table refuses, the worst case stays counted."""
        self._settle(reserved, self._accounts, usd.quantize(NANODOLLAR, ROUND_UP))

    def release(self, reserved: Reservation) -> None:
        """Give back what was set aside for a request that the model's service did not begin."""
        self._settle(reserved, self._accounts, Decimal(0))

    def _reserve(self, asked: Reservation, account: Account) -> None:
        room = account.limit - asked.usd
        if room < 0:
            raise self._no_room(asked, account, self._row(asked, account))
        try:
            self._update(
                asked,
                account,
                "SET #open = :usd, expires = :expires ADD committed :usd",
                "attribute_not_exists(#open) AND (attribute_not_exists(committed) OR committed <= :room)",
                {":usd": asked.usd, ":room": room, ":expires": self._expires()},
            )
        except (ClientError, BotoCoreError) as error:
            if not condition_failed(error):
                raise PlatformError(f"the day's budget cannot be reserved: {error}") from error
            row = self._row(asked, account)
            if asked.name not in row:  # else it is our own write, whose answer was lost
                raise self._no_room(asked, account, row) from error

    def _settle(self, reserved: Reservation, drawn_on: Sequence[Account], usd: Decimal) -> None:
        for account in drawn_on:
            try:
                self._update(
                    reserved,
                    account,
                    "REMOVE #open ADD committed :difference, spent :cost",
                    "attribute_exists(#open)",
                    {":difference": usd - reserved.usd, ":cost": usd},
                )
            except (ClientError, BotoCoreError) as error:
                if not condition_failed(error):  # else it is settled, and the answer was lost
                    log.warning("%s stays reserved for %s: %s", reserved.usd, account.whose, error)

    def _update(
        self, of: Reservation, account: Account, change: str, condition: str, values: dict[str, Decimal]
    ) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key=budget_key(of.day, account.key),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#open": of.name},
            ExpressionAttributeValues={name: {"N": f"{value:f}"} for name, value in values.items()},
        )

    def _row(self, asked: Reservation, account: Account) -> dict[str, Any]:
        try:
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=budget_key(asked.day, account.key), ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise PlatformError(f"the day's budget cannot be read: {error}") from error
        row: dict[str, Any] = answer.get("Item", {})
        return row

    def _no_room(self, asked: Reservation, account: Account, row: dict[str, Any]) -> BudgetExceeded:
        committed = Decimal(row.get("committed", {}).get("N", "0"))
        spent = Decimal(row.get("spent", {}).get("N", "0"))
        return BudgetExceeded(
            f"the budget of {asked.day} (UTC) of {account.whose} is used up: ${account.limit:.4f} allowed, "
            f"${spent:.4f} spent, ${committed - spent:.4f} reserved, and the next request to the model may "
            f"cost up to ${asked.usd:.4f}",
            f"wait for midnight in UTC, or raise {account.setting} in tfkit.toml and run: tfkit up",
        )

    def _expires(self) -> Decimal:
        return Decimal(int((self._today() + timedelta(days=KEEP_DAYS)).timestamp()))
