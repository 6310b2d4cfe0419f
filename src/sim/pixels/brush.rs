//! The drawing tools: filled outlines, gradients, glows, in the picture's own coordinates.

use tiny_skia::{
    FillRule, GradientStop, LinearGradient, Paint, PathBuilder, Pixmap, Point, RadialGradient, Rect, Shader,
    SpreadMode, Stroke, Transform,
};

use super::palette::Tone;

/// A canvas with tools. `unit` is the shorter side: things keep their size relative to it in every shape of picture.
pub(super) struct Brush {
    pub(super) canvas: Pixmap,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) unit: f32,
}

impl Brush {
    pub(super) fn new(canvas: Pixmap) -> Self {
        let (width, height) = (canvas.width() as f32, canvas.height() as f32);
        Self {
            canvas,
            width,
            height,
            // In extreme shapes the short side alone would make everything tiny.
            unit: width.min(height).max(width.max(height) * 0.16),
        }
    }

    /// Fills an outline with one colour.
    pub(super) fn fill(&mut self, path: PathBuilder, tone: Tone, alpha: f32) {
        self.paint(path, Shader::SolidColor(tone.alpha(alpha)), Transform::identity());
    }

    /// Fills an outline given in a box of its own (0 to 1, y down), placed with its bottom centre at `foot`.
    pub(super) fn place(&mut self, path: PathBuilder, foot: (f32, f32), size: f32, flip: bool, tone: Tone) {
        let across = if flip { -size } else { size };
        let place = Transform::from_row(across, 0.0, 0.0, size, foot.0 - across / 2.0, foot.1 - size);
        self.paint(path, Shader::SolidColor(tone.alpha(1.0)), place);
    }

    /// Fills an outline from one colour at `top` to another at `bottom`.
    pub(super) fn fade(&mut self, path: PathBuilder, top: (f32, Tone, f32), bottom: (f32, Tone, f32)) {
        let stops = vec![GradientStop::new(0.0, top.1.alpha(top.2)), GradientStop::new(1.0, bottom.1.alpha(bottom.2))];
        let (start, end) = (Point::from_xy(0.0, top.0), Point::from_xy(0.0, bottom.0));
        let shader = LinearGradient::new(start, end, stops, SpreadMode::Pad, Transform::identity());
        self.paint(path, shader.unwrap_or(Shader::SolidColor(top.1.alpha(top.2))), Transform::identity());
    }

    /// The whole canvas in a slightly tilted gradient.
    pub(super) fn sky(&mut self, tones: [Tone; 3], low: f32) {
        let stops = vec![
            GradientStop::new(0.0, tones[0].alpha(1.0)),
            GradientStop::new(0.55, tones[1].alpha(1.0)),
            GradientStop::new(1.0, tones[2].alpha(1.0)),
        ];
        let lean = self.height.min(self.width) * 0.07;
        let start = Point::from_xy(self.width / 2.0 - lean, 0.0);
        let end = Point::from_xy(self.width / 2.0 + lean, low);
        let shader = LinearGradient::new(start, end, stops, SpreadMode::Pad, Transform::identity());
        let all = self.all();
        self.paint(all, shader.unwrap_or(Shader::SolidColor(tones[1].alpha(1.0))), Transform::identity());
    }

    /// Light that fades towards its rim.
    pub(super) fn glow(&mut self, centre: (f32, f32), radius: f32, tone: Tone, alpha: f32) {
        let stops = vec![
            GradientStop::new(0.0, tone.alpha(alpha)),
            GradientStop::new(0.35, tone.alpha(alpha * 0.42)),
            GradientStop::new(0.7, tone.alpha(alpha * 0.09)),
            GradientStop::new(1.0, tone.alpha(0.0)),
        ];
        let at = Point::from_xy(centre.0, centre.1);
        let shader = RadialGradient::new(at, 0.0, at, radius.max(0.01), stops, SpreadMode::Pad, Transform::identity());
        if let Some(shader) = shader {
            self.paint(circle(centre, radius), shader, Transform::identity());
        }
    }

    /// A line with round ends.
    pub(super) fn line(&mut self, path: PathBuilder, thick: f32, tone: Tone, alpha: f32) {
        let stroke = Stroke {
            width: thick.max(0.2),
            line_cap: tiny_skia::LineCap::Round,
            line_join: tiny_skia::LineJoin::Round,
            ..Stroke::default()
        };
        let paint = Paint { shader: Shader::SolidColor(tone.alpha(alpha)), anti_alias: true, ..Paint::default() };
        if let Some(path) = path.finish() {
            self.canvas.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    }

    /// The whole canvas as an outline.
    pub(super) fn all(&self) -> PathBuilder {
        rect(0.0, 0.0, self.width, self.height)
    }

    fn paint(&mut self, path: PathBuilder, shader: Shader<'_>, place: Transform) {
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        // An empty outline, or one that is not finite, is simply not drawn.
        if let Some(path) = path.finish() {
            self.canvas.fill_path(&path, &paint, FillRule::Winding, place, None);
        }
    }
}

/// A closed outline through points.
pub(super) fn polygon(points: &[(f32, f32)]) -> PathBuilder {
    let mut path = PathBuilder::new();
    for (at, (x, y)) in points.iter().enumerate() {
        if at == 0 {
            path.move_to(*x, *y);
        } else {
            path.line_to(*x, *y);
        }
    }
    path.close();
    path
}

/// A closed outline through the middles of the sides, rounded by the corners: soft bodies from few points.
pub(super) fn soft(points: &[(f32, f32)]) -> PathBuilder {
    let mut path = PathBuilder::new();
    let count = points.len();
    let middle = |at: usize| {
        let (a, b) = (points[at % count], points[(at + 1) % count]);
        ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
    };
    if count < 3 {
        return path;
    }
    let start = middle(count - 1);
    path.move_to(start.0, start.1);
    for (at, corner) in points.iter().enumerate() {
        let to = middle(at);
        path.quad_to(corner.0, corner.1, to.0, to.1);
    }
    path.close();
    path
}

pub(super) fn circle(centre: (f32, f32), radius: f32) -> PathBuilder {
    oval(centre, radius, radius)
}

pub(super) fn oval(centre: (f32, f32), across: f32, down: f32) -> PathBuilder {
    let mut path = PathBuilder::new();
    let bounds = Rect::from_ltrb(centre.0 - across, centre.1 - down, centre.0 + across, centre.1 + down);
    if let Some(bounds) = bounds {
        path.push_oval(bounds);
    }
    path
}

pub(super) fn rect(x: f32, y: f32, width: f32, height: f32) -> PathBuilder {
    polygon(&[(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
}
