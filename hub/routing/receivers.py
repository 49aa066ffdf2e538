"""Receivers: per program or roster recipient its agreement, mask and gate, compiled at start."""

from __future__ import annotations

from collections.abc import Mapping

from hub.contracts.catalogues import Catalogue
from hub.kernel.errors import ConfigurationError
from hub.kernel.id_sets import IdSet
from hub.routing.gates import Gate
from hub.routing.masks import Mask
from hub.routing.subscriptions import Areas, Index
from hub.sdk.subscriptions import Subscription


class Receiver:
    """One receiver.

    Args:
        subscription: What was agreed.
        catalogue: Its grants.
        areas: Which place lies in which area.

    Raises:
        ConfigurationError: no grants are declared for it.
    """

    __slots__ = ("bodies", "gate", "hidden", "mask", "subscription")

    def __init__(self, subscription: Subscription, catalogue: Catalogue, areas: Areas) -> None:
        grant = catalogue.grants.get(subscription.id)
        if grant is None:
            raise ConfigurationError(
                f"grants.yaml declares nothing for {subscription.id}.",
                hint="Declare its fields or remove its subscription.",
                message_zh=f"grants.yaml 未声明 {subscription.id} 的字段授权。",
            )
        self.subscription = subscription
        self.bodies = frozenset({*grant.bodies, *(("rows",) if "roster" in grant.bodies else ())})
        self.mask = Mask(grant, subscription.agreement.payload, catalogue)
        self.gate = Gate(subscription, self.mask, areas)
        self.hidden = subscription.reason_level != "full"
        """Whether reason, rule and time of the cause stay inside the hub."""

    @property
    def neutral(self) -> bool:
        """Whether told events go out under a neutral type."""
        return self.subscription.reason_level == "neutral"


class Receivers(dict[str, Receiver]):
    """Every receiver by id, and the index of what they subscribe to.

    Args:
        subscriptions: Of the profile.
        catalogue: Grants and field types.
        areas: Which place lies in which area; None: the table shipped.
        lists: Value lists by name.

    Raises:
        ConfigurationError: a filter that does not compile, a receiver without grants, a value
            list that is not there.
    """

    def __init__(
        self,
        subscriptions: Mapping[str, Subscription],
        catalogue: Catalogue,
        areas: Areas | None = None,
        lists: Mapping[str, IdSet] | None = None,
    ) -> None:
        areas = areas or Areas()
        super().__init__(
            {name: Receiver(one, catalogue, areas) for name, one in subscriptions.items()}
        )
        self.index = Index(subscriptions, catalogue, areas, lists or {})
