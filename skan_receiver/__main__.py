"""`python -m skan_receiver` is `skan-receiver`."""

from skan_receiver.cli import main

main()
