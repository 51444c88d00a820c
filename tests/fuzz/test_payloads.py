"""A short run of `python -m tests.fuzz`."""

from pathlib import Path

from tests.fuzz.__main__ import fuzz
from tests.product import Product

PAYLOADS, SEED = 4_000, 1


def test_malformed_payloads_are_refused_and_nothing_fails(tmp_path: Path) -> None:
    product = Product(tmp_path).start()
    try:
        assert fuzz(product, PAYLOADS, SEED) == []
    finally:
        product.stop()
