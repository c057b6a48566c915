"""The small page behind the link of a call: one question, one button, no script."""

from html import escape

from litestar import Response

_WORDS = {
    "fr": {
        "title": "Appel du centre",
        "ask": "Vous prenez cet appel en charge ? Personne d’autre ne sera appelé.",
        "button": "Je prends en charge",
        "done": "Merci : vous avez pris cet appel en charge.",
        "taken": "Cet appel a déjà été pris en charge par {name}.",
        "ended": "Cet appel est terminé : il n’y a plus rien à faire.",
        "unknown": "Ce lien n’est pas valable : vérifiez qu’il est complet.",
        "busy": "Trop d’essais : attendez une minute.",
    },
    "en": {
        "title": "Call from the centre",
        "ask": "Do you take this call? Nobody else will be called.",
        "button": "I take it",
        "done": "Thank you: you have taken this call.",
        "taken": "{name} has already taken this call.",
        "ended": "This call is over: there is nothing left to do.",
        "unknown": "This link is not valid: check that it is complete.",
        "busy": "Too many tries: wait a minute.",
    },
}
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><style>
body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto;
        padding: 0 1rem; color: #1b1b1b; background: #fff }}
button {{ font: inherit; padding: .8rem 1.4rem; border: 0; border-radius: .4rem; color: #fff;
          background: #1a4f8b; width: 100% }}
button:focus-visible {{ outline: 3px solid #e0a100; outline-offset: 2px }}
</style></head><body><main><h1>{title}</h1>{inner}</main></body></html>
"""


def page(
    word: str, language: str = "", subject: str = "", *, status: int = 200, name: str = "",
    token: str = "",
) -> Response[str]:  # fmt: skip
    """The page; with a token it asks, else it says. Without a language, in both."""
    inner = f"<p><strong>{escape(subject)}</strong></p>" if subject else ""
    for code in (language,) if language in _WORDS else ("fr", "en"):
        said = _WORDS[code][word].format(name=escape(name))
        inner += f'<p lang="{code}">{said}</p>'
    if token:
        button = _WORDS.get(language, _WORDS["fr"])["button"]
        inner += (
            f'<form method="post" action="?token={escape(token)}">'
            f'<button type="submit">{button}</button></form>'
        )
    words = _WORDS.get(language, _WORDS["fr"])
    return Response(
        _PAGE.format(language=language or "fr", title=words["title"], inner=inner),
        status_code=status,
        media_type="text/html",
        # `no-referrer` would have browsers send the form with the origin `null`.
        headers={"Referrer-Policy": "same-origin", "Cache-Control": "no-store"},
    )
