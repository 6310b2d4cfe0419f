//! Pictures, from the file on the disk to the pixels in the window: the real program in every kind of terminal, with
//! and without tmux, against the simulated service.
//!
//! The terminals are played by `glass`, which decodes what arrives and shares no code with the senders. Each goes
//! through the same journey; what is known to fail is in [`KNOWN`], and has to fail.

use std::path::PathBuf;

use glass::brand::{self, Brand};
use glass::grid::Rect;
use glass::look::{Mark, Original, psnr};
use glass::window::Window;
use glass::{Glass, Way};
use image::RgbaImage;
use kit::service::{KEY, Service, plantain};
use portable_pty::CommandBuilder;

const CTRL_Q: &str = "\x11";
const ESC: &str = "\x1b";
/// Columns and rows: so few that help lies over the picture.
const WINDOW: (u16, u16) = (100, 34);
/// So many that help lies beside it.
const WIDE: (u16, u16) = (112, 34);
/// Pixels of a cell.
const CELL: (u32, u32) = (10, 20);
/// A cell of which no few rows are whole bands of six pixels, which is what sixel is made of.
const ODD_CELL: (u32, u32) = (10, 19);
/// A picture looks like its file.
const ALIKE: f64 = 30.0;
/// So does one of half blocks, in all colours, among pictures of that size.
const ALIKE_BLOCKS: f64 = 40.0;
/// And in 256 colours.
const ALIKE_FEW: f64 = 25.0;

/// How a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    As(Way),
    Blocks,
}
use Shown::{As, Blocks};

/// What each terminal is to get, bare and in tmux.
const WAYS: [(&Brand, Shown, Shown); 8] = [
    (&brand::KITTY, As(Way::Kitty), As(Way::Kitty)),
    (&brand::XTERM, As(Way::Sixel), As(Way::Sixel)),
    (&brand::FOOT, As(Way::Sixel), As(Way::Sixel)),
    (&brand::KONSOLE, As(Way::Kitty), As(Way::Sixel)),
    (&brand::ITERM2, As(Way::Iterm2), As(Way::Sixel)),
    (&brand::WEZTERM, As(Way::Iterm2), As(Way::Sixel)),
    (&brand::PLAIN, Blocks, Blocks),
    (&brand::MUTE, Blocks, Blocks),
];

/// The parts of the journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The newest picture shows, in its cells, and nothing else was touched.
    Shown,
    /// Help over it: nothing of the picture in the popup.
    Popup,
    /// Help away: the window is as before.
    Back,
    /// The next task: its picture instead.
    Next,
    /// And the first one again, and once more both: what is ready follows without a blank between.
    Again,
    /// Another size of the window.
    Resized,
    /// And one so wide that help opens beside the picture, which stays where it is; help away again.
    Beside,
    /// The program has ended: nothing is left.
    Left,
}

/// What fails, and why: terminals, in tmux that passes sequences through, steps. It has to fail, so that this list
/// stays true.
const KNOWN: &[(&[&str], bool, &[Step], &str)] = &[];

/// A service and a history of two tasks with pictures, the second one the newer.
struct Desk {
    service: Service,
    /// The files, decoded.
    sources: [Original; 2],
}

