"""What a job and those who wait for it tell one another while it runs: events, a log, and two flags."""

import json
import os
import time
from pathlib import Path
from typing import Any

from core.store.files import disk_errors

LOG_BYTES = 200_000
"""Of the end of a log, that are read to show it."""
LOG_LINE = 1_000
"""Most characters of a line of the log that are shown."""


class JobMessages:
    """The messages in one job's folder."""

    def __init__(self, path: Path) -> None:
        """Point at the folder."""
        self.path = Path(path)

    def append(self, **event: Any) -> None:
        """Add one line to `events.jsonl`; what a killed process left of a line before it is closed off."""
        line = json.dumps({"time": time.time(), **event}, ensure_ascii=False).encode() + b"\n"
        with disk_errors(self.path), (self.path / "events.jsonl").open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)

    def log(self, text: str) -> None:
        """Add to `log.txt`, with the time."""
        with disk_errors(self.path), (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S ") + text.rstrip() + "\n")

    def log_tail(self, n_lines: int = 20) -> str:
        """Return the end of `log.txt`; however long that is, little of it is read."""
        path = self.path / "log.txt"
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
            lines = file.read(LOG_BYTES).decode("utf-8", errors="replace").splitlines()
        return "\n".join(line[:LOG_LINE] for line in lines[-n_lines:])

    def request_cancel(self) -> None:
        """Raise the flag that the job looks at each step."""
        (self.path / "cancel").touch()

    def clear_cancel(self) -> None:
        """Lower the flag, before a job is resumed."""
        (self.path / "cancel").unlink(missing_ok=True)

    def cancel_requested(self) -> bool:
        """Return whether somebody asked the job to stop."""
        return (self.path / "cancel").exists()

    def say_enough(self) -> None:
        """Raise the flag that what the job has so far is enough: one that can ends with it, and succeeds."""
        (self.path / "enough").touch()

    def clear_enough(self) -> None:
        """Lower that flag, before a job is asked for the whole."""
        (self.path / "enough").unlink(missing_ok=True)

    def enough(self) -> bool:
        """Return whether somebody said that what the job has is enough."""
        return (self.path / "enough").exists()
