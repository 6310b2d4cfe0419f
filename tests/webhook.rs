//! The receiver of callbacks: what is forged, stale, too large or repeated gets the documented answer and changes
//! nothing; what is proven ends a task. First with a fleet in memory, then with the real program, called by the
//! simulated service.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use kit::service::{KEY, Running, Service};
use plantain::api::webhook::{Delivery, Heard};
use plantain::api::webhook::{HookPath, LARGEST_BODY, Receiver, Tally, WebhookConfig, WebhookSecrets};
use plantain::config::Allowance;
use plantain::domain::{Answer, LocalId, Request, Stage, Status, Task, TaskId};
use plantain::fleet::{Fleet, FleetMsg, News, Order, Question};
use plantain::time::{Mono, Now, Wall};
use tokio::sync::mpsc;

const SECRET: &str = "whsec_of_this_test_0123456789";
const OLD_SECRET: &str = "whsec_before_the_rotation_0123";
const TASK: &str = "tk-hiapi-01";

fn body(task: &str, status: &str) -> String {
    format!(
        r#"{{"taskId":"{task}","model":"m","status":"{status}","created":1777282033,"completed":1777282061,"output":[{{"url":"https://files.example/0.png","type":"image","expireAt":1777886861}}]}}"#
    )
}

fn unix_now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()).expect("fits")
}

