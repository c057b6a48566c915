"""Words of messages to people: by key, in both languages, with typed parameters.

    TEMPLATES = (
        Template("logbook.handed_over", HandedOver,
                 fr=Text("Relève de {shift}", "{name} vous passe la main à {at}."),
                 en=Text("Hand-over of {shift}", "{name} hands over to you at {at}.")),
    )

A room lists its own in its part `templates`; it need not know who delivers them.
"""

import string
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from vigie.core.errors import Invalid

Language = Literal["fr", "en"]
MOST_SUBJECT, MOST_SHORT, MOST_BODY = 200, 459, 20_000


class Text(msgspec.Struct, frozen=True):
    """A message in one language; `short` is for a telephone, the subject when it is empty."""

    subject: str
    body: str
    short: str = ""


class Template(msgspec.Struct, frozen=True):
    """A kind of message. Raises ValueError when a text names a parameter that there is not."""

    name: str
    params: type[Any]
    fr: Text
    en: Text
    # Passes through quiet hours.
    urgent: bool = False

    def __post_init__(self) -> None:
        there = {field.name for field in msgspec.structs.fields(self.params)}
        for language, text in (("fr", self.fr), ("en", self.en)):
            for part in (text.subject, text.body, text.short):
                for _, name, spec, conversion in string.Formatter().parse(part):
                    if name is not None and (name not in there or spec or conversion):
                        raise ValueError(
                            f"template {self.name!r} ({language}): {{{name}}} is no parameter"
                        )


def check(template: Template, params: Any) -> dict[str, Any]:
    """Parameters as JSON. Raises Invalid when they do not fit the template."""
    content = msgspec.to_builtins(params)
    try:
        msgspec.convert(content, template.params, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(
            "template_params",
            f"The message {template.name} cannot be written with this: {error}.",
            {"template": template.name},
            errors=[{"field": "params", "code": "invalid", "message": str(error)}],
        ) from error
    return content


def render(template: Template, params: dict[str, Any], language: Language, zone: ZoneInfo) -> Text:
    """A message in the language and the local time of who reads it, within the stated lengths."""
    typed = msgspec.convert(params, template.params, strict=False)
    values = {
        field.name: _shown(getattr(typed, field.name), language, zone)
        for field in msgspec.structs.fields(template.params)
    }
    text = template.fr if language == "fr" else template.en
    subject = " ".join(text.subject.format_map(values).split())
    short = " ".join((text.short or text.subject).format_map(values).split())
    return Text(
        _cut(subject, MOST_SUBJECT),
        _cut(text.body.format_map(values), MOST_BODY),
        _cut(short, MOST_SHORT),
    )


def _shown(value: Any, language: Language, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        local = value.astimezone(zone)
        return local.strftime("%d/%m/%Y à %H:%M" if language == "fr" else "%d/%m/%Y at %H:%M")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, bool):
        return {"fr": ("non", "oui"), "en": ("no", "yes")}[language][value]
    if isinstance(value, (list, tuple, set, frozenset)):
        items: Any = value
        return ", ".join(_shown(item, language, zone) for item in items)
    return "" if value is None else str(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
