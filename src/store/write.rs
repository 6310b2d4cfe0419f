//! Changes, as statements. A status never goes back, whoever writes: another window may know more.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::company::Company;
use super::{StoreProblem, answers, batches, rows, writing};
use crate::domain::{Change, Lesson, LocalId, Output, OutputState, Stage, Task, Wish};

/// Why a change was not made.
pub(super) enum Fault {
    /// The change itself is wrong.
    Own(StoreProblem),
    /// The database said no.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

const INSERT: &str = "INSERT INTO tasks
    (id, task_id, model, route, body, template, prompt, stage, status, times, created, completed,
     batch, row, seed, parent, how, starred)
    VALUES (:id, :task_id, :model, :route, :body, :template, :prompt, :stage, :status, :times, :created, :completed,
     :batch, :row, :seed, :parent, :how, :starred)
    ON CONFLICT DO NOTHING";
const STANDING: &str = "SELECT stage, task_id FROM tasks WHERE id = ?1";
const UPDATE: &str = "UPDATE tasks SET stage = :stage, status = :status, times = :times,
    task_id = coalesce(:task_id, task_id), completed = coalesce(:completed, completed) WHERE id = :id";
/// A file that is here stays here: a window that has not heard of it knows only the link.
const OUTPUT: &str = "INSERT INTO outputs
    (task, idx, url, role, expires, place, why, file, bytes, sha256, format, width, height)
    VALUES (:task, :idx, :url, :role, :expires, :place, :why, :file, :bytes, :sha256, :format, :width, :height)
    ON CONFLICT (task, idx) DO UPDATE SET
        url = excluded.url, role = excluded.role, expires = excluded.expires, place = excluded.place,
        why = excluded.why, file = excluded.file, bytes = excluded.bytes, sha256 = excluded.sha256,
        format = excluded.format, width = excluded.width, height = excluded.height
    WHERE NOT (outputs.place = 'home' AND excluded.place = 'away')";
const FORGET: &str = "DELETE FROM tasks WHERE id = ?1 AND stage IN ('saved', 'held')";
const STAR: &str = "UPDATE tasks SET starred = ?2 WHERE id = ?1 AND starred <> ?2";
const LEARNED: &str = "INSERT INTO learned (about, lesson) VALUES (?1, ?2)
    ON CONFLICT (about) DO UPDATE SET lesson = excluded.lesson";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[INSERT, STANDING, UPDATE, OUTPUT, FORGET, STAR, LEARNED];

/// Makes a change. Without company there is nobody to wish anything from.
pub(super) fn apply(conn: &Connection, change: &Change, company: Option<&Company>) -> Result<(), Fault> {
    match (change, company) {
        (Change::Intent(task), Some(company)) => {
            new(conn, task)?;
            // Nothing is sent for what another program created.
            company.wish(conn, &if task.is_elsewhere() { Wish::Look(task.id) } else { Wish::Send(task.id) })
        }
        (Change::New(task) | Change::Intent(task), _) => new(conn, task),
        (Change::Progress(task), company) => {
            match (company, task.status.stage()) {
                (Some(company), Stage::Sending) => {
                    company.fence(conn)?;
                    company.sign(conn, task.id)?;
                }
                (Some(company), Stage::Unsure) => company.same_key(conn, task.id)?,
                _ => {}
            }
            progress(conn, task)
        }
        (Change::Draft(draft), _) => writing::draft(conn, draft),
        (Change::Forget(id), _) => forget(conn, *id),
        (Change::Star(id, on), _) => star(conn, *id, *on),
        (Change::Learned(lessons), _) => learned(conn, lessons),
        (Change::Batch { name, paused }, _) => Ok(batches::rest(conn, name, *paused)?),
        (Change::Drop(ids), _) => Ok(batches::drop_unsent(conn, ids)?),
        (Change::Found(found), _) => answers::tell(conn, found),
        (Change::Wish(wish), Some(company)) => company.wish(conn, wish),
        (Change::Paused(why), Some(company)) => company.pause(conn, why.as_ref()),
        (Change::Wish(_) | Change::Paused(_), None) => Ok(()),
    }
}

fn new(conn: &Connection, task: &Task) -> Result<(), Fault> {
    let made = conn.prepare_cached(INSERT)?.execute(named_params! {
        ":id": task.id.to_string(),
        ":task_id": task.task_id.as_ref().map(|id| id.as_str()),
        ":model": task.request.model,
        ":route": task.request.route,
        ":body": task.request.body,
        ":template": task.request.template,
        ":prompt": task.request.prompt,
        ":stage": task.status.stage().word(),
        ":status": rows::json(&task.status)?,
        ":times": rows::json(&task.times)?,
        ":created": task.created.0,
        ":completed": task.completed.map(|at| at.0),
        ":batch": task.mark.as_ref().map(|mark| &mark.batch),
        ":row": task.mark.as_ref().map(|mark| &mark.row).filter(|row| !row.is_empty()),
        ":seed": task.mark.as_ref().and_then(|mark| mark.seed).map(u64::cast_signed),
        ":parent": task.kin.map(|kin| kin.parent.to_string()),
        ":how": task.kin.map(|kin| kin.how.word()),
        ":starred": task.starred,
    })?;
    if made == 0 {
        return Err(Fault::Own(StoreProblem::Exists(task.id)));
    }
    outputs(conn, task.id, &task.outputs)
}

fn progress(conn: &Connection, task: &Task) -> Result<(), Fault> {
    let standing = conn
        .prepare_cached(STANDING)?
        .query_row([task.id.to_string()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))
        .optional()?;
    let Some((stage, task_id)) = standing else {
        return Err(Fault::Own(StoreProblem::Missing(task.id)));
    };
    let seen = task.status.stage();
    if rows::stage(&stage).is_some_and(|stored| goes_back(stored, seen)) {
        tracing::debug!(task = %task.id, %stage, seen = seen.word(), "another window knows more");
        return Ok(());
    }
    let mine = task.task_id.as_ref().map(|id| id.as_str());
    if let (Some(stored), Some(mine)) = (&task_id, mine)
        && stored != mine
    {
        // One key stands for one task at the service. The first answer counts.
        return Err(Fault::Own(StoreProblem::Disk(format!("task {} has two names at the service", task.id))));
    }
    conn.prepare_cached(UPDATE)?.execute(named_params! {
        ":id": task.id.to_string(),
        ":task_id": mine,
        ":stage": seen.word(),
        ":status": rows::json(&task.status)?,
        ":times": rows::json(&task.times)?,
        ":completed": task.completed.map(|at| at.0),
    })?;
    outputs(conn, task.id, &task.outputs)
}

/// What ended, ended as it did; what the service has, it has. Before that, a task may go to and fro: it is sent,
/// turned away as too early, and waits again.
fn goes_back(stored: Stage, seen: Stage) -> bool {
    if stored.is_final() { seen != stored } else { stored.is_running() && seen.rank() < stored.rank() }
}

fn outputs(conn: &Connection, task: LocalId, outputs: &[Output]) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(OUTPUT)?;
    for (index, output) in (0u16..).zip(outputs) {
        let (place, why) = match &output.state {
            OutputState::Away => ("away", None),
            OutputState::Home(_) => ("home", None),
            OutputState::Lost { why } => ("lost", Some(why)),
        };
        let home = output.home();
        statement.execute(named_params! {
            ":task": task.to_string(),
            ":idx": index,
            ":url": output.url,
            ":role": output.role,
            ":expires": output.expires.map(|at| at.0),
            ":place": place,
            ":why": why,
            ":file": home.map(|h| &h.file),
            ":bytes": home.map(|h| i64::try_from(h.bytes).unwrap_or(i64::MAX)),
            ":sha256": home.map(|h| &h.sha256),
            ":format": home.map(|h| &h.format),
            ":width": home.and_then(|h| h.width),
            ":height": home.and_then(|h| h.height),
        })?;
    }
    Ok(())
}

fn learned(conn: &Connection, lessons: &[Lesson]) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(LEARNED)?;
    for Lesson { about, text } in lessons {
        statement.execute([about, text])?;
    }
    Ok(())
}

/// Stars a task, or takes the star away. A task that is not there has none.
pub(super) fn star(conn: &Connection, id: LocalId, on: bool) -> Result<(), Fault> {
    conn.prepare_cached(STAR)?.execute(params![id.to_string(), on])?;
    Ok(())
}

fn forget(conn: &Connection, id: LocalId) -> Result<(), Fault> {
    let key = id.to_string();
    if conn.prepare_cached(FORGET)?.execute([&key])? == 0 {
        // Gone already is as good as forgotten.
        let there = conn.prepare_cached(STANDING)?.exists([&key])?;
        return if there { Err(Fault::Own(StoreProblem::Sent(id))) } else { Ok(()) };
    }
    Ok(())
}
