"""vendorrisk: third-party vendor risk questionnaires on data sourcing, breach history and customer-list protection."""

__version__ = "0.1.0"
