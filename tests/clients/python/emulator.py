"""`workshop emulator` as the tests need it: a process, its address, its journal."""

import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path

WORKSHOP = os.environ["WORKSHOP_BIN"]
MODELS = json.loads(os.environ["CLIENTS_MODELS"])


class Emulator:
    """An emulator on a free port. `settings` is the text of its settings file.

    It answers without a model's delays unless `paced`. `env` is what `workshop env` prints for it:
    all that a client gets to know.
    """

    def __init__(self, settings="", paced=False, args=()):
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "settings.toml"
        file.write_text(settings)
        command = [WORKSHOP, "emulator", "--addr", "127.0.0.1:0", "--json", "--config", file, *args]
        if not paced:
            command.append("--no-latency")
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=self._folder.name
        )
        self.ready = json.loads(self._process.stdout.readline())
        self.url = self.ready["emulator"]
        self.env = json.loads(
            subprocess.check_output(
                [WORKSHOP, "env", "--shell", "json", "--emulator-addr", self.url.removeprefix("http://")],
                text=True, cwd=self._folder.name,
            )
        )
        self._entries = []
        self._arrived = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._arrived:
                self._entries.append(json.loads(line))
                self._arrived.notify_all()

    def requests(self, count):
        """The journal's entries, once there are as many."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self._entries) >= count, timeout=20)
            assert enough, f"{count} requests expected, the journal has {len(self._entries)}"
            return list(self._entries)

    def stop(self):
        self._process.terminate()
        self._process.wait(20)
        self._reader.join(20)
        self._process.stdout.close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def long_text(tokens, about="tides"):
    """Text of at least so many tokens, different for each subject: what a cache can keep."""
    sentence = f"A sentence about {about}, number {{}}, says what the one before it left out. "
    # No tokenizer makes fewer than one token of six of these letters.
    return "".join(sentence.format(n) for n in range(tokens * 6 // len(sentence) + 1))
