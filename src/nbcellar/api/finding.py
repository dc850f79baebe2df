"""The part of `Repo` that looks for things: texts, versions of a variable, secrets.

Invariant: as in `repo.py`; what only reads asks no kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from nbcellar.api import search_views, views
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo
    from nbcellar.search.find import Where


class FindingInRepo:
    """Methods of `Repo`."""

    @property
    def _repo(self) -> Repo:
        return cast("Repo", self)

    def search(
        self,
        text: str | None = None,
        *,
        variable: str | None = None,
        where: Sequence[Where] = (),
        ref: str | None = None,
        all: bool = False,
        all_notebooks: bool = False,
        ignore_case: bool | None = None,
        regex: bool = False,
        word: bool = False,
        limit_s: float | None = None,
    ) -> search_views.Search:
        """Return where a text stands in what `ref` (default: HEAD) reaches, or where a variable came, changed, went.

        ignore_case None: unless the text has a capital letter. where: "code", "document", "output", "message" or
        "variable"; nothing: everywhere. limit_s: how long a regular expression may take.
        """
        from nbcellar.api import searching
        from nbcellar.search.query import Query

        notebooks, start = _scope(self._repo, ref, all_notebooks=all_notebooks)
        query = Query(text, ignore_case, regex, word) if text is not None else None
        return searching.search(
            self._repo,
            query,
            notebooks=notebooks,
            start=start,
            all_commits=all,
            where=where,
            variable=variable,
            limit_s=limit_s,
        )

    def variable_history(self, name: str, *, ref: str | None = None, all: bool = False) -> search_views.VariableHistory:
        """Return the versions of a variable, newest first. Raises NotFoundError when it was never recorded."""
        from nbcellar.api import searching

        notebooks, start = _scope(self._repo, ref)
        return searching.history(self._repo, name, notebooks=notebooks, start=start, all_commits=all)

    def is_variable(self, name: str) -> bool:
        """Say whether some commit is known to have made a variable of this name."""
        from nbcellar.api import searching

        return searching.is_recorded(self._repo.repository, name)

    def scan_secrets(self, ref: str | None = None) -> search_views.SecretScan:
        """Return what looks like a secret in all that is kept, of every notebook; or in what `ref` reaches."""
        from nbcellar.api import secret_scan

        return secret_scan.scan(self._repo, ref)

    def allow_secrets(self, ids: Sequence[str]) -> list[str]:
        """Add ids or patterns to `secrets.allow` in the repository's settings; return the whole list."""
        from nbcellar.api import secret_scan

        return secret_scan.allow(self._repo, ids)

    def forget_text(self, text: str, *, force: bool = False, dry_run: bool = False) -> views.Forgotten:
        """Remove a text from the history of all notebooks for good; variables whose values hold it are dropped."""
        self._repo.catch_up()
        from nbcellar.api import forgetting

        done = forgetting.forget_text(self._repo, text, force=force, dry_run=dry_run)
        self._repo.catch_up()  # as in `forget`
        return done

    def forget_secret(self, id: str, *, force: bool = False, dry_run: bool = False) -> views.Forgotten:
        """Remove a secret that `scan_secrets` found, by its id, as `forget_text` does."""
        self._repo.catch_up()
        from nbcellar.api import secret_scan

        return self.forget_text(secret_scan.text_of(self._repo, id), force=force, dry_run=dry_run)


def _scope(repo: Repo, ref: str | None, *, all_notebooks: bool = False) -> tuple[list[NotebookId], CommitId | None]:
    if all_notebooks:
        return [info.id for info in repo.repository.notebooks()], None
    if ref is None:
        return [repo.notebook()], None
    notebook, start = repo.locate(ref)
    return [notebook], start


__all__ = ["FindingInRepo"]
