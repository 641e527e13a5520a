"""The taxonomy of failures: codes with a meaning, a severity and a parent, versioned, exported as YAML.

It is the file that labelling templates ask by (`labelling.taxonomy` of workbench.yaml), so that people who code in the
dashboards and people who label in Argilla name causes by the same words.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, model_validator

from workbench.labelling.questions import Option
from workbench.nouns import Many, Noun, fingerprint


class Mode(Option):
    """A failure mode: its code (`value`), name (`title`), definition (`description`), and how bad it is."""

    severity: int | None = Field(None, ge=1, le=5)
    """From 1, cosmetic, to 5, does harm; `null`: nobody has said."""
    parent: str = ""
    """Code of the group that it belongs to; empty: none."""
    includes: Many[str] = ()
    """Open tags that mean this code."""

    def option(self) -> Option:
        """Return it as annotators choose it."""
        return Option(value=self.value, title=self.title, description=self.description)


class Taxonomy(Noun):
    """Failure modes: what may have gone wrong, first upstream cause."""

    version: str = Field(min_length=1, max_length=40)
    """Bumped when a mode's meaning changes; labels of two versions are not pooled."""
    modes: Many[Mode] = Field(min_length=2)
    """The modes."""

    @model_validator(mode="after")
    def _holds_together(self) -> Taxonomy:
        values = [mode.value for mode in self.modes]
        if twice := [value for value in values if values.count(value) > 1]:
            raise ValueError(f"the mode {twice[0]!r} stands twice")
        if lost := [m.parent for m in self.modes if m.parent and m.parent not in values]:
            raise ValueError(f"the parent {lost[0]!r} is no mode")
        if circle := _in_circle(self.modes):
            raise ValueError(f"the mode {circle!r} is its own parent, over others")
        owners: dict[str, str] = {}
        for mode in self.modes:
            for tag in mode.includes:
                if owners.setdefault(tag, mode.value) != mode.value or tag in values:
                    raise ValueError(f"the tag {tag!r} means two modes")
        return self

    def fingerprint(self) -> str:
        """Return a content hash of the modes, whatever the version is called."""
        return fingerprint([mode.settings() for mode in self.modes])

    def code_of(self, tag: str) -> str | None:
        """Return the code that a tag means, or `None`."""
        return self._codes().get(tag)

    def codes(self, tags: Sequence[str]) -> frozenset[str]:
        """Return the codes of tags; a tag that no code includes stands for itself."""
        known = self._codes()
        return frozenset(known.get(tag, tag) for tag in tags)

    def with_parents(self, code: str) -> tuple[str, ...]:
        """Return a code and the groups that it belongs to, the nearest first."""
        by = {mode.value: mode.parent for mode in self.modes}
        found = [code]
        while parent := by.get(found[-1], ""):
            found.append(parent)
        return tuple(found)

    def _codes(self) -> dict[str, str]:
        return {tag: mode.value for mode in self.modes for tag in (mode.value, *mode.includes)}


def as_yaml(taxonomy: Taxonomy) -> str:
    """Return the taxonomy as the YAML file that is committed and that labelling templates read."""
    import yaml

    plain = taxonomy.model_dump(mode="json", exclude_defaults=True)
    told = f"version {taxonomy.version}, content {taxonomy.fingerprint()}"
    head = f"# Failure modes, {told}. Saved by `workbench failures taxonomy`.\n"
    return head + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)


def _in_circle(modes: Sequence[Mode]) -> str | None:
    by = {mode.value: mode.parent for mode in modes}
    for start in by:
        seen, at = {start}, by[start]
        while at:
            if at in seen:
                return start
            seen.add(at)
            at = by.get(at, "")
    return None
