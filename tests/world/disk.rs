//! What is on the disk: the tasks, the log of changes, the wishes and the lease, with the rules of the real store
//! (`src/store/write.rs`, `src/store/company.rs`) and none of its code.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use plantain::domain::{Change, Holder, LocalId, OutputState, Problem, Stage, Standing, Status, Task, Wish};

/// A window's wish that the holder has not carried out to the end.
#[derive(Clone, Debug)]
struct Row {
    window: u32,
    wish: Wish,
    taken: bool,
}

impl Row {
    fn sends(&self) -> bool {
        matches!(self.wish, Wish::Send(_))
    }
}

/// The data folder: one database, one lock. A window is named by its life.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub tasks: BTreeMap<LocalId, Task>,
    changes: BTreeMap<u64, LocalId>,
    last_of: HashMap<LocalId, u64>,
    wishes: Vec<Row>,
    /// The row of the lease: who wrote itself down, and why it sends nothing.
    holder: Option<(u32, Option<Problem>)>,
    /// Who has the lock. The system lets go of it when its owner dies.
    pub lock: Option<u32>,
    pub full: bool,
}

fn refused(words: &str) -> Result<(), Problem> {
    Err(Problem::Local { message: words.into() })
}

impl Disk {
    /// The number of the last change.
    pub fn number(&self) -> u64 {
        self.changes.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    fn touch(&mut self, id: LocalId) {
        let next = self.number() + 1;
        if let Some(before) = self.last_of.insert(id, next) {
            self.changes.remove(&before);
        }
        self.changes.insert(next, id);
    }

    /// Makes a change of this window durable, or refuses it.
    pub fn apply(&mut self, window: u32, change: Change) -> Result<(), Problem> {
        if self.full {
            return refused("the disk is full");
        }
        match change {
            Change::New(task) => self.insert(*task),
            Change::Intent(task) => {
                let id = task.id;
                self.insert(*task)?;
                self.wishes.push(Row { window, wish: Wish::Send(id), taken: false });
                Ok(())
            }
            Change::Progress(task) => {
                if task.status.stage() == Stage::Sending
                    && self.holder.as_ref().map(|(window, _)| *window) != Some(window)
                {
                    return refused("another window does the sending now");
                }
                self.update(*task)
            }
            Change::Forget(id) => match self.tasks.get(&id).map(|task| task.status.stage()) {
                Some(Stage::Saved | Stage::Held) => {
                    self.tasks.remove(&id);
                    self.wishes.retain(|row| row.wish.task() != Some(id));
                    self.touch(id);
                    Ok(())
                }
                Some(_) => refused("the task was sent; it cannot be forgotten"),
                None => Ok(()),
            },
            Change::Wish(wish) => {
                self.wishes.push(Row { window, wish, taken: false });
                Ok(())
            }
            Change::Paused(why) => {
                if let Some((_, paused)) = self.holder.as_mut().filter(|(holder, _)| *holder == window) {
                    *paused = why;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn insert(&mut self, task: Task) -> Result<(), Problem> {
        if self.tasks.contains_key(&task.id) {
            return refused("the task is stored already");
        }
        self.touch(task.id);
        self.tasks.insert(task.id, task);
        Ok(())
    }

    fn update(&mut self, task: Task) -> Result<(), Problem> {
        let Some(stored) = self.tasks.get_mut(&task.id) else { return refused("the task is not stored") };
        let (was, is) = (stored.status.stage(), task.status.stage());
        let back = if was.is_final() { was != is } else { was.is_running() && is.rank() < was.rank() };
        if back {
            return Ok(());
        }
        if stored.task_id.is_some() && task.task_id.is_some() && stored.task_id != task.task_id {
            return refused("the task has two names at the service");
        }
        let before = std::mem::replace(stored, task);
        stored.task_id = stored.task_id.take().or(before.task_id);
        stored.completed = stored.completed.or(before.completed);
        for (index, old) in before.outputs.into_iter().enumerate() {
            match stored.outputs.get_mut(index) {
                Some(new) if matches!((&old.state, &new.state), (OutputState::Home(_), OutputState::Away)) => {
                    *new = old
                }
                Some(_) => {}
                None => stored.outputs.push(old),
            }
        }
        let id = stored.id;
        self.moved(id, is);
        Ok(())
    }

    /// The stage of a task was written: it may be beyond doubt now.
    fn moved(&mut self, id: LocalId, stage: Stage) {
        self.touch(id);
        if !matches!(stage, Stage::Saved | Stage::Sending | Stage::Unsure) {
            self.wishes.retain(|row| row.wish != Wish::Send(id));
        }
    }

    /// This window has the lock: what the last holder was sending is in doubt, what waited with it is held, but for
    /// what the users of living windows want.
    pub fn take_over(&mut self, window: u32, living: &BTreeSet<u32>) {
        self.holder = Some((window, None));
        let doubtful = |id: &LocalId| {
            let stage = self.tasks.get(id).map(|task| task.status.stage());
            matches!(stage, Some(Stage::Saved | Stage::Sending | Stage::Unsure))
        };
        let stays = |row: &Row| !row.taken || row.wish.task().as_ref().is_some_and(doubtful) && row.sends();
        self.wishes = self.wishes.iter().filter(|row| living.contains(&row.window) && stays(row)).cloned().collect();
        self.wishes.iter_mut().for_each(|row| row.taken = false);
        let wanted: BTreeSet<LocalId> =
            self.wishes.iter().filter(|row| row.sends()).filter_map(|row| row.wish.task()).collect();
        let left: Vec<LocalId> = self.tasks.keys().copied().collect();
        for id in left {
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            task.status = match &task.status {
                Status::Saved if !wanted.contains(&id) => Status::Held(None),
                Status::Sending => Status::Unsure(None),
                _ => continue,
            };
            let stage = task.status.stage();
            self.moved(id, stage);
        }
    }

    /// Wishes wait that the present holder has not taken.
    pub fn has_wishes(&self) -> bool {
        self.wishes.iter().any(|row| !row.taken)
    }

    /// Takes what others wish, with the tasks it is about.
    pub fn take_wishes(&mut self) -> Vec<(Wish, Option<Task>)> {
        let fresh: Vec<Wish> = self.wishes.iter().filter(|row| !row.taken).map(|row| row.wish.clone()).collect();
        self.wishes.retain(|row| row.taken || row.sends());
        self.wishes.iter_mut().for_each(|row| row.taken = true);
        let about = |wish: &Wish| wish.task().and_then(|id| self.tasks.get(&id).cloned());
        fresh.into_iter().map(|wish| (wish.clone(), about(&wish))).collect()
    }

    /// How many wishes are written down.
    pub fn wishes(&self) -> usize {
        self.wishes.len()
    }

    /// What changed after this number: the tasks as they are, and those that are no more.
    pub fn since(&self, seen: u64) -> (Vec<Task>, Vec<LocalId>) {
        let (mut tasks, mut gone) = (Vec::new(), Vec::new());
        for id in self.changes.range(seen + 1..).map(|(_, id)| id) {
            match self.tasks.get(id) {
                Some(task) => tasks.push(task.clone()),
                None => gone.push(*id),
            }
        }
        (tasks, gone)
    }

    /// How a window that only watches stands to the others.
    pub fn standing(&self, window: u32, living: &BTreeSet<u32>) -> Standing {
        let found = self.holder.as_ref().filter(|(holder, _)| *holder != window && living.contains(holder));
        let named = |pid| Holder { pid, host: String::new(), service: String::new(), other_key: false, quiet: false };
        Standing {
            holds: false,
            holder: found.map(|(pid, _)| named(*pid)),
            paused: found.and_then(|(_, paused)| paused.clone()),
            ..Standing::default()
        }
    }

    /// What has work left.
    pub fn unfinished(&self) -> Vec<Task> {
        let away = |task: &Task| task.outputs.iter().any(|output| output.state == OutputState::Away);
        self.tasks.values().filter(|task| !task.status.is_final() || away(task)).cloned().collect()
    }
}
