"""Serves scripts, styles and the icon. Addresses hold a digest, so that browsers may cache them."""

from __future__ import annotations

import re
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from assetgraph.pictures.theme import DARK, LIGHT, LOOKS

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.pictures.theme import Palette

_FOLDER = Path(__file__).parents[1] / "static"
_MEDIA = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
# The first sheets of styles.css. A later sheet wins over an earlier one.
_SHARED_STYLES = ("base", "nav", "shell", "controls", "states", "surfaces", "tables", "dialogs")
_IMPORT = re.compile(
    r"""^(?:import|export)\b(?:[^'";]*\bfrom)?\s*['"](\.[^'"]+)['"]""", re.MULTILINE
)


class StaticFiles:
    """All static files, read once at the start. The sheets in `styles/` become one `styles.css`."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in _MEDIA and path.parent.name != "styles"
        }
        self._files["styles.css"] = _styles(folder / "styles")

    @cached_property
    def version(self) -> str:
        digest = blake2b(digest_size=6)
        for name, data in self._files.items():
            digest.update(name.encode() + b"\0" + data)
        return digest.hexdigest()

    def url(self, name: str) -> str:
        return f"/static/{self.version}/{name}"

    def modules_of(self, script: str) -> list[str]:
        """The modules that `script` imports, directly or not, so that a browser can load them all
        at once."""
        found: dict[str, None] = {}
        waiting = [script]
        while waiting:
            name = waiting.pop()
            for reference in _IMPORT.findall(self._files[name].decode()):
                other = _resolved(name, reference)
                if other not in found and other != script:
                    found[other] = None
                    waiting.append(other)
        return list(found)

    def serve(self, request: Request) -> Response:
        name, version = request.path_params["name"], request.path_params["version"]
        data = self._files.get(name)
        if data is None:
            return PlainTextResponse("There is no such file.\n", 404)
        kept = "max-age=31536000, immutable" if version == self.version else "no-cache"
        media = _MEDIA["." + name.rpartition(".")[2]]
        return Response(data, media_type=media, headers={"cache-control": kept})


def _styles(folder: Path) -> bytes:
    """The theme and every style sheet of `folder`, the shared ones first."""
    names = {path.stem for path in folder.glob("*.css")}
    order = [*_SHARED_STYLES, *sorted(names - set(_SHARED_STYLES))]
    sheets = [(folder / f"{name}.css").read_bytes() for name in order]
    return b"\n".join([theme_css().encode(), *sheets])


def theme_css() -> str:
    """The colours of the theme as custom properties, light and dark."""
    light, dark = _properties(LIGHT, dark=False), _properties(DARK, dark=True)
    return (
        f":root {{\n  color-scheme: light;\n{light}}}\n"
        f":root[data-theme='dark'] {{\n  color-scheme: dark;\n{dark}}}\n"
    )


def _properties(palette: Palette, *, dark: bool) -> str:
    names = ("background", "surface", "text", "muted", "line", "edge", "accent")
    values = {name: getattr(palette, name) for name in names}
    for state, look in LOOKS.items():
        values[state.value] = look.dark if dark else look.light
        values[f"{state.value}-tint"] = look.dark_tint if dark else look.light_tint
    return "".join(f"  --{name}: {value};\n" for name, value in values.items())


def _resolved(importer: str, reference: str) -> str:
    parts = importer.split("/")[:-1]
    for part in reference.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