impl Desk {
    fn new() -> Self {
        let service = Service::with(&["--longest-side", "512"]);
        let wide: &[&str] = &["submit", "a lighthouse in a storm", "--set", "aspect_ratio=3:2", "--wait", "--json"];
        let square: &[&str] = &["submit", "a red fox in snow", "--wait", "--json"];
        let sources = [wide, square].map(|args| {
            let output = service.command(args).output().expect("it runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let last = text.lines().last().expect("a line");
            let task: serde_json::Value = serde_json::from_str(last).expect("JSON");
            let file = PathBuf::from(task["outputs"][0]["file"].as_str().expect("a file"));
            Original::load(&file)
        });
        Self { service, sources }
    }

    /// The screen against this service, in an environment of its own.
    fn command(&self) -> CommandBuilder {
        let data = self.service.path("data");
        let home = data.parent().expect("a folder").to_owned();
        let mut command = CommandBuilder::new(plantain());
        command.env_clear();
        for (name, value) in [("LANG", "C.UTF-8"), ("TZ", "UTC"), ("HIAPI_API_KEY", KEY)] {
            command.env(name, value);
        }
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HIAPI_BASE_URL", &self.service.base_url);
        command.env("HOME", &home);
        command.env("PLANTAIN_DATA_DIR", &data);
        command.cwd(home);
        command
    }
}

/// The inside of the frame around the picture: found by its corners in the text.
fn pane(glass: &Glass) -> Result<Rect, String> {
    let grid = glass.grid();
    let is = |x: u16, y: u16, corners: &[&str]| corners.contains(&grid.cell(x, y).text.as_str());
    let (right, top) = (grid.columns - 1, 1);
    let left = (0..right).rev().find(|x| is(*x, top, &["╭", "┌", "┏", "╔"])).ok_or("there is no frame")?;
    let bottom = (top..grid.rows).rev().find(|y| is(left, *y, &["╰", "└", "┗", "╚"])).ok_or("no end of the frame")?;
    Ok(Rect { left: left + 1, top: top + 1, columns: right - left - 1, rows: bottom - top - 1 })
}

/// The cells of the help's frame.
fn help(glass: &Glass) -> Result<Rect, String> {
    let (left, top) = glass.grid().find("╭─ keys in ").ok_or("there is no help")?;
    let is = |x: u16, y: u16, corner: &str| glass.grid().cell(x, y).text == corner;
    let right = (left + 1..glass.grid().columns).find(|x| is(*x, top, "╮")).ok_or("no corner")?;
    let bottom = (top + 1..glass.grid().rows).find(|y| is(left, *y, "╰")).ok_or("no end")?;
    Ok(Rect { left, top, columns: right - left + 1, rows: bottom - top + 1 })
}

fn no_help(glass: &Glass) -> Result<(), String> {
    help(glass).map_or(Ok(()), |_| Err("help stays".into()))
}

/// The cells of half blocks that lie together in `pane`.
fn blocks(glass: &Glass, pane: Rect) -> Option<Rect> {
    let is = |x: u16, y: u16| matches!(glass.grid().cell(x, y).text.as_str(), "▀" | "▄" | "█");
    let cells: Vec<_> = pane.cells().filter(|(x, y)| is(*x, *y)).collect();
    let (left, right) = (cells.iter().map(|at| at.0).min()?, cells.iter().map(|at| at.0).max()?);
    let (top, bottom) = (cells.first()?.1, cells.last()?.1);
    Some(Rect { left, top, columns: right - left + 1, rows: bottom - top + 1 })
}

/// This picture shows as it should; answers its cells.
fn picture(glass: &Glass, way: Shown, source: &Original) -> Result<Rect, String> {
    if !glass.complaints.is_empty() {
        return Err(format!("complaints: {:?}", glass.complaints));
    }
    let pane = pane(glass)?;
    let owners = glass.owners();
    let area = match way {
        As(_) => glass.around(|_| true),
        Blocks => blocks(glass, pane),
    };
    let area = area.ok_or("no picture shows")?;
    if !pane.holds(&area) {
        return Err(format!("the picture is in {area:?}, which is not inside of {pane:?}"));
    }
    if let As(way) = way {
        let ways = glass.ways();
        if ways != [way] {
            return Err(format!("the picture came by {ways:?}"));
        }
        let holes = area.cells().filter(|(x, y)| owners[usize::from(*y)][usize::from(*x)].is_none()).count();
        if holes > 0 {
            return Err(format!("{holes} cells of {area:?} show nothing"));
        }
    } else if owners.iter().flatten().any(Option::is_some) {
        return Err("a picture besides half blocks".into());
    }
    if glass.boxes() > 0 {
        return Err(format!("{} placeholders of nothing", glass.boxes()));
    }
    if !glass.at_rest() {
        return Err("something is half done".into());
    }
    let cell = glass.cell_size();
    let size = pixel_size(area, cell, source);
    roomy(area, pane, cell, size)?;
    let shown = glass.pixels(area);
    let (likeness, bound) = match way {
        As(_) => {
            let (likeness, corner, size) = likely(&shown, size, source);
            if likeness >= ALIKE {
                clean_edges(glass, &shown, corner, size)?;
            }
            (likeness, ALIKE)
        }
        Blocks => {
            let bound = if few_colours(glass) { ALIKE_FEW } else { ALIKE_BLOCKS };
            (block_likeness(&shown, area, cell, source), bound)
        }
    };
    if likeness < bound {
        return Err(format!("it looks like its file by {likeness:.1} dB only, in {area:?}"));
    }
    Ok(area)
}

/// Nothing looks different outside of these cells.
fn unchanged(glass: &Glass, besides: Rect, before: &Mark) -> Result<(), String> {
    let changed = glass.changed_outside(Some(besides), before);
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!("{} cells are not as before, the first are {:?}", changed.len(), &changed[..changed.len().min(4)]))
}

/// The terminal is not known to show all colours.
fn few_colours(glass: &Glass) -> bool {
    glass.has_tmux() || !glass.brand.answers
}

