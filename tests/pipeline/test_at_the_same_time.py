"""Components that run at the same time and get in each other's way, at the very moment that a test chooses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from .support import Notebook, printed, states


class Meeting:
    """A place where cells say how far they are, and wait for each other; `heard` has what they asked."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._said: dict[str, threading.Event] = {}
        self.heard: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def code(self, asked: str) -> str:
        """Return a line of code that says `+name`, or waits until somebody said `name`."""
        port = self._listening.getsockname()[1]
        return (
            f"import socket; _meet = socket.create_connection(('local' + 'host', {port})); "
            f"_meet.sendall(b'{asked}' + b'.'); _ = _meet.recv(1); _meet.close(); del _meet, _"
        )

    def close(self) -> None:
        """End it."""
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        asked = ""
        while not asked.endswith("."):
            asked += connection.recv(1).decode()
        name = asked.rstrip(".")
        self.heard.append(name)
        event = self._said.setdefault(name.lstrip("+"), threading.Event())
        if name.startswith("+"):
            event.set()
        else:
            event.wait(60)
        connection.sendall(b"!")
        connection.close()


@pytest.fixture
def meeting() -> Iterator[Meeting]:
    found = Meeting()
    yield found
    found.close()


def test_what_a_later_one_took_away_meanwhile_is_made_again(nb: Notebook, meeting: Meeting) -> None:
    nb.write(
        f"import os; os.makedirs('fol' + 'der', exist_ok=True)\n{meeting.code('+made')}\n{meeting.code('gone')}\n"
        "n = open('fol' + 'der/file', 'w').write('x')",
        f"{meeting.code('made')}\nimport shutil; shutil.rmtree('fol' + 'der')\n{meeting.code('+gone')}",
        "import os; print(os.path.exists('fol' + 'der'))",
    )
    done = nb.run()
    assert states(done) == {"a": "done", "b": "done", "c": "done"}
    assert printed(done, "c") == "False\n"
    assert meeting.heard.count("+made") == 2
    assert not (nb.folder / "folder").exists()
    assert set(states(nb.run()).values()) == {"cached"}


def test_what_one_that_failed_took_away_meanwhile_is_made_again(nb: Notebook, meeting: Meeting) -> None:
    nb.write(
        f"import os; os.makedirs('fol' + 'der', exist_ok=True)\n{meeting.code('+made')}\n{meeting.code('gone')}\n"
        "n = open('fol' + 'der/file', 'w').write('x')",
        f"{meeting.code('made')}\nimport shutil; shutil.rmtree('fol' + 'der')\n{meeting.code('+gone')}\n1 / 0",
    )
    assert states(nb.run()) == {"a": "done", "b": "failed"}


def test_what_fails_by_itself_fails_in_the_end(nb: Notebook, meeting: Meeting) -> None:
    nb.write(
        f"n = open('sa' + 'me', 'w').write('x')\n{meeting.code('+made')}\n{meeting.code('gone')}\n1 / 0",
        f"{meeting.code('made')}\nimport os; os.remove('sa' + 'me')\n{meeting.code('+gone')}",
    )
    done = nb.run()
    assert states(done) == {"a": "failed", "b": "done"}
    assert meeting.heard.count("+made") == 2


def test_what_two_wrote_meanwhile_is_written_again_by_one_after_the_other(nb: Notebook, meeting: Meeting) -> None:
    nb.write(
        f"n = open('sa' + 'me', 'w').write('first')\n{meeting.code('+first')}\n{meeting.code('second')}",
        "print(open('sa' + 'me').read())",
        f"{meeting.code('first')}\nm = open('sa' + 'me', 'w').write('second')\n{meeting.code('+second')}",
    )
    done = nb.run("a", "c")
    assert states(done) == {"a": "done", "c": "done"}
    assert (nb.folder / "same").read_text() == "second"
    done = nb.run()
    assert printed(done, "b") == "first\n"
    assert (nb.folder / "same").read_text() == "second"
    assert set(states(nb.run()).values()) == {"cached"}


