use callboard_model::record::Record;
use tokio::net::TcpListener;

use super::*;
use crate::doors::testing::MemoryIntake;
use crate::live::testing::{block, given, shift, until};

const SECRET: &str = "Tr0ub4dor";

/// A manager interface of a test's own.
struct Manager(TcpListener);

/// One who has come to it.
struct Guest {
    stream: TcpStream,
    held: Vec<u8>,
}

impl Manager {
    async fn new() -> (Self, AmiOptions) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = AmiOptions {
            instance: "pbx1".into(),
            address: listener.local_addr().unwrap().to_string(),
            user: "callboard".into(),
            secret: Hidden(SECRET.into()),
            events: EVENTS.into(),
            snapshot: true,
            ping: Duration::from_secs(20),
        };
        (Manager(listener), options)
    }

    async fn guest(&self, greeting: &str) -> Guest {
        let (stream, _) = self.0.accept().await.unwrap();
        let mut guest = Guest {
            stream,
            held: Vec::new(),
        };
        guest.say(greeting).await;
        guest
    }

    /// A guest that is let in if its key is right.
    async fn let_in(&self) -> Guest {
        let mut guest = self.guest("Asterisk Call Manager/11.0.0\r\n").await;
        let asked = guest.action("Challenge").await;
        let id = header(&asked, "ActionID");
        guest
            .say(&format!(
                "Response: Success\r\nActionID: {id}\r\nChallenge: 840415273\r\n\r\n"
            ))
            .await;
        let asked = guest.action("Login").await;
        let key = hex(&Md5::digest(format!("840415273{SECRET}").as_bytes()));
        assert_eq!(header(&asked, "Key"), key);
        assert_eq!(header(&asked, "Username"), "callboard");
        assert!(!asked.contains(SECRET));
        let id = header(&asked, "ActionID");
        guest
            .say(&format!(
                "Response: Success\r\nActionID: {id}\r\nMessage: Authentication accepted\r\n\r\n"
            ))
            .await;
        guest
    }
}

