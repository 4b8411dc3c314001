"""Pictures of the pages that people look at, for `docs/gallery.md`.

``python -m tools.gallery`` after `make backtest` and `make paper` makes report, panel, a trade's
life and drift anew from what those left, has Chromium take pictures of them, and keeps them small
in `docs/gallery`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ballast.__main__ import main as ballast
from ballast.core.events import EventKind
from ballast.journal.read import ALL
from ballast.journal.reader import Reader
from ballast.ops.panel import trade, views
from ballast.tooling.pages.page import Page
from tools.run_backtest import ROOT, shown

# Few colours are on a page: so many do, and make a picture a quarter of its size.
COLOURS = 48
_BROWSERS = ("chromium", "google-chrome", "chromium-browser")


@dataclass(frozen=True)
class Picture:
    """
    A picture of a page.

    Parameters
    ----------
    page : str
        Name of the page's file; a tab of it after a '#'.
    width, height : int
        Of the browser's window, pixels.
    top : int
        So many pixels above a tab are left out: the heading has been scrolled away.
    """

    name: str
    page: str
    width: int
    height: int
    dark: bool = False
    top: int = 0


PICTURES = (
    Picture("report", "report.html", 1100, 1000),
    Picture("findings", "report.html#RisingMarket", 1100, 1040, dark=True, top=110),
    Picture("panel", "panel.html", 1100, 900),
    Picture("panel-phone", "panel.html#why", 412, 900, dark=True, top=110),
    Picture("trade", "trade.html", 1100, 900),
    Picture("drift", "drift.html", 1100, 1150),
)


class GalleryError(Exception):
    """No pictures can be made; its text is one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 with one sentence for what cannot be used."""
    options = _parser().parse_args(arguments)
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    try:
        if browser is None:
            raise GalleryError(f"there is no browser: expected one of {', '.join(_BROWSERS)}")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_pages(options.userdir, folder)
            options.pictures.mkdir(parents=True, exist_ok=True)
            for each in PICTURES:
                path = options.pictures / f"{each.name}.png"
                take(browser, folder, each, path)
                print(f"{shown(path)}  {path.stat().st_size / 1000:.0f} kB")
    except GalleryError as error:
        sys.stderr.write(f"gallery: {error}\n")
        return 2
    return 0


def make_pages(userdir: Path, folder: Path) -> None:
    """
    Write the pages into a folder.

    Raises
    ------
    GalleryError
        Where `make backtest` or `make paper` has left nothing.
    """
    paper = userdir / "paper"
    journal, config = paper / "journal.sqlite", paper / "config.json"
    if not journal.is_file():
        raise GalleryError(f"{journal} is not there: run make paper first")
    if ballast(["report", "--userdir", str(userdir), "--html", str(folder / "report.html")]):
        raise GalleryError("run make backtest first")
    with closing(Reader(journal)) as reader:
        written = {"panel": views.overview(reader, None), "trade": _longest_life(reader)}
    for name, page in written.items():
        if page is not None:
            (folder / f"{name}.html").write_text(page.html(), encoding="utf-8")
    configs = ["-c", str(ROOT / "config.json"), "-c", str(config)]
    where = ["-d", str(paper / "data"), "--offline", "--html", str(folder / "drift.html")]
    # 1 says that something differs.
    if ballast(["drift", *configs, *where]) == 2:
        raise GalleryError(f"{paper} cannot be held against a backtest: run make paper again")


def _longest_life(reader: Reader) -> Page | None:
    """The page of the trade whose stop has moved most often."""
    events = reader.events(ALL)
    moves = [event.trade_id for event in events if event.kind is EventKind.STOP and event.trade_id]
    return trade.life(reader, max(moves, key=moves.count), {}) if moves else None


def take(browser: str, folder: Path, picture: Picture, path: Path) -> None:
    """
    Take a picture of a page and keep it small.

    Raises
    ------
    GalleryError
        Where the browser takes none.
    """
    file, mark, tab = picture.page.partition("#")
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=8000"]
    command += [f"--window-size={picture.width},{picture.height}", f"--screenshot={path}"]
    command += [f"--blink-settings=preferredColorScheme={0 if picture.dark else 1}"]
    command.append(f"{(folder / file).as_uri()}{mark}{tab}")
    path.unlink(missing_ok=True)
    subprocess.run(command, capture_output=True, timeout=120, check=False)  # noqa: S603
    if not path.is_file():
        raise GalleryError(f"{browser} took no picture of {file}")
    with Image.open(path) as taken:
        whole = taken.convert("RGB").crop((0, picture.top, *taken.size))
        few = whole.quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__)
    add = parser.add_argument
    add("--userdir", type=Path, default=ROOT / "user_data", help="Freqtrade's folder")
    add("--pictures", type=Path, default=ROOT / "docs" / "gallery", help="where they go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
