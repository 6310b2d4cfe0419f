//! A desk to sit at: the program without a world. Messages go in, the effects of the durable and the harmless kind
//! are answered at once, those that ask the service are answered by the test.

use std::sync::Arc;
use std::time::Duration;

use plantain::app::msg::PictureWay;
use plantain::app::state::Start;
use plantain::app::{Effect, Msg, State, update};
use plantain::config::Allowance;
use plantain::domain::{
    Accepted, Answer, AssetId, Catalogue, Change, Failure, Home, LocalId, Output, OutputState, Problem, Report, Source,
    Status, TaskId,
};
use plantain::fleet::{FleetMsg, News, Order, Question};
use plantain::graphics::Gallery;
use plantain::time::{Mono, Now, Wall};
use plantain::ui::{ColourDepth, Scene, Theme, view};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

/// 27 April 2026, half past nine in the morning, UTC.
pub const MORNING: i64 = 1_777_282_200_000;

/// The program without a world, and the time there.
pub struct Desk {
    /// All there is.
    pub state: State,
    /// Moved by [`Desk::later`] alone.
    pub now: Now,
    /// Pictures that are ready.
    pub gallery: Gallery,
    /// Full colours on a dark ground.
    pub theme: Theme,
    /// What was sent, in order.
    pub tasks: Vec<LocalId>,
}

impl Desk {
    /// An empty history on a screen of this many columns and lines.
    pub fn new(width: u16, height: u16) -> Self {
        let now = Now { wall: Wall(MORNING), mono: Mono(1_000_000) };
        let start = Start {
            catalogue: Catalogue::built_in(),
            allowance: Allowance::default(),
            service: "demo".into(),
            demo: true,
            area: Size::new(width, height),
            seed: 7,
        };
        let theme = Theme::new(ColourDepth::True, Some(false));
        Self { state: State::new(start, now), now, gallery: Gallery::default(), theme, tasks: Vec::new() }
    }

    /// A message, and everything that follows from it without the service.
    pub fn hear(&mut self, msg: Msg) -> &mut Self {
        let mut effects = update(&mut self.state, msg, self.now);
        while let Some(effect) = effects.pop() {
            if let Effect::Fleet(Order::Save(Change::New(task) | Change::Progress(task))) = effect {
                let stored = FleetMsg::Stored { id: task.id, stage: task.status.stage(), result: Ok(()) };
                effects.extend(update(&mut self.state, Msg::Fleet(stored), self.now));
            }
        }
        self
    }

    /// Lets so many milliseconds pass, and wakes the machine once.
    pub fn later(&mut self, millis: u64) -> &mut Self {
        self.now.mono = self.now.mono + Duration::from_millis(millis);
        self.now.wall = Wall(self.now.wall.0 + i64::try_from(millis).unwrap_or(0));
        self.hear(Msg::Woke)
    }