def test_a_result_that_may_be_of_another_is_not_kept(nb: Notebook, meeting: Meeting) -> None:
    first, last = (
        f"n = open('sa' + 'me', 'w').write('a')\n{meeting.code('+first')}\n{meeting.code('second')}",
        f"{meeting.code('first')}\nm = open('sa' + 'me', 'w').write('b')\n{meeting.code('+second')}",
    )
    nb.write(first, last).run()
    (nb.folder / "same").write_text("b")
    nb.write(first, last.replace("'b')", "'c')"), "print(open('sa' + 'me').read())").run()
    assert (nb.folder / "same").read_text() == "c"
    nb.write(first, "print(open('sa' + 'me').read())")
    assert printed(nb.run(), "b") == "a\n"


def test_a_folder_that_one_takes_away_while_another_makes_it(nb: Notebook, meeting: Meeting) -> None:
    (nb.folder / "made").mkdir()
    nb.write(
        f"import os\n{meeting.code('gone')}\nos.makedirs('ma' + 'de', exist_ok=True)\n{meeting.code('+made')}",
        f"import os; os.rmdir('ma' + 'de')\n{meeting.code('+gone')}\n{meeting.code('made')}",
    )
    assert states(nb.run()) == {"a": "done", "b": "done"}
    assert not (nb.folder / "made").exists()
    assert set(states(nb.run()).values()) == {"cached"}


def test_folders_that_two_find_or_make_keep_nobody_waiting(nb: Notebook, meeting: Meeting) -> None:
    nb.write(
        f"import os; os.makedirs('ma' + 'de', exist_ok=True)\n{meeting.code('+first')}\n{meeting.code('second')}",
        f"import os; os.makedirs('ma' + 'de', exist_ok=True)\n{meeting.code('first')}\n{meeting.code('+second')}",
    )
    assert states(nb.run()) == {"a": "done", "b": "done"}
    assert sorted(meeting.heard) == ["+first", "+second", "first", "second"]


def late(notes: list[str]) -> list[str]:
    """Return what is said beside the network that the cells meet over."""
    return [note for note in notes if "comes later" in note]


@pytest.mark.parametrize(
    ("reads", "note"),
    [
        ("x = open('fi' + 'le').read()", "file"),
        ("import os; x = os.path.exists('fi' + 'le')", "file"),
        ("import os; x = sorted(n for n in os.listdir('.') if n == 'fi' + 'le')", "."),
    ],
)
def test_what_a_later_one_may_have_left_is_told(nb: Notebook, meeting: Meeting, reads: str, note: str) -> None:
    later = f"n = open('fi' + 'le', 'w').write('new')\n{meeting.code('+written')}"
    nb.write(f"{meeting.code('written')}\n{reads}", later, "print(x)")
    done = nb.run()
    assert set(states(done).values()) == {"done"}
    told = f"it met {note} after 'b', which comes later, had begun to write there: it may have met that"
    assert told in done.steps[0].notes
    assert [late(step.notes) for step in done.steps[1:]] == [[], []]
    assert set(states(nb.run()).values()) == {"cached"}


def test_what_a_later_one_left_long_before_is_told(nb: Notebook, meeting: Meeting) -> None:
    (nb.folder / "file").write_text("old", "utf-8")
    later = f"n = open('fi' + 'le', 'w').write('new')\n{meeting.code('+written')}"
    nb.write(f"{meeting.code('written')}\nm = 1", "m; x = open('fi' + 'le').read()", later, "print(x)")
    done = nb.run()
    assert printed(done, "d") == "new\n", "it is told where it cannot be helped"
    told = "it met file after 'c', which comes later, had begun to write there: it may have met that"
    notes = {step.name: late(step.notes) for step in done.steps}
    assert notes["b"] == [told] and not notes["c"] + notes["d"]
    (nb.folder / "file").write_text("old", "utf-8")
    again = nb.run()
    assert printed(again, "d") == "old\n", "from the second time on, they run in their order"
    assert not [note for step in again.steps for note in late(step.notes)]


def test_what_an_earlier_one_left_is_not_told_of_a_later_one(nb: Notebook, meeting: Meeting) -> None:
    later = f"m\n{meeting.code('read')}\nn = open('fi' + 'le', 'w').write('same')\n{meeting.code('+written')}"
    nb.write(
        "m = open('fi' + 'le', 'w').write('same')",
        f"m\nx = open('fi' + 'le').read()\n{meeting.code('+read')}\n{meeting.code('written')}",
        later,
    )
    done = nb.run()
    assert not late(done.steps[1].notes)
