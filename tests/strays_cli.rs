//! Tasks of other programs, and decisions about unsure ones, by the real commands: alone and beside another window.

use std::process::Stdio;
use std::sync::Arc;

use kit::said::{Said, said};
use kit::service::{Running, Service};
use plantain::domain::{Change, LocalId, Problem, Request, Status, Task};
use plantain::store::Store;
use plantain::time::Wall;
use serde_json::Value;

/// A service, and a program of somebody else on the same account.
struct Account(Service);

impl Account {
    fn new() -> Self {
        Self(Service::start())
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Said {
        self.0.run(args)
    }

    /// Another program makes a task and sees it end. Its name at the service.
    #[track_caller]
    fn elsewhere(&self, prompt: &str) -> String {
        let mut command = self.0.command(&["submit", prompt, "--wait", "--json"]);
        let said = said(command.env("PLANTAIN_DATA_DIR", self.0.path("theirs"))).exits(0);
        said.json()[0]["task_id"].as_str().expect("a name").to_owned()
    }

    /// A task of which nobody knows whether it was accepted, as a restart finds it.
    fn unsure(&self, n: u128, prompt: &str, why: Problem) -> LocalId {
        let store = Store::open(&self.0.data()).expect("a store");
        let input = serde_json::json!({ "prompt": prompt }).as_object().cloned().unwrap_or_default();
        let request = Request::new("Nano-Banana", None, input, prompt.into(), prompt.into(), None);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
        let now = Wall(i64::try_from(now.as_millis()).expect("a time"));
        let mut task = Task::new(LocalId::from_random(n << 64), Arc::new(request), now);
        task.set(Status::Sending, now);
        task.set(Status::Unsure(Some(why)), now);
        let id = task.id;
        store.apply(Change::New(Box::new(task)), |done| done.expect("it is stored"));
        store.flush();
        id
    }

    fn stored(&self, id: LocalId) -> Value {
        self.run(&["show", &id.to_string(), "--json"]).json().remove(0)
    }

    /// Another window, which holds the lease until it is dropped.
    fn holder(&self) -> Running {
        let mut command = self.0.command(&["listen", "--webhook-listen", "127.0.0.1:0"]);
        let mut process = Running::start(command.stderr(Stdio::null()));
        assert!(!process.line().is_empty(), "it says that it listens");
        process
    }
}

fn rejected() -> Problem {
    Problem::Rejected { status: 400, code: None, message: "no such shape".into() }
}

fn adopted(account: &Account) {
    let (fox, owl) = (account.elsewhere("a fox"), account.elsewhere("an owl"));
    let paid = account.0.paid();
    let found = account.run(&["list", "--remote", "--json"]).exits(0).json();
    let mut names: Vec<&str> = found.iter().filter_map(|task| task["task_id"].as_str()).collect();
    names.sort_unstable();
    let mut expected = [fox.as_str(), owl.as_str()];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(found.iter().all(|task| task["origin"] == "elsewhere" && task["id"].is_null() && task["prompt"] == ""));
    assert!(account.run(&["list", "--json"]).json().is_empty(), "seeing is not adopting");

    // One of them is not there.
    let said = account.run(&["adopt", &fox, "tk-nobody", "--wait", "--json"]).exits(1).complains(&["tk-nobody"]);
    let task = &said.json()[0];
    assert_eq!((task["task_id"].as_str(), &task["status"]), (Some(fox.as_str()), &"success".into()));
    let file = task["outputs"][0]["file"].as_str().expect("it is here");
    assert!(std::fs::metadata(file).is_ok_and(|file| file.len() > 0));

    let out = account.run(&["list", "--remote"]).out;
    assert!(!out.contains(&fox) && out.contains(&owl), "what is ours is not elsewhere: {out}");
    let again = account.run(&["adopt", &fox, "--json"]).exits(0).json();
    assert_eq!(again[0]["id"], task["id"], "once adopted, it stays the same task");
    assert_eq!(account.0.paid(), paid, "nothing was sent for them");
}

#[test]
fn tasks_of_other_programs_are_listed_and_adopted() {
    adopted(&Account::new());
}

/// C14: the window that holds the lease asks, for whoever wants to know.
#[test]
fn they_are_adopted_through_another_window_too() {
    let account = Account::new();
    let _holder = account.holder();
    adopted(&account);
}

#[test]
fn a_decision_needs_to_be_told_and_says_its_price() {
    let account = Account::new();
    let fits = account.elsewhere("a fox");
    let id = account.unsure(1, "a fox", rejected());
    let name = id.to_string();
    let out = account.run(&["settle", &name]).exits(0).out;
    for words in ["--give-up", "--anew --yes", &format!("--adopt {fits}"), "plantain send"] {
        assert!(out.contains(words), "{words:?} is not in {out}");
    }
    assert!(out.contains("price unknown") || out.contains('$'), "{out}");
    let choices = &account.run(&["settle", &name, "--json"]).json()[0];
    assert_eq!(choices["candidates"][0]["task_id"], fits.as_str());
    assert_eq!(choices["may_repeat"], true);

    account.run(&["settle", &name, "--anew"]).exits(2).complains(&["both are paid", "nothing was sent"]);
    // One decision, not two.
    account.run(&["settle", &name, "--anew", "--give-up"]).exits(2);
    account.run(&["settle", &name, "--adopt", "tk-nobody"]).exits(1);
    assert_eq!(account.stored(id)["status"], "unsure", "nothing was decided");

    let told = account.run(&["settle", &name, "--adopt", &fits, "--wait", "--json"]).exits(0).json();
    assert_eq!(told[0]["status"], "success");
    assert_eq!(account.stored(id)["task_id"], fits.as_str());
    // There is nothing left to decide.
    account.run(&["settle", &name]).exits(1);
    assert_eq!(account.0.paid(), ["a fox"], "nothing was paid here");
}

fn anew_and_given_up(account: &Account) {
    let (first, second) = (account.unsure(2, "an owl", rejected()), account.unsure(3, "a hen", rejected()));
    let args = ["settle", &first.to_string(), "--anew", "--yes", "--wait", "--json"];
    let told = account.run(&args).exits(0).json();
    assert_eq!((&told[0]["status"], &told[1]["status"]), (&"given_up".into(), &"success".into()), "{told:?}");
    assert_eq!(told[0]["sent_anew_as"], told[1]["id"]);
    let told = account.run(&["settle", &second.to_string(), "--give-up", "--json"]).exits(0).json();
    assert_eq!(told[0]["status"], "given_up");
    account.run(&["send", "--all"]);
    assert_eq!(account.0.paid(), ["an owl"], "what was given up is not sent");
    assert_eq!(account.stored(second)["status"], "given_up");
}

#[test]
fn sent_anew_or_given_up() {
    anew_and_given_up(&Account::new());
}

#[test]
fn sent_anew_or_given_up_through_another_window() {
    let account = Account::new();
    let holder = account.holder();
    anew_and_given_up(&account);
    drop(holder);
}
