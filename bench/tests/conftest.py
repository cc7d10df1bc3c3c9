"""The bench is scripts in a folder, not an installed package: its modules are found beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
