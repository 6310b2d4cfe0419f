//! Roles instead of colours: what a cell means decides how it looks, on dark and light, in any number of colours.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::domain::Stage;

/// How many colours there are to choose from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourDepth {
    /// 24 bits.
    True,
    /// The palette of 256; true colours are mapped to it when they are written.
    #[default]
    Ansi256,
    /// The sixteen of the user's own theme.
    Ansi16,
    /// None, by the user's wish: only bold, reverse and underline.
    None,
}

/// The look of every role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text: the terminal's own.
    pub text: Style,
    /// What may be overlooked.
    pub dim: Style,
    /// What should be read first.
    pub strong: Style,
    /// The one accent.
    pub accent: Style,
    /// The frame of a pane.
    pub frame: Style,
    /// The frame of the pane with the keyboard.
    pub frame_focus: Style,
    /// The title of a pane.
    pub title: Style,
    /// The title of the pane with the keyboard.
    pub title_focus: Style,
    /// The chosen row where the keyboard is.
    pub cursor: Style,
    /// The chosen row where the keyboard is not.
    pub cursor_idle: Style,
    /// On its way to the service.
    pub waiting: Style,
    /// At the service.
    pub running: Style,
    /// Ended well.
    pub done: Style,
    /// Ended without a result.
    pub failed: Style,
    /// Needs a look.
    pub warning: Style,
    /// Wrong.
    pub error: Style,
    /// A key to press.
    pub key: Style,
    /// The small drawing of a shape.
    pub shape: Style,
    /// Seconds east of UTC, for times of the day.
    pub utc_offset: i32,
}

/// The few colours a palette needs; everything else is the terminal's own.
struct Palette {
    dim: Color,
    frame: Color,
    accent: Color,
    running: Color,
    done: Color,
    failed: Color,
    warning: Color,
    shape: Color,
    cursor: Color,
    cursor_idle: Color,
}

const fn rgb(hex: u32) -> Color {
    let [_, r, g, b] = hex.to_be_bytes();
    Color::Rgb(r, g, b)
}

/// Leaf and ripe fruit on a dark ground.
const DARK: Palette = Palette {
    dim: rgb(0x008b_9283),
    frame: rgb(0x004b_5245),
    accent: rgb(0x00b5_cf5c),
    running: rgb(0x00e8_c558),
    done: rgb(0x0086_b96b),
    failed: rgb(0x00e8_7a68),
    warning: rgb(0x00e6_a24e),
    shape: rgb(0x007d_8c60),
    cursor: rgb(0x003a_4429),
    cursor_idle: rgb(0x002a_2e25),
};

/// The same on paper.
const LIGHT: Palette = Palette {
    dim: rgb(0x006c_7264),
    frame: rgb(0x00bf_c5b5),
    accent: rgb(0x004d_7300),
    running: rgb(0x008c_6700),
    done: rgb(0x003a_7a2c),
    failed: rgb(0x00b4_2a1e),
    warning: rgb(0x00a4_5600),
    shape: rgb(0x0093_a076),
    cursor: rgb(0x00dd_e8c2),
    cursor_idle: rgb(0x00ec_efe4),
};

impl Theme {
    /// The theme for so many colours on a light or dark ground; `None`: nobody knows, so nothing depends on it.
    #[must_use]
    pub fn new(depth: ColourDepth, light: Option<bool>) -> Self {
        match (depth, light) {
            (ColourDepth::None, _) => Self::plain(),
            (ColourDepth::Ansi16, light) => Self::sixteen(light == Some(true)),
            (_, None) => Self::sixteen(false),
            (ColourDepth::True | ColourDepth::Ansi256, Some(true)) => Self::painted(&LIGHT),
            (ColourDepth::True | ColourDepth::Ansi256, Some(false)) => Self::painted(&DARK),
        }
    }

    fn painted(palette: &Palette) -> Self {
        let fg = |colour| Style::new().fg(colour);
        let bold = |colour| Style::new().fg(colour).add_modifier(Modifier::BOLD);
        Self {
            text: fg(Color::Reset),
            dim: fg(palette.dim),
            strong: bold(Color::Reset),
            accent: bold(palette.accent),
            frame: fg(palette.frame),
            frame_focus: fg(palette.accent),
            title: fg(palette.dim),
            title_focus: bold(palette.accent),
            cursor: Style::new().bg(palette.cursor),
            cursor_idle: Style::new().bg(palette.cursor_idle),
            waiting: fg(palette.dim),
            running: fg(palette.running),
            done: fg(palette.done),
            failed: fg(palette.failed),
            warning: fg(palette.warning),
            error: bold(palette.failed),
            key: fg(palette.accent),
            shape: fg(palette.shape),
            utc_offset: 0,
        }
    }

