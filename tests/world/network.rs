//! The network: what becomes of a request on its way, at the service, and on its way back.

use plantain::domain::{Answer, AssetId, Home, LocalId, Problem};
use plantain::fleet::{FleetMsg, News, Question};
use plantain::time::Wall;

use super::day::{Event, MINUTE, PATIENCE, SECOND, World};
use super::service::{Entry, Mood, Service, answer};

impl World {
    fn hear_later(&mut self, life: u32, span: i64, msg: FleetMsg) {
        self.later(span, Event::Hear { life, msg: Box::new(msg) });
    }

    pub fn send_creation(&mut self, life: u32, id: LocalId, body: &str) {
        let body = body.to_owned();
        let unsent = Problem::Network { sent: false, message: "refused".into() };
        let lost = Problem::Network { sent: true, message: "timed out".into() };
        let there = self.latency();
        if self.service.mood == Mood::Down {
            return self.hear_later(life, there, FleetMsg::Submitted { id, answer: Answer::bare(Err(unsent)) });
        }
        if self.misfortune() {
            // Cut: before the body, inside it, after it; or the body arrives long after the sender gave up.
            let kind = (self.dice.unit() * 4.0) as u32;
            let told = if kind == 0 { unsent } else { lost };
            if kind >= 2 {
                let late = if kind == 3 { PATIENCE + 30 * SECOND } else { there };
                self.later(late, Event::Post { life, id, body, waits: false });
            }
            let wait = if kind == 3 { PATIENCE } else { there };
            return self.hear_later(life, wait, FleetMsg::Submitted { id, answer: Answer::bare(Err(told)) });
        }
        if self.misfortune() {
            // Doubled on the way.
            let again = there + self.latency();
            self.later(again, Event::Post { life, id, body: body.clone(), waits: false });
        }
        self.later(there, Event::Post { life, id, body, waits: true });
    }

    pub fn arrive(&mut self, life: u32, id: LocalId, body: String, waits: bool) {
        let now = Wall(self.now);
        let admitted = if waits { self.service.admit(now) } else { Ok(()) };
        let limits = self.service.limits();
        let (fails, z) = (self.dice.unit() < 0.1, self.normal());
        let takes_ms = (self.median_ms * (0.5 * z).exp()) as i64;
        let takes_ms = if self.dice.unit() < 0.01 { 30 * MINUTE } else { takes_ms };
        let link_ms = self.link_ms;
        let mood = if self.dice.unit() < 0.9 { self.service.mood } else { Mood::Well };
        let hidden = self.dice.unit() < 0.5;
        let service = &mut self.service;
        let create = |service: &mut Service| {
            service.post(id, &body, now, |task_id| Entry {
                body: String::new(),
                task_id,
                created: now,
                takes_ms,
                fails,
                link_ms,
                links: 0,
            })
        };
        let words = String::new;
        let result = match (admitted, mood) {
            (Err(problem), _) => Err(problem),
            (_, Mood::Storm429) => Err(Problem::Limit { retry_after: hidden.then_some(7) }),
            (_, Mood::KeyRevoked) => Err(Problem::Auth { message: words() }),
            (_, Mood::NoCredits) if service.ledger.contains_key(&id) => create(service),
            (_, Mood::NoCredits) => Err(Problem::Balance { message: words() }),
            (_, Mood::Storm5xx) => {
                if hidden {
                    let _ = create(service);
                }
                match (z * 10.0) as i32 {
                    // Rejected before any work: never after it was carried out.
                    n if n % 3 == 0 && !hidden => Err(Problem::Busy { retry_after: None, message: words() }),
                    n if n % 3 == 1 => Err(Problem::Odd { status: 502, message: words() }),
                    _ => Err(Problem::Server { status: 500, message: words() }),
                }
            }
            (_, Mood::Hangs) => {
                if hidden {
                    let _ = create(service);
                }
                Err(Problem::Network { sent: true, message: "timed out".into() })
            }
            (_, Mood::Well | Mood::Down) => create(service),
        };
        self.say(life, || format!("          service: POST {id:?} {}", if result.is_ok() { "ok" } else { "no" }));
        if !waits || !self.lives(life) {
            return;
        }
        let back = if mood == Mood::Hangs { PATIENCE } else { self.latency() };
        let result = match result {
            // The answer is cut or lost on its way back.
            Ok(_) if self.misfortune() => Err(Problem::Odd { status: 200, message: "cut".into() }),
            Ok(accepted) if self.misfortune() => {
                Err(Problem::Processing { retry_after: Some(5), task_id: hidden.then_some(accepted.task_id) })
            }
            other => other,
        };
        self.hear_later(life, back, FleetMsg::Submitted { id, answer: answer(result, limits) });
    }