    /// Keys by their names, with blanks between them.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.hear(Msg::Key(key.parse().expect("a chord")));
        }
        self
    }

    /// Text, as pasted.
    pub fn typed(&mut self, text: &str) -> &mut Self {
        self.hear(Msg::Paste(text.into()))
    }

    /// The screen has another size.
    pub fn resized(&mut self, width: u16, height: u16) -> &mut Self {
        self.hear(Msg::Resized(Size::new(width, height)))
    }

    /// The terminal shows pictures.
    pub fn pictures(&mut self) -> &mut Self {
        self.hear(Msg::PicturesKnown(PictureWay { protocol: Some("kitty".into()), cell: (10, 20) }))
    }

    /// Sends a prompt. Returns the task.
    pub fn send(&mut self, prompt: &str) -> LocalId {
        self.typed(prompt).press("ctrl-s");
        let id = self.state.table.cursor().expect("a row");
        self.tasks.push(id);
        id
    }

    /// The service answered a creation.
    pub fn submitted(&mut self, id: LocalId, result: Result<Accepted, Problem>) -> &mut Self {
        self.hear(Msg::Fleet(FleetMsg::Submitted { id, answer: Answer::bare(result) }))
    }

    /// The service accepted a creation. Its name there.
    pub fn accepted(&mut self, id: LocalId) -> TaskId {
        let text = id.to_string().replace('-', "").to_uppercase();
        let task_id: TaskId = format!("tk-hiapi-{}", &text[..26]).parse().expect("an id");
        self.submitted(id, Ok(Accepted { task_id: task_id.clone(), replay: false }));
        task_id
    }

    /// The service was asked about a task, and said this.
    pub fn report(&mut self, id: LocalId, status: Status, outputs: Vec<Output>) -> &mut Self {
        let task = Arc::clone(self.state.fleet.task(id).expect("a task"));
        let task_id = task.task_id.clone().expect("accepted");
        let completed = status.is_final().then_some(self.now.wall);
        let report = Report {
            task_id: task_id.clone(),
            model: task.request.model.clone(),
            status,
            outputs,
            created: None,
            completed,
            source: Source::Task,
        };
        let question = Question::Task(id, task_id);
        let answer = Answer::bare(Ok(News::Task(report)));
        self.hear(Msg::Fleet(FleetMsg::Answered { question, answer }))
    }

    /// An image at the service, to be had for a week.
    pub fn output(&self) -> Output {
        Output {
            url: "https://cdn.example/0.png".into(),
            role: "image".into(),
            expires: Some(Wall(self.now.wall.0 + 7 * 86_400_000)),
            state: OutputState::Away,
        }
    }

    /// The first output of a task is here, or is not.
    pub fn fetched(&mut self, id: LocalId, result: Result<Home, Problem>) -> &mut Self {
        self.hear(Msg::Fleet(FleetMsg::Fetched { asset: AssetId { task: id, index: 0 }, result }))
    }

    /// A file of that name in the folder of outputs.
    pub fn home(name: &str) -> Home {
        Home {
            file: format!("/home/ann/Pictures/plantain/2026-04-27/{name}.png"),
            bytes: 1_440_123,
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            format: "png".into(),
            width: Some(1344),
            height: Some(768),
        }
    }

    /// One task in every kind of state, the newest at the top.
    pub fn busy(&mut self) -> &mut Self {
        let done = self.send("a red fox in deep snow at dusk, long shadows, film grain");
        self.accepted(done);
        self.later(9_000).report(done, Status::Handling, vec![]);
        self.later(8_000);
        let output = self.output();
        self.report(done, Status::Success, vec![output]);
        self.fetched(done, Ok(Self::home("a-red-fox-in-deep-snow-3f2a9c1")));

        let failed = self.send("portrait of a famous actor as a medieval king");
        self.accepted(failed);
        let failure =
            Failure { code: Some("TASK_FAILED".into()), message: Some("upstream rejected the prompt".into()) };
        self.later(11_000).report(failed, Status::Failed(failure), vec![]);

        self.press("tab right space space space esc i");
        let refused = self.send("ein Gewächshaus voller Bananenstauden, Morgenlicht durch beschlagenes Glas");
        let problem = Problem::Rejected {
            status: 400,
            code: Some("INVALID_REQUEST".into()),
            message: "additional properties 'seed' not allowed".into(),
        };
        self.later(300).submitted(refused, Err(problem));

        let unknown = self.send("夜の東京、ネオンに濡れた路地、傘をさす人々、映画のような光");
        self.accepted(unknown);
        self.later(2_000).report(unknown, Status::Unknown("reviewing".into()), vec![]);

        let unsure = self.send("an isometric cutaway of a lighthouse");
        let problem = Problem::Network { sent: true, message: "the connection was reset".into() };
        self.later(400).submitted(unsure, Err(problem));

        let archiving = self.send("watercolour map of an island that does not exist");
        self.accepted(archiving);
        self.later(1_000).report(archiving, Status::Archiving, vec![]);
        let handling = self.send("👩‍🚀 astronaut tending 🌱 seedlings in a glass dome on the moon, 1970s magazine cover");
        self.accepted(handling);
        self.later(1_000).report(handling, Status::Handling, vec![]);
        let queued = self.send("macro photograph of a plantain leaf with rain drops");
        self.accepted(queued);
        self.later(5_000)
    }

    /// What the view makes of it.
    pub fn draw(&self) -> (Buffer, Scene) {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.state.area.width, self.state.area.height));
        let scene = view(&self.state, &self.gallery, &self.theme, &mut buf);
        (buf, scene)
    }

    /// The cells as text, without the blanks at the ends of lines.
    pub fn screen(&self) -> String {
        let (buf, _) = self.draw();
        let mut text = String::new();
        for y in 0..buf.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buf.area.width {
                let Some(cell) = buf.cell((x, y)) else { continue };
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                line.push_str(cell.symbol());
                skip = plantain::ui::text::width(cell.symbol()).saturating_sub(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