    /// Only the sixteen colours of the user's theme, and the contrast that follows from its own ground.
    fn sixteen(light: bool) -> Self {
        let fg = |colour| Style::new().fg(colour);
        // Yellow on white cannot be read, and bold often means bright, which is worse.
        let yellow = if light { Color::Blue } else { Color::Yellow };
        let alarm = if light { Color::Magenta } else { Color::LightYellow };
        let faint = fg(Color::Reset).add_modifier(Modifier::DIM);
        Self {
            dim: faint,
            frame: faint,
            accent: fg(Color::Green).add_modifier(Modifier::BOLD),
            frame_focus: fg(Color::Green),
            title: faint,
            title_focus: fg(Color::Green).add_modifier(Modifier::BOLD),
            waiting: faint,
            running: fg(yellow),
            done: fg(Color::Green),
            failed: fg(Color::Red),
            warning: fg(alarm),
            error: fg(Color::Red).add_modifier(Modifier::BOLD),
            key: fg(Color::Green),
            shape: faint,
            ..Self::plain()
        }
    }

    /// No colours at all.
    fn plain() -> Self {
        let text = Style::new().fg(Color::Reset);
        let bold = text.add_modifier(Modifier::BOLD);
        Self {
            text,
            dim: text,
            strong: bold,
            accent: bold,
            frame: text,
            frame_focus: bold,
            title: text,
            title_focus: bold,
            cursor: Style::new().add_modifier(Modifier::REVERSED),
            cursor_idle: Style::new().add_modifier(Modifier::UNDERLINED),
            waiting: text,
            running: text,
            done: text,
            failed: bold,
            warning: bold,
            error: bold,
            key: bold,
            shape: text,
            utc_offset: 0,
        }
    }

    /// The look of a stage of a task's life.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> Style {
        match stage {
            Stage::Saved | Stage::Sending => self.waiting,
            Stage::Held | Stage::Unsure => self.warning,
            Stage::Queued | Stage::Handling | Stage::Unknown | Stage::Archiving => self.running,
            Stage::Refused | Stage::GivenUp | Stage::Failed => self.failed,
            Stage::Success => self.done,
        }
    }

    /// Marks cells that are already drawn as the chosen row.
    pub(super) fn mark(&self, area: Rect, focused: bool, buf: &mut Buffer) {
        let style = if focused { self.cursor } else { self.cursor_idle };
        for position in area.intersection(buf.area).positions() {
            if let Some(cell) = buf.cell_mut(position) {
                if style.add_modifier.contains(Modifier::REVERSED) {
                    // Colours turned inside out would be a patchwork.
                    cell.fg = Color::Reset;
                    cell.modifier.remove(Modifier::DIM);
                }
                cell.set_style(style);
            }
        }
    }

    /// Lets cells that are already drawn step back behind a dialog.
    pub(super) fn recede(&self, area: Rect, buf: &mut Buffer) {
        for position in area.intersection(buf.area).positions() {
            if let Some(cell) = buf.cell_mut(position) {
                (cell.fg, cell.bg, cell.modifier) = (Color::Reset, Color::Reset, Modifier::empty());
                cell.set_style(self.frame);
            }
        }
    }
}

/// What the user has starred.
pub const STAR: &str = "★";
/// The sign of a task that the service does not know any more.
pub const MISSING: &str = "∅";
/// The sign of a task that another program created and nobody here has adopted.
pub const ELSEWHERE: &str = "◇";

/// The sign of a stage: one cell wide everywhere, told apart without colours.
#[must_use]
pub fn sign(stage: Stage) -> &'static str {
    match stage {
        Stage::Saved => "◦",
        Stage::Held => "‖",
        Stage::Sending => "↑",
        Stage::Unsure => "?",
        Stage::Queued => "○",
        Stage::Handling => "◐",
        Stage::Unknown => "◌",
        Stage::Archiving => "◕",
        Stage::Refused => "⊘",
        Stage::GivenUp => "⊝",
        Stage::Failed => "✗",
        Stage::Success => "✓",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::CellWidth;

    #[test]
    fn signs_are_one_cell_wide_and_all_different() {
        let mut seen = std::collections::BTreeSet::new();
        for stage in Stage::ALL {
            assert_eq!(sign(stage).cell_width(), 1, "{stage:?}");
            assert!(seen.insert(sign(stage)), "{stage:?}");
        }
        for sign in [MISSING, ELSEWHERE] {
            assert!(sign.cell_width() == 1 && seen.insert(sign), "{sign}");
        }
    }

    #[test]
    fn no_colour_means_no_colour() {
        let theme = Theme::new(ColourDepth::None, Some(false));
        let styles = [theme.text, theme.dim, theme.accent, theme.cursor, theme.failed, theme.done, theme.key];
        assert!(styles.iter().all(|style| style.fg.is_none_or(|fg| fg == Color::Reset) && style.bg.is_none()));
        assert_ne!(theme.cursor, theme.cursor_idle);
    }
}