    pub fn send_question(&mut self, life: u32, question: Question) {
        let there = self.latency();
        let lost = Problem::Network { sent: true, message: "reset".into() };
        if self.service.mood == Mood::Down || self.misfortune() {
            return self.hear_later(life, there, FleetMsg::Answered { question, answer: Answer::bare(Err(lost)) });
        }
        self.later(there, Event::Get { life, question });
    }

    pub fn look_up(&mut self, life: u32, question: Question) {
        let now = Wall(self.now);
        let admitted = self.service.admit(now);
        let limits = self.service.limits();
        let mood = if self.dice.unit() < 0.9 { self.service.mood } else { Mood::Well };
        let words = String::new;
        let result = match (admitted, mood) {
            (Err(problem), _) => Err(problem),
            (_, Mood::Storm429) => Err(Problem::Limit { retry_after: None }),
            (_, Mood::Storm5xx) => Err(Problem::Server { status: 503, message: words() }),
            (_, Mood::KeyRevoked) => Err(Problem::Auth { message: words() }),
            (_, Mood::Hangs) => Err(Problem::Network { sent: true, message: "timed out".into() }),
            _ => match &question {
                Question::Task(_, id) if self.misfortune() => {
                    Err(Problem::NotFound { message: format!("{id} is not on this replica") })
                }
                Question::Task(_, id) => self.service.task(id, now).map(News::Task),
                Question::Page(page, _) => {
                    let mut page = self.service.page(*page, now);
                    if self.misfortune() {
                        let keep = (self.dice.unit() * page.reports.len() as f64) as usize;
                        page.reports.truncate(keep);
                    }
                    Ok(News::Page(page))
                }
            },
        };
        if !self.lives(life) {
            return;
        }
        let back = if mood == Mood::Hangs { PATIENCE } else { self.latency() };
        self.hear_later(life, back, FleetMsg::Answered { question, answer: answer(result, limits) });
    }

    pub fn download(&mut self, life: u32, asset: AssetId, url: &str) {
        let span = 200 + (self.dice.unit() * 3_000.0) as i64;
        let entry = self.service.ledger.get(&asset.task).cloned();
        let fresh = entry.as_ref().is_some_and(|e| url.ends_with(&format!("/{}/{}.png", e.task_id, e.links)));
        let alive = entry.as_ref().is_some_and(|e| self.now + span < e.expires().0);
        let result = if !alive || !fresh {
            Err(Problem::Forbidden { message: "expired".into() })
        } else if self.misfortune() {
            match (self.dice.unit() * 3.0) as u32 {
                0 => Err(Problem::Network { sent: true, message: "reset".into() }),
                1 => Err(Problem::Server { status: 503, message: String::new() }),
                // Once: a link that is refused twice counts as expired.
                _ if entry.is_some_and(|e| e.links == 0) => {
                    self.service.renew_link(asset.task);
                    Err(Problem::Forbidden { message: "signature".into() })
                }
                _ => Err(Problem::Network { sent: true, message: "cut".into() }),
            }
        } else if self.disk.full {
            Err(Problem::Local { message: "the disk is full".into() })
        } else {
            Ok(file())
        };
        self.hear_later(life, span, FleetMsg::Fetched { asset, result });
    }
}

fn file() -> Home {
    Home {
        file: "/pictures/fox.png".into(),
        bytes: 1_000_000,
        sha256: "0".repeat(64),
        format: "png".into(),
        width: None,
        height: None,
    }
}
