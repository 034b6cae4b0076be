"""`make demo-reset`: end the demo if it runs, and forget its courses, its people and their files. Needs no package."""

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.demo.processes import kill_all

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("DEMO_FOLDER") or ROOT / ".demo").resolve()


def main() -> int:
    if not FOLDER.exists():
        print("There is no demo to reset.")
        return 0
    if not (FOLDER / "homes").is_dir() or not (FOLDER / "jupyterhub.log").exists():
        print(f"{FOLDER} is no folder of the demo: it is left alone.")
        return 1
    kill_all(FOLDER)
    shutil.rmtree(FOLDER)
    print("The demo is reset: “make demo” starts a new one.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
