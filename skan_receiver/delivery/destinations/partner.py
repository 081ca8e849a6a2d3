"""Whose results a destination may see."""

from pydantic import Field, model_validator

from skan_receiver.delivery.destinations.destination import Destination

OWN = "own"


class OfAPartner(Destination):
    """Results belong to a partner, who sees what its own ad networks brought and no other's.

    `own` is ourselves: who runs this sees everything.
    """

    partner: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _sees_its_own(self) -> "OfAPartner":
        if self.partner != OWN and not self.ad_networks:
            raise ValueError(
                "ad_networks: name the partner's own, as in [abc123.skadnetwork]; "
                f"`partner: {OWN}` is for yourself, and sees all"
            )
        return self

    def sees(self, ad_network_id: str | None) -> bool:
        """Whether a network is the partner's own; of what names none, or is not looked at, yes."""
        if self.partner == OWN or ad_network_id is None:
            return True
        return ad_network_id.lower() in self.ad_networks