fn header(block: &str, name: &str) -> String {
    let line = block
        .lines()
        .find_map(|l| l.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_default().to_owned()
}

impl Guest {
    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next action of that name; pings are answered meanwhile.
    async fn action(&mut self, name: &str) -> String {
        loop {
            if let Some(end) = self.held.windows(4).position(|w| w == b"\r\n\r\n") {
                let block: Vec<u8> = self.held.drain(..end + 4).collect();
                let block = String::from_utf8(block).unwrap();
                if header(&block, "Action") == name {
                    return block;
                }
                let id = header(&block, "ActionID");
                self.say(&format!("Response: Success\r\nActionID: {id}\r\n\r\n"))
                    .await;
                continue;
            }
            let mut some = [0; 1024];
            let n = self.stream.read(&mut some).await.unwrap();
            assert_ne!(n, 0, "it left before {name}");
            self.held.extend_from_slice(&some[..n]);
        }
    }
}

/// Records of the manager's own, by identity and bytes.
fn heard(memory: &MemoryIntake) -> Vec<Record> {
    let all = memory.records.lock();
    let own = all.iter().filter(|r| &*r.format == "asterisk/ami");
    own.cloned().collect()
}

fn gaps(memory: &MemoryIntake) -> Vec<String> {
    let all = memory.records.lock();
    let own = all
        .iter()
        .filter(|r| &*r.source == super::super::link::SOURCE);
    own.map(|r| String::from_utf8(r.bytes.to_vec()).unwrap())
        .collect()
}

#[tokio::test]
async fn what_is_heard_is_the_same_as_its_capture() {
    let dir = tempfile::tempdir().unwrap();
    let (given, memory) = given(dir.path());
    let (manager, options) = Manager::new().await;
    let task = tokio::spawn(run(options, given.clone()));
    let mut guest = manager.let_in().await;
    guest.action("QueueStatus").await;
    let lines = shift();
    let timed: Vec<&String> = lines
        .iter()
        .filter(|l| l.contains("\"Timestamp\""))
        .collect();
    assert!(timed.len() > 6000);
    let (first, second) = timed.split_at(timed.len() / 2);
    let blocks: String = first.iter().map(|l| block(l)).collect();
    guest.say(&blocks).await;
    until("the first half", || heard(&memory).len() == first.len()).await;
    // Cut off in the middle of an event; what comes then comes to the next connection.
    let cut = block(second[0]);
    guest.say(&cut[..cut.len() / 2]).await;
    drop(guest);
    let mut guest = manager.let_in().await;
    guest.action("QueueStatus").await;
    let blocks: String = second.iter().map(|l| block(l)).collect();
    guest.say(&blocks).await;
    until("the second half", || heard(&memory).len() == timed.len()).await;
    let mut reader = LineReader::new(Kind::Asterisk(Feed::Ami), "pbx1", "", &[]);
    let text: String = timed.iter().map(|l| format!("{l}\n")).collect();
    let captured = candidates(reader.push(text.as_bytes()), 0, &given.limits);
    let captured: Vec<_> = captured
        .iter()
        .map(|c| match c {
            Candidate::Record(r) => (r.source.clone(), r.id.clone(), r.content_hash()),
            other => panic!("{other:?}"),
        })
        .collect();
    let live: Vec<_> = heard(&memory)
        .iter()
        .map(|r| (r.source.clone(), r.id.clone(), r.content_hash()))
        .collect();
    assert_eq!(live, captured);
    let gaps = gaps(&memory);
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].contains("\"state\":\"gap\"") && gaps[0].contains("connection"));
    let link = &given.links.all()["ami pbx1"];
    assert!(link.up && link.gaps.len() == 1 && link.trouble.is_none());
    assert_eq!(link.taken, timed.len() as u64);
    given.stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_gap_goes_over_processes() {
    let dir = tempfile::tempdir().unwrap();
    let (manager, options) = Manager::new().await;
    for process in 0..2 {
        let (given, memory) = given(dir.path());
        let task = tokio::spawn(run(options.clone(), given.clone()));
        let _guest = manager.let_in().await;
        until("a connection", || given.links.all()["ami pbx1"].up).await;
        until("its gaps", || gaps(&memory).len() == process).await;
        given.stop.cancel();
        task.await.unwrap();
        if process == 1 {
            assert!(gaps(&memory)[0].contains("the server did not run"));
        }
    }
}

#[tokio::test]
async fn an_event_without_time_carries_when_it_was_heard() {
    let dir = tempfile::tempdir().unwrap();
    let (given, memory) = given(dir.path());
    let (manager, options) = Manager::new().await;
    tokio::spawn(run(options, given.clone()));
    let mut guest = manager.let_in().await;
    guest
        .say("Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 4\r\n\r\n")
        .await;
    until("the event", || heard(&memory).len() == 1).await;
    let text = String::from_utf8(heard(&memory)[0].bytes.to_vec()).unwrap();
    assert!(
        text.starts_with("{\"recv\":\"20") && text.contains("\"Uptime\":\"4\""),
        "{text}"
    );
    given.stop.cancel();
}

#[tokio::test]
async fn a_refusal_is_said_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let (given, _) = given(dir.path());
    let (manager, options) = Manager::new().await;
    tokio::spawn(run(options, given.clone()));
    let trouble = || {
        given
            .links
            .all()
            .get("ami pbx1")
            .and_then(|l| l.trouble.clone())
    };
    drop(manager.guest("SSH-2.0-OpenSSH_9.2\r\n").await);
    until("the first trouble", || {
        trouble().is_some_and(|t| t.contains("is no manager interface"))
    })
    .await;
    let mut guest = manager.guest("Asterisk Call Manager/11.0.0\r\n").await;
    let id = header(&guest.action("Challenge").await, "ActionID");
    let challenge = format!("Response: Success\r\nActionID: {id}\r\nChallenge: 1\r\n\r\n");
    guest.say(&challenge).await;
    guest.action("Login").await;
    guest
        .say("Response: Error\r\nMessage: Authentication failed\r\n\r\n")
        .await;
    until("the refusal", || {
        trouble().is_some_and(|t| t.contains("the log-in was refused: Authentication failed"))
    })
    .await;
    assert!(!format!("{:?}", given.links.problems()).contains(SECRET));
    let _guest = manager.let_in().await;
    until("the connection", || trouble().is_none()).await;
    given.stop.cancel();
}