/// The pixels that a picture has in these cells, keeping its shape.
fn pixel_size(area: Rect, cell: (u32, u32), source: &Original) -> (u32, u32) {
    let room = (u32::from(area.columns) * cell.0, u32::from(area.rows) * cell.1);
    let (wide, high) = (f64::from(source.size().0), f64::from(source.size().1));
    let zoom = (f64::from(room.0) / wide).min(f64::from(room.1) / high);
    ((wide * zoom).round() as u32, (high * zoom).round() as u32)
}

/// It fills the pane in one direction (but for what a caption takes), lies in the middle of the other one, and its
/// cells have its shape.
fn roomy(area: Rect, pane: Rect, cell: (u32, u32), size: (u32, u32)) -> Result<(), String> {
    let full = area.columns + 1 >= pane.columns || area.rows + 5 >= pane.rows;
    let before = i32::from(area.left - pane.left);
    let behind = i32::from(pane.left + pane.columns - area.left - area.columns);
    let tight =
        u32::from(area.columns) * cell.0 < size.0 + cell.0 && u32::from(area.rows) * cell.1 < size.1 + 2 * cell.1;
    if !full || (before - behind).abs() > 1 || !tight {
        return Err(format!("{area:?} of {size:?} pixels is not the place for it in {pane:?}"));
    }
    Ok(())
}

/// How much it looks like its source, and where: first pixel and size. How a terminal lays out what does not fill its
/// last cells differs by some pixels: the best is taken.
fn likely(shown: &RgbaImage, size: (u32, u32), source: &Original) -> (f64, (u32, u32), (u32, u32)) {
    let mut best = (0.0, (0, 0), (0, 0));
    let (wide, high) = shown.dimensions();
    let painted = (wide.min(size.0), high.min(size.1));
    let bands = painted.1 / 6 * 6;
    // As wide as its cells, of which the last row may be cut.
    let across = (f64::from(wide) * f64::from(source.size().1) / f64::from(source.size().0)).round() as u32;
    let across = (wide, (across / 6 * 6).min(high));
    for size in [painted, (painted.0, bands), (painted.0, (bands + 6).min(high)), across, (wide, high)] {
        // At the top, or in the middle, as kitty does it.
        for corner in [(0, 0), ((wide - size.0) / 2, (high - size.1) / 2)] {
            let likeness = source.likeness(shown, corner, size);
            if likeness > best.0 {
                best = (likeness, corner, size);
            }
        }
    }
    best
}

/// What the picture leaves of its last cells is the background, and nothing of an older picture.
fn clean_edges(glass: &Glass, shown: &RgbaImage, corner: (u32, u32), size: (u32, u32)) -> Result<(), String> {
    let [r, g, b] = glass.brand.colours.map_or([0; 3], |(_, back)| back);
    let inside =
        |x: u32, y: u32| (corner.0..corner.0 + size.0).contains(&x) && (corner.1..corner.1 + size.1).contains(&y);
    // The colours of sixel are hundredths.
    let near = |pixel: &image::Rgba<u8>| pixel.0.iter().zip([r, g, b, 255]).all(|(is, meant)| is.abs_diff(meant) <= 2);
    let odd = |(x, y, pixel): &(u32, u32, &image::Rgba<u8>)| !inside(*x, *y) && !near(pixel);
    match shown.enumerate_pixels().filter(odd).count() {
        0 => Ok(()),
        many => Err(format!("{many} pixels beside the picture are not the background")),
    }
}

/// The same for half blocks: their halves against the file at that size.
fn block_likeness(shown: &RgbaImage, area: Rect, cell: (u32, u32), source: &Original) -> f64 {
    let (wide, high) = (u32::from(area.columns), u32::from(area.rows) * 2);
    let halves = RgbaImage::from_fn(wide, high, |x, y| *shown.get_pixel(x * cell.0 + 5, y * cell.1 / 2 + 5));
    source.likeness(&halves, (0, 0), (wide, high))
}

/// A journey through one terminal.
struct Journey {
    brand: &'static Brand,
    /// tmux is in between, and passes sequences through.
    passes: bool,
    way: Shown,
    window: Window,
    wrong: Vec<String>,
}

impl Journey {
    fn name(&self) -> String {
        format!("{}{}", self.brand.name, if self.window.glass.has_tmux() { " in tmux" } else { "" })
    }

