from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import product


@pytest.fixture(scope="module")
def cc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[product.Product]:
    """The product, running; one for each module, so that modules can break theirs."""
    with product.running(Path(tmp_path_factory.mktemp("product"))) as running:
        yield running
