"""The checker is run where it lies, beside the manifests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