    /// Why this step fails, if that is known.
    fn known(&self, step: Step) -> Option<&'static str> {
        let here = |brands: &[&str], steps: &[Step]| brands.contains(&self.brand.name) && steps.contains(&step);
        KNOWN.iter().find(|row| row.1 == self.passes && here(row.0, row.2)).map(|row| row.3)
    }

    fn step<T>(&mut self, step: Step, walk: impl FnOnce(&mut Self, bool) -> Result<T, String>) -> Option<T> {
        let known = self.known(step);
        let outcome = walk(self, known.is_some());
        match (outcome, known) {
            (Ok(found), None) => Some(found),
            (Ok(found), Some(why)) => {
                self.wrong.push(format!("{}, {step:?}: works now, take it from the list: {why}", self.name()));
                Some(found)
            }
            (Err(_), Some(_)) => None,
            (Err(why), None) => {
                self.wrong.push(format!("{}, {step:?}: {why}", self.name()));
                None
            }
        }
    }

    /// Waits for this picture; then the text has to be right, too.
    fn shows(&mut self, known: bool, source: &Original) -> Result<Rect, String> {
        let way = self.way;
        let area = self.window.until(known, |glass| picture(glass, way, source))?;
        self.window.same_text()?;
        Ok(area)
    }

    fn popup(&mut self, known: bool, shown: Rect, before: &Mark) -> Result<(), String> {
        self.window.send("?");
        let way = self.way;
        self.window.until(known, |glass| {
            let popup = help(glass)?;
            if !popup.meets(&shown) {
                return Err(format!("the popup in {popup:?} does not cover the picture"));
            }
            let owners = glass.owners();
            let shot = glass.mark();
            let through = popup.cells().filter(|(x, y)| owners[usize::from(*y)][usize::from(*x)].is_some()).count();
            if through > 0 {
                return Err(format!("the picture shows in {through} cells of the popup"));
            }
            // What is left of the picture is what was there.
            for (x, y) in shown.cells().filter(|(x, y)| !popup.has(*x, *y)) {
                let one = Rect { left: x, top: y, columns: 1, rows: 1 };
                if owners[usize::from(y)][usize::from(x)].is_some()
                    && way != Blocks
                    && psnr(&shot.pixels(one), &before.pixels(one)) < 20.0
                {
                    return Err(format!("cell {x}, {y} is not what it was"));
                }
            }
            if glass.around(|_| true).is_some_and(|area| !shown.holds(&area)) {
                return Err("a picture where none was".into());
            }
            Ok(())
        })?;
        self.window.same_text()
    }
}

impl Journey {
    fn beside(&mut self, known: bool, source: &Original) -> Result<(), String> {
        let area = self.shows(known, source)?;
        let before = self.window.glass.mark();
        self.window.send("?");
        let open = self.window.until(known, |glass| help(glass).map(|_| ()));
        let open = open.and_then(|()| self.shows(known, source));
        self.window.send(ESC);
        self.window.until(false, no_help)?;
        open?;
        self.shows(known, source)?;
        self.window.until(known, |glass| unchanged(glass, area, &before))?;
        self.shows(known, source).map(|_| ())
    }
}

/// Where a journey goes.
#[derive(Clone, Copy)]
struct Trip<'a> {
    brand: &'static Brand,
    /// tmux in between, and whether it passes sequences through.
    tmux: Option<bool>,
    /// How pictures have to come.
    shown: Shown,
    /// Arguments of the program.
    args: &'a [&'a str],
    /// The program runs on the far side of ssh.
    far: bool,
    /// Pixels of a cell.
    cell: (u32, u32),
}