#[tokio::test]
async fn garbage_is_kept_and_what_never_ends_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (given, memory) = given(dir.path());
    let (manager, options) = Manager::new().await;
    tokio::spawn(run(options, given.clone()));
    let mut guest = manager.let_in().await;
    guest.say("what is this\r\n\r\n").await;
    until("the dead letter", || memory.dead.lock().len() == 1).await;
    assert_eq!(memory.dead.lock()[0].refusal.class, "not_ami");
    let endless = "x".repeat(64 * 1024);
    guest.say("Event: ").await;
    for _ in 0..8 {
        // It hangs up as soon as it has had enough.
        let _ = guest.stream.write_all(endless.as_bytes()).await;
    }
    until("the other one", || memory.dead.lock().len() == 2).await;
    assert_eq!(memory.dead.lock()[1].refusal.class, "too_long");
    assert_eq!(memory.dead.lock()[1].source, "/asterisk/pbx1/ami");
    let _guest = manager.let_in().await;
    until("another connection", || given.links.all()["ami pbx1"].up).await;
    given.stop.cancel();
}

#[tokio::test]
async fn silence_ends_a_connection_and_answers_to_pings_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let (given, _) = given(dir.path());
    let (manager, mut options) = Manager::new().await;
    options.ping = Duration::from_secs(1);
    tokio::spawn(run(options, given.clone()));
    let mut guest = manager.let_in().await;
    // Four pings are answered: longer than its patience.
    for _ in 0..4 {
        let id = header(&guest.action("Ping").await, "ActionID");
        guest
            .say(&format!(
                "Response: Success\r\nActionID: {id}\r\nPing: Pong\r\n\r\n"
            ))
            .await;
    }
    assert!(given.links.all()["ami pbx1"].up);
    // Then it stalls, and the connection stays open.
    until("the end of patience", || {
        given.links.problems().iter().any(|p| p.contains("silent"))
    })
    .await;
    let again = manager.let_in().await;
    until("another connection", || given.links.all()["ami pbx1"].up).await;
    drop((guest, again));
    given.stop.cancel();
}

/// The answer of a real manager to QueueStatus: its events are heard with all their headers, the
/// answer itself is not.
#[tokio::test]
async fn a_real_queues_state_is_heard_event_by_event() {
    let dir = tempfile::tempdir().unwrap();
    let (given, memory) = given(dir.path());
    let (manager, options) = Manager::new().await;
    let task = tokio::spawn(run(options, given.clone()));
    let mut guest = manager.let_in().await;
    guest.action("QueueStatus").await;
    let name = "sources/tests/captures/ami/ami-queue-status--panoramisk.txt";
    let text = std::fs::read_to_string(name).unwrap();
    guest.say(&text.replace('\n', "\r\n")).await;
    until("its events", || heard(&memory).len() == 8).await;
    let all: Vec<serde_json::Value> = heard(&memory)
        .iter()
        .map(|r| serde_json::from_slice(&r.bytes).unwrap())
        .collect();
    let named = |name: &str| all.iter().filter(|e| e["Event"] == name).count();
    assert_eq!((named("QueueParams"), named("QueueMember")), (1, 6));
    assert_eq!(
        (&all[0]["Completed"], &all[0]["Holdtime"]),
        (&"60".into(), &"3".into())
    );
    assert_eq!(
        (&all[6]["Name"], &all[6]["Location"], &all[6]["Paused"]),
        (
            &"Agent/999".into(),
            &"Local/id-12@agentcallback".into(),
            &"1".into()
        )
    );
    assert!(all.iter().all(|e| e["recv"].is_string()));
    given.stop.cancel();
    task.await.unwrap();
}