fn sign(secret: &str, at: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("{at}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The two headers, as the service sends them.
fn signed(secret: &str, at: i64, body: &str) -> Vec<(String, String)> {
    let at = at.to_string();
    let tag = sign(secret, &at, body);
    vec![("X-HiAPI-Timestamp".into(), at), ("X-HiAPI-Signature".into(), tag)]
}

/// Sends a request and reads the status of its answer; 0 for none. The bytes are ours, so that any mistake can be sent.
fn call(address: SocketAddr, method: &str, path: &str, headers: &[(String, String)], body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str("\r\n");
    // It may answer, and close, before it has read everything.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A fleet with one task that runs, behind a receiver.
struct Desk {
    receiver: Receiver,
    path: HookPath,
    world: Arc<Mutex<World>>,
    _home: tempfile::TempDir,
}

struct World {
    fleet: Fleet,
    id: LocalId,
    saves: usize,
    looks: Vec<TaskId>,
    heard: usize,
    disk_full: bool,
}

impl World {
    fn new() -> Self {
        let request =
            Request::new("m", None, serde_json::Map::new(), "t".into(), "p".into(), Some("https://h.example/x"));
        let id = LocalId::from_random(7 << 64);
        let mut task = Task::new(id, Arc::new(request), Wall(0));
        task.task_id = Some(TASK.parse().expect("an id"));
        task.set(Status::Queued, Wall(1));
        let mut fleet = Fleet::new(Allowance::default(), 1);
        fleet.set_callbacks(true, Now::default());
        let mut world = Self { fleet, id, saves: 0, looks: Vec::new(), heard: 0, disk_full: false };
        world.restore(task, Now::default());
        world
    }

    /// Brings a running task in from the store. After a restart it is looked at once; it still waits.
    fn restore(&mut self, task: Task, at: Now) {
        let waits = plantain::domain::Report {
            status: Status::Queued,
            source: plantain::domain::Source::Task,
            ..report_of(&task)
        };
        for order in self.fleet.handle(FleetMsg::Restored(vec![task]), at) {
            let Order::Ask(question) = order else { continue };
            let answer = Answer::bare(Ok(News::Task(waits.clone())));
            self.fleet.handle(FleetMsg::Answered { question, answer }, at);
        }
    }

    fn take(&mut self, delivery: Delivery) {
        self.heard += 1;
        let msg = match delivery.heard {
            Heard::Report(report) => FleetMsg::Report(report),
            Heard::Hint(task_id) => match self.fleet.local_id(&task_id) {
                Some(id) => FleetMsg::Look(id),
                None => FleetMsg::Woke,
            },
        };
        for order in self.fleet.handle(msg, Now { wall: Wall(2), mono: Mono(2) }) {
            match order {
                Order::Save(_) => self.saves += 1,
                Order::Ask(Question::Task(_, task_id)) => self.looks.push(task_id),
                _ => {}
            }
        }
        if !self.disk_full {
            delivery.receipt.stored();
        }
    }

    fn stage(&self) -> Stage {
        self.fleet.task(self.id).expect("it is there").status.stage()
    }
}

impl Desk {
    fn open(secrets: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let path = HookPath::open(home.path(), 0x5eed).expect("a path");
        let (sender, mut inbox) = mpsc::channel(64);
        let config = WebhookConfig {
            listen: "127.0.0.1:0".parse().expect("an address"),
            path: path.clone(),
            secrets: WebhookSecrets::parse(secrets).expect("secrets"),
        };
        let receiver = Receiver::start(config, move |delivery| sender.try_send(delivery).is_ok()).expect("listens");
        let world = Arc::new(Mutex::new(World::new()));
        let theirs = Arc::clone(&world);
        tokio::spawn(async move {
            while let Some(delivery) = inbox.recv().await {
                theirs.lock().expect("no panic").take(delivery);
            }
        });
        Self { receiver, path, world, _home: home }
    }

    async fn send(&self, method: &'static str, path: String, headers: Vec<(String, String)>, body: String) -> u16 {
        let address = self.receiver.address();
        tokio::task::spawn_blocking(move || call(address, method, &path, &headers, &body)).await.expect("no panic")
    }

    async fn post(&self, headers: Vec<(String, String)>, body: String) -> u16 {
        self.send("POST", self.path.as_str().to_owned(), headers, body).await
    }

    /// Stage, saves, looks.
    fn seen(&self) -> (Stage, usize, usize) {
        let world = self.world.lock().expect("no panic");
        (world.stage(), world.saves, world.looks.len())
    }
}

const UNTOUCHED: (Stage, usize, usize) = (Stage::Queued, 0, 0);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_proven_gets_its_answer_and_changes_nothing() {
    let desk = Desk::open(SECRET);
    let (good, now) = (body(TASK, "success"), unix_now());
    let right = signed(SECRET, now, &good);
    let (at, tag) = (right[0].clone(), right[1].clone());
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let table = [
        ("forged", vec![at.clone(), header("X-HiAPI-Signature", &"0".repeat(64))], good.clone(), 401),
        ("another secret", signed(OLD_SECRET, now, &good), good.clone(), 401),
        ("another body under the signature", right.clone(), body(TASK, "fail"), 401),
        ("the same JSON, other bytes", right.clone(), good.replace(",", ", "), 401),
        ("stale", signed(SECRET, now - 400, &good), good.clone(), 401),
        ("from the future", signed(SECRET, now + 400, &good), good.clone(), 401),
        ("unsigned", Vec::new(), good.clone(), 401),
        ("no signature", vec![at.clone()], good.clone(), 401),
        ("no time", vec![tag.clone()], good.clone(), 401),
        ("two signatures", vec![at.clone(), tag.clone(), tag.clone()], good.clone(), 401),
        ("signatures in a list", vec![at.clone(), header(&tag.0, &format!("{0}, {0}", tag.1))], good.clone(), 401),
        ("two times", vec![at.clone(), at.clone(), tag.clone()], good.clone(), 401),
        ("a prefix", vec![at.clone(), header(&tag.0, &format!("sha256={}", tag.1))], good.clone(), 401),
        ("upper case", vec![at.clone(), header(&tag.0, &tag.1.to_uppercase())], good.clone(), 401),
    ];
    let unproven = table.len() as u64;
    for (what, headers, body, expected) in table {
        assert_eq!(desk.post(headers, body).await, expected, "{what}");
    }
    let mut refused = 0;
    for bad in ["", "{", "[]", "null", r#"{"status":"success"}"#, r#"{"taskId":"../x","status":"success"}"#] {
        assert_eq!(desk.post(signed(SECRET, now, bad), bad.to_owned()).await, 400, "{bad}");
        refused += 1;
    }
    for running in ["queued", "handling", "archiving", "paused", ""] {
        let running = body(TASK, running);
        assert_eq!(desk.post(signed(SECRET, now, &running), running).await, 400);
        refused += 1;
    }
    let huge = body(TASK, &"x".repeat(LARGEST_BODY));
    assert_eq!(desk.post(signed(SECRET, now, &huge), huge).await, 413);
    let own = desk.path.as_str().to_owned();
    for path in ["/".to_owned(), "/hooks/".to_owned(), format!("/hooks/{}", "0".repeat(32)), format!("{own}/")] {
        assert_eq!(desk.send("POST", path, right.clone(), good.clone()).await, 404);
    }
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(desk.send(method, own.clone(), right.clone(), good.clone()).await, 404, "{method}");
    }
    refused += 1 + 4 + 3;
    assert_eq!(desk.seen(), UNTOUCHED);
    assert_eq!(desk.world.lock().expect("no panic").heard, 0, "nobody was even asked");
    assert_eq!(desk.receiver.tally(), Tally { taken: 0, unproven, refused });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proven_end_is_an_end_and_repetitions_change_nothing() {
    let desk = Desk::open(&format!("{OLD_SECRET},{SECRET}"));
    let good = body(TASK, "success");
    let ended = (Stage::Success, 1, 0);
    assert_eq!(desk.post(signed(SECRET, unix_now(), &good), good.clone()).await, 204);
    assert_eq!(desk.seen(), ended);
    // The same bytes, signed afresh with the older secret, and another end altogether.
    assert_eq!(desk.post(signed(SECRET, unix_now(), &good), good.clone()).await, 204);
    assert_eq!(desk.post(signed(OLD_SECRET, unix_now(), &good), good.clone()).await, 204);
    let other = body(TASK, "fail");
    assert_eq!(desk.post(signed(SECRET, unix_now(), &other), other).await, 204);
    assert_eq!(desk.seen(), ended);
    assert_eq!(desk.world.lock().expect("no panic").heard, 1);
    // A proxy may leave its own beginning of the path.
    let path = format!("/behind{}", desk.path.as_str());
    assert_eq!(desk.send("POST", path, signed(SECRET, unix_now(), &good), good).await, 204);
    assert_eq!(desk.receiver.tally().taken, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_one() {
    let desk = Desk::open(SECRET);
    let good = body(TASK, "success");
    let headers = signed(SECRET, unix_now(), &good);
    let calls = (0..40).map(|_| desk.post(headers.clone(), good.clone()));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers, [204; 40]);
    assert_eq!(desk.seen(), (Stage::Success, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_stored_is_not_taken() {
    let desk = Desk::open(SECRET);
    let good = body(TASK, "success");
    desk.world.lock().expect("no panic").disk_full = true;
    assert_eq!(desk.post(signed(SECRET, unix_now(), &good), good.clone()).await, 500);
    desk.world.lock().expect("no panic").disk_full = false;
    assert_eq!(desk.post(signed(SECRET, unix_now(), &good), good).await, 204, "and the next attempt is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_secret_a_callback_is_a_hint_and_a_signature_a_mistake() {
    let desk = Desk::open("");
    let good = body(TASK, "success");
    assert_eq!(desk.post(signed(SECRET, unix_now(), &good), good.clone()).await, 401);
    assert_eq!(desk.seen(), UNTOUCHED);
    assert_eq!(desk.post(Vec::new(), good.clone()).await, 204);
    assert_eq!(desk.seen(), (Stage::Queued, 0, 1), "it is looked at, and nothing is believed");
    for number in 0..50 {
        let stranger = body(&format!("tk-stranger-{number}"), "success");
        assert_eq!(desk.post(Vec::new(), stranger).await, 204);
        assert_eq!(desk.post(Vec::new(), good.clone()).await, 204);
    }
    let world = desk.world.lock().expect("no panic");
    assert_eq!(world.looks.len(), 1, "our allowance is not theirs");
    assert!(world.heard <= 6, "{}", world.heard);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_http_and_idle_callers_do_not_keep_others_out() {
    let desk = Desk::open(SECRET);
    let address = desk.receiver.address();
    let idle: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    for text in ["\r\n\r\n\r\n", "\0\0\0\0", "POST / SPDY/9\r\n\r\n", "POST /\u{fffd} HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let _ = stream.write_all(text.as_bytes());
    }
    let good = body(TASK, "success");
    let mut fat = signed(SECRET, unix_now(), &good);
    fat.push(("X-Fat".into(), "x".repeat(20_000)));
    assert_eq!(desk.post(fat, good.clone()).await, 431);
    let mut many = signed(SECRET, unix_now(), &good);
    many.extend((0..100).map(|number| (format!("X-{number}"), "x".to_owned())));
    assert_eq!(desk.post(many, good.clone()).await, 431);
    assert_eq!(desk.seen(), UNTOUCHED);
    assert_eq!(desk.post(signed(SECRET, unix_now(), &good), good).await, 204);
    drop(idle);
}

/// A callback may overtake the answer to the creation, and tell of tasks that are not ours.
#[test]
fn a_report_about_an_unknown_task_waits_for_it() {
    let mut world = World::new();
    let task = Task::clone(world.fleet.task(world.id).expect("it is there"));
    let mut report = report_of(&task);
    let now = Now { wall: Wall(5), mono: Mono(5) };
    report.task_id = "tk-hiapi-02".parse().expect("an id");
    assert_eq!(world.fleet.handle(FleetMsg::Report(Box::new(report.clone())), now), []);
    let mut other = Task::new(LocalId::from_random(9 << 64), Arc::clone(&task.request), Wall(3));
    other.task_id = Some(report.task_id.clone());
    other.set(Status::Queued, Wall(4));
    let orders = world.fleet.handle(FleetMsg::Restored(vec![other.clone()]), now);
    assert!(orders.iter().all(|order| !matches!(order, Order::Ask(_))), "no look: {orders:?}");
    assert_eq!(world.fleet.task(other.id).map(|task| task.status.stage()), Some(Stage::Success));
}

/// While callbacks arrive a look comes within a minute; when they stop arriving it is as soon as ever.
#[test]
fn looking_becomes_slow_and_never_stops() {
    let secs = |s: u64| Now { wall: Wall(0), mono: Mono(s * 1000) };
    let mut world = World::new();
    let task = Task::clone(world.fleet.task(world.id).expect("it is there"));
    let running = |number: u64| {
        let mut task =
            Task::new(LocalId::from_random(u128::from(number + 20) << 64), Arc::clone(&task.request), Wall(3));
        task.task_id = Some(format!("tk-running-{number}").parse().expect("an id"));
        task.set(Status::Queued, Wall(4));
        task
    };
    world.fleet.handle(FleetMsg::Report(Box::new(report_of(&task))), secs(100));
    world.restore(running(1), secs(2));
    let mut now = secs(2);
    let looks = |order: &Order| matches!(order, Order::Ask(_));
    while !world.fleet.handle(FleetMsg::Woke, now).iter().any(looks) {
        let due = world.fleet.next_due(now).expect("it is watched");
        assert!(due > now.mono && due <= Mono(62_000), "{due:?}");
        now = Now { mono: due, ..now };
    }
    assert!(now.mono >= Mono(42_000), "{now:?}");
    assert!(!world.fleet.callbacks_seem_dead(secs(100_000)), "nothing has ended since");

    // Three ends that only looks found: callbacks are no longer relied on, and soon that is said.
    for number in 1..=3 {
        world.fleet.handle(FleetMsg::Restored(vec![running(number)]), secs(100));
        let mut report = report_of(&running(number));
        report.source = plantain::domain::Source::Task;
        let question = Question::Task(running(number).id, report.task_id.clone());
        let answer = Answer::bare(Ok(News::Task(report)));
        world.fleet.handle(FleetMsg::Answered { question, answer }, secs(101));
    }
    let orders = world.fleet.handle(FleetMsg::Restored(vec![running(4)]), secs(200));
    let asked = |order: &Order| matches!(order, Order::Ask(Question::Task(id, _)) if *id == running(4).id);
    assert!(orders.iter().any(asked), "at once, not in a minute: {orders:?}");
    assert!(!world.fleet.callbacks_seem_dead(secs(399)));
    assert!(world.fleet.callbacks_seem_dead(secs(400)));
    world.fleet.handle(FleetMsg::Report(Box::new(report_of(&running(4)))), secs(400));
    assert!(!world.fleet.callbacks_seem_dead(secs(400)));
}

fn report_of(task: &Task) -> plantain::domain::Report {
    plantain::domain::Report {
        task_id: task.task_id.clone().expect("an id"),
        model: "m".into(),
        status: Status::Success,
        outputs: Vec::new(),
        created: None,
        completed: None,
        source: plantain::domain::Source::Callback,
    }
}

#[test]
fn the_service_calls_and_the_task_ends() {
    let service =
        Service::within(&["--speed", "20", "--longest-side", "64"], &[("PLANTAIN_SIM_WEBHOOK_SECRET", SECRET)]);
    let plantain = |args: &[&str]| {
        let mut command = service.command(args);
        command.args(["--log-level", "debug"]).env("HIAPI_WEBHOOK_SECRET", SECRET);
        command
    };
    let mut listener = Running::start(&mut plantain(&["listen", "--json", "--webhook-listen", "127.0.0.1:0"]));
    let ready = listener.json();
    assert_eq!(ready["signed"], true);
    let address: SocketAddr = ready["address"].as_str().expect("an address").parse().expect("an address");
    let path = ready["path"].as_str().expect("a path").to_owned();

    let callback = format!("http://{address}");
    let submitted =
        plantain(&["submit", "a fox in snow", "--json", "--callback-url", &callback]).output().expect("runs");
    assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stderr));
    let home_at = |line: &serde_json::Value| line["outputs"][0]["file"].as_str().is_some();
    let ended = std::iter::from_fn(|| Some(listener.json())).find(home_at).expect("it comes home");
    assert_eq!((ended["event"].as_str(), ended["status"].as_str()), (Some("task"), Some("success")));

    let book = service.ledger();
    let count = |kind: &str| book.iter().filter(|line| line["event"] == "request" && line["kind"] == kind).count();
    assert_eq!(count("create"), 1);
    assert!(count("get") + count("list") <= 1, "the callback told: {book:?}");
    let delivery = book.iter().find(|line| line["event"] == "callback").expect("it called");
    assert_eq!((delivery["status"].as_u64(), delivery["attempt"].as_u64()), (Some(204), Some(1)));

    // The same listener, and what nobody signed.
    let task_id = ended["task_id"].as_str().expect("an id");
    let list = || plantain(&["list", "--json"]).output().expect("runs").stdout;
    let before = list();
    let (good, lie) = (body(task_id, "success"), body(task_id, "fail"));
    let now = unix_now();
    assert_eq!(call(address, "POST", &path, &signed(OLD_SECRET, now, &lie), &lie), 401);
    assert_eq!(call(address, "POST", &path, &signed(SECRET, now - 400, &lie), &lie), 401);
    assert_eq!(call(address, "POST", &path, &[], &lie), 401);
    assert_eq!(call(address, "POST", "/hooks/x", &signed(SECRET, now, &lie), &lie), 404);
    assert_eq!(call(address, "POST", &path, &signed(SECRET, now, "{}"), "{}"), 400);
    let huge = "x".repeat(LARGEST_BODY + 1);
    assert_eq!(call(address, "POST", &path, &signed(SECRET, now, &huge), &huge), 413);
    assert_eq!(call(address, "POST", &path, &signed(SECRET, now, &good), &good), 204);
    assert_eq!(call(address, "POST", &path, &signed(SECRET, now, &lie), &lie), 204, "an end does not change");
    let stranger = body("tk-somebody-else", "success");
    assert_eq!(call(address, "POST", &path, &signed(SECRET, now, &stranger), &stranger), 204);
    assert_eq!(String::from_utf8_lossy(&list()), String::from_utf8_lossy(&before));
    drop(listener);

    let log = std::fs::read_to_string(service.data().join("plantain.log")).expect("a log");
    assert!(log.contains("callback"), "refusals are in the log: {log}");
    for secret in [SECRET, OLD_SECRET, path.trim_start_matches("/hooks/"), KEY] {
        assert!(!log.contains(secret), "{log}");
    }
}