/// One terminal, the whole way. Answers what went wrong.
fn journey(desk: &Desk, trip: Trip<'_>) -> Vec<String> {
    let Trip { brand, tmux, shown: way, args, far, cell } = trip;
    let mut glass = Glass::new(brand, WINDOW.0, WINDOW.1, cell);
    if let Some(passes) = tmux {
        glass = glass.in_tmux(passes);
    }
    glass.feed(b"$ plantain\r\n");
    let mut command = desk.command();
    command.args(args);
    if far {
        command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    }
    let mut window = Window::open(command, glass);
    if let Err(why) = window.until(false, |glass| glass.grid().find("red fox").ok_or("no table".into())) {
        return vec![format!("{}: {why}", brand.name)];
    }
    window.send(ESC);
    if let Err(why) = window.until(false, |glass| glass.grid().find("new prompt").ok_or("no table".into())) {
        return vec![format!("{}: {why}", brand.name)];
    }
    let mut journey = Journey { brand, passes: tmux == Some(true), way, window, wrong: Vec::new() };
    let [wide, square] = &desk.sources;

    let shown = journey.step(Step::Shown, |journey, known| journey.shows(known, square));
    // Wherever it is: the popup has to be right all the same.
    let shown = shown.or_else(|| journey.window.glass.around(|_| true));
    if let Some(shown) = shown {
        let before = journey.window.glass.mark();
        journey.step(Step::Popup, |journey, known| journey.popup(known, shown, &before));
        journey.window.send(ESC);
        journey.step(Step::Back, |journey, known| {
            journey.window.until(false, no_help)?;
            journey.shows(known, square)?;
            journey.window.until(known, |glass| unchanged(glass, shown, &before))
        });
    }
    journey.window.send("j");
    journey.step(Step::Next, |journey, known| journey.shows(known, wide));
    journey.window.send("k");
    journey.step(Step::Again, |journey, known| {
        journey.shows(known, square)?;
        journey.window.send("j");
        journey.shows(known, wide)?;
        journey.window.send("k");
        journey.shows(known, square)
    });
    journey.window.resize(WINDOW.0 - 8, WINDOW.1 - 5);
    journey.step(Step::Resized, |journey, known| journey.shows(known, square));
    journey.window.resize(WIDE.0, WIDE.1);
    journey.step(Step::Beside, |journey, known| journey.beside(known, square));
    journey.window.send(CTRL_Q);
    journey.step(Step::Left, |journey, _| {
        let status = journey.window.end()?;
        let glass = &journey.window.glass;
        let kept = glass.kept();
        let modes = glass.modes;
        if status != 0 || glass.on_other_screen() || modes != glass::Modes::default() {
            return Err(format!("status {status}, modes {modes:?}"));
        }
        if !kept.is_empty() || !glass.store().places.is_empty() {
            return Err(format!("{} pictures are left in the terminal", kept.len()));
        }
        if !glass.complaints.is_empty() {
            return Err(format!("complaints: {:?}", glass.complaints));
        }
        if glass.grid().text().trim_end() != "$ plantain" || glass.around(|_| true).is_some() {
            return Err(format!("on the first screen is {:?}", glass.grid().text().trim_end()));
        }
        Ok(())
    });
    journey.wrong
}

/// Journeys one after the other; all that went wrong is told at the end.
fn go(trips: impl IntoIterator<Item = Trip<'static>>) {
    let desk = Desk::new();
    let wrong: Vec<String> = trips.into_iter().flat_map(|trip| journey(&desk, trip)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn trip(brand: &'static Brand, shown: Shown) -> Trip<'static> {
    Trip { brand, tmux: None, shown, args: &[], far: false, cell: CELL }
}

#[test]
fn in_every_terminal() {
    go(WAYS.map(|(brand, bare, _)| trip(brand, bare)));
}

#[test]
fn in_every_terminal_through_tmux() {
    go(WAYS.map(|(brand, _, through)| Trip { tmux: Some(true), ..trip(brand, through) }));
}

/// Cells as those of real terminals are: tmux rounds what it gets up to whole bands, and that up to whole cells.
#[test]
fn in_cells_that_are_no_whole_bands() {
    let brands = [&brand::XTERM, &brand::FOOT, &brand::KONSOLE];
    go(brands.map(|brand| Trip { tmux: Some(true), cell: ODD_CELL, ..trip(brand, As(Way::Sixel)) }));
}

#[test]
fn in_cells_that_are_no_whole_bands_without_tmux() {
    let bare = |brand, way| Trip { cell: ODD_CELL, ..trip(brand, As(way)) };
    go([bare(&brand::KITTY, Way::Kitty), bare(&brand::XTERM, Way::Sixel), bare(&brand::FOOT, Way::Sixel)]);
}

/// tmux as it is by default: what is behind it is not known, and may understand nothing.
#[test]
fn in_a_tmux_that_passes_nothing_through() {
    go([&brand::KITTY, &brand::FOOT, &brand::KONSOLE].map(|brand| Trip { tmux: Some(false), ..trip(brand, Blocks) }));
}

#[test]
fn on_the_far_side_of_ssh() {
    let brands = [(&brand::KITTY, Way::Kitty), (&brand::FOOT, Way::Sixel), (&brand::ITERM2, Way::Iterm2)];
    go(brands.map(|(brand, way)| Trip { far: true, ..trip(brand, As(way)) }));
}

#[test]
fn as_the_user_has_it() {
    let forced = |brand, args, shown| Trip { args, ..trip(brand, shown) };
    go([
        forced(&brand::KONSOLE, &["--graphics", "sixel"], As(Way::Sixel)),
        forced(&brand::ITERM2, &["--graphics", "sixel"], As(Way::Sixel)),
        forced(&brand::KITTY, &["--graphics", "blocks"], Blocks),
    ]);
}
