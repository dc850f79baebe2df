"""The routes about the notebook that is open: other versions of it, recording it, its new kernel."""

from __future__ import annotations

from nbcellar.api import joining
from nbcellar.api import opened as api
from nbcellar.api.drafts import KeptDraft, SentDraft, drop_draft, keep_draft
from nbcellar.api.returning import lost_session
from nbcellar.errors import NotFoundError
from nbcellar.server import opened_messages as messages
from nbcellar.server.messages import Asked, Done
from nbcellar.server.places import Places
from nbcellar.server.route import Route, get, post
from nbcellar.server.session_messages import AskedRef


def document(places: Places, asked: AskedRef) -> messages.OtherVersion:
    """Return the notebook of a commit."""
    with places.find(asked.path).open() as repo:
        found = api.document_of(repo, asked.ref)
    return messages.OtherVersion(commit=found.commit.hex(), notebook=found.notebook, trusted=found.trusted)


def record_document(places: Places, asked: messages.OpenNotebook) -> Done:
    """Record the notebook as it is open; "" when exactly this was recorded before."""
    with places.find(asked.path).open() as repo:
        made = api.record_opened(repo, asked.notebook, message=asked.message)
    return Done(commit=made.hex() if made is not None else "")


def draft(places: Places, asked: messages.OpenDraft) -> KeptDraft:
    """Keep the notebook as it is open for the kernel, which records it with the cells that run."""
    place = places.find(asked.path)
    sent = SentDraft(
        client=asked.client,
        sent_ms=asked.sent_ms,
        order=asked.order,
        cells=asked.cells,
        rest=asked.rest,
        minor=asked.minor,
        opening=asked.opening,
    )
    return keep_draft(place.file, place.environ, sent)


def close_draft(places: Places, asked: messages.ClosedDraft) -> Done:
    """Forget a draft."""
    drop_draft(places.find(asked.path).file, asked.client)
    return Done()


def lost(places: Places, asked: Asked) -> messages.Lost:
    """Return the session that can be brought back into an empty kernel."""
    with places.find(asked.path).open() as repo:
        try:
            return messages.Lost(session=lost_session(repo))
        except NotFoundError:  # nothing was ever recorded of this notebook
            return messages.Lost(session=None)


def attach(places: Places, asked: Asked) -> messages.Attached:
    """Record a notebook from now on; its running kernel joins where it can be reached."""
    place = places.find(asked.path)
    with place.open() as repo:
        done = joining.attach(repo, str(place.file))
    return messages.Attached(recording=done.is_on, notes=list(done.notes))


def detach(places: Places, asked: Asked) -> messages.Attached:
    """Record a notebook no longer."""
    place = places.find(asked.path)
    with place.open() as repo:
        done = joining.detach(repo, str(place.file), only_session=False)
    return messages.Attached(recording=done.is_on, notes=list(done.notes))


ROUTES: tuple[Route, ...] = (
    get("document", AskedRef, messages.OtherVersion, document),
    get("lost-session", Asked, messages.Lost, lost, "live"),
    post("record-document", messages.OpenNotebook, Done, record_document, "compute"),
    post("draft", messages.OpenDraft, KeptDraft, draft),
    post("draft-closed", messages.ClosedDraft, Done, close_draft),
    post("attach", Asked, messages.Attached, attach, action="execute"),
    post("detach", Asked, messages.Attached, detach),
)

__all__ = ["ROUTES"]
