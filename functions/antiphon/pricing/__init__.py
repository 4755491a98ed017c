"""What tokens cost, exactly, in US dollars; tools that are billed by the call are not in it."""

from antiphon.pricing.bill import Bill
from antiphon.pricing.prices import Prices, Rates

__all__ = ["Bill", "Prices", "Rates"]
