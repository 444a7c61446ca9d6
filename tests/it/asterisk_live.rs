//! A server that listens to Asterisk's manager interface itself. The other end is this test, which
//! sends what a real Asterisk sent during the recorded shift, and behaves badly: it drops the
//! connection, refuses the log-in, talks nonsense, and falls silent.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Deserializer, Value};

use crate::support::{Server, shift, until};

/// Manager events of the shift that have a time of their own, so that whoever hears them has the
/// same: the lines of the capture.
fn capture() -> Vec<String> {
    let packed = std::fs::File::open(shift().join("ami.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed)
        .read_to_string(&mut text)
        .unwrap();
    let timed = text.lines().filter(|l| l.contains("\"Timestamp\""));
    timed.map(|l| format!("{l}\n")).collect()
}

/// The block that a recorded line was on the wire.
fn block(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line.trim().strip_prefix('{').unwrap();
    while rest != "}" {
        let mut names = Deserializer::from_str(rest).into_iter::<String>();
        let name = names.next().unwrap().unwrap();
        rest = rest[names.byte_offset()..].trim_start_matches([':', ' ']);
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next().unwrap().unwrap();
        rest = rest[values.byte_offset()..].trim_start_matches([',', ' ']);
        if name != "recv" {
            out += &format!("{name}: {}\r\n", value.as_str().unwrap());
        }
    }
    out + "\r\n"
}

/// The manager interface, as far as a listener sees it.
struct Manager(TcpListener);

struct Guest(TcpStream);

impl Manager {
    fn new() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (Manager(listener), address)
    }

    fn guest(&self, greeting: &str) -> Guest {
        let (stream, _) = self.0.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let mut guest = Guest(stream);
        guest.say(greeting);
        guest
    }

    fn let_in(&self) -> Guest {
        let mut guest = self.guest("Asterisk Call Manager/11.0.0\r\n");
        let challenge = guest.asked("Challenge");
        guest.say(&format!(
            "Response: Success\r\nActionID: {challenge}\r\nChallenge: 1\r\n\r\n"
        ));
        let login = guest.asked("Login");
        guest.say(&format!("Response: Success\r\nActionID: {login}\r\n\r\n"));
        guest.asked("QueueStatus");
        guest
    }
}

impl Guest {
    fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// Reads actions up to one of that name; gives its id.
    fn asked(&mut self, name: &str) -> String {
        let mut block = Vec::new();
        loop {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            block.push(byte[0]);
            if block.ends_with(b"\r\n\r\n") {
                let text = String::from_utf8(std::mem::take(&mut block)).unwrap();
                let mut lines = text.lines();
                if lines.next() == Some(&*format!("Action: {name}")) {
                    let id = lines.find_map(|l| l.strip_prefix("ActionID: "));
                    return id.unwrap().to_owned();
                }
            }
        }
    }

    fn events(&mut self, lines: &[String]) {
        let all: String = lines.iter().map(|l| block(l)).collect();
        self.say(&all);
    }
}

fn serve(dir: &Path, address: &str, more: &str) -> Server {
    let config = dir.join("callboard.toml");
    let secret = dir.join("secret");
    std::fs::write(&secret, "s3cret\n").unwrap();
    let text = format!(
        "[transcribe]\nenabled = false\n\n[[source]]\nplatform = \"asterisk\"\ninstance = \"pbx1\"\n\
         ami = {{ address = \"{address}\", user = \"callboard\", secret_file = {secret:?}{more} }}\n\
         files = [{:?}]\n",
        dir.join("capture.jsonl")
    );
    std::fs::write(&config, text).unwrap();
    Server::serve(&dir.join("data"), &["--config", config.to_str().unwrap()])
}

const HEARD: &str = "select count(*) from records where source = '/asterisk/pbx1/ami'";

fn heard(server: &Server, count: usize) {
    until("what was said", || {
        (server.number(HEARD) >= i64::try_from(count).unwrap()).then_some(())
    });
}

/// Everything that rows say of the calls.
fn rows(server: &Server) -> Vec<(String, Vec<Value>)> {
    let tables = [
        "select * from contacts order by contact_id",
        "select * from segments order by contact_id, seq",
        "select * from offers order by contact_id, seq",
        "select queue, sum(offered) o, sum(answered) a, sum(abandoned) b, sum(talk_ms_sum) t
         from queue_intervals group by queue order by queue",
    ];
    let all = tables.map(|sql| {
        let mut rows = server.sql(sql);
        for row in &mut rows {
            // When a late record came is the server's own history.
            row.as_object_mut().unwrap().remove("corrected_at");
        }
        (sql.to_owned(), rows)
    });
    all.to_vec()
}

#[test]
fn what_is_heard_live_with_its_gap_filled_is_what_the_whole_capture_says() {
    let capture = capture();
    let dir = tempfile::tempdir().unwrap();
    let whole = Server::serve(&dir.path().join("whole"), &[]);
    let path = "/v1/sources/asterisk?instance=pbx1&feed=ami";
    let body = capture.concat().into_bytes();
    let (status, answer) = whole.post(path, "text/plain", body).unwrap();
    assert_eq!(
        (status, answer["taken"].as_u64()),
        (200, Some(capture.len() as u64))
    );

    let (manager, address) = Manager::new();
    // Longer than this test may take: here nobody answers a ping.
    let slow = ", ping = \"120s\"";
    let server = serve(dir.path(), &address, slow);
    let (first, rest) = capture.split_at(capture.len() / 3);
    let (missed, last) = rest.split_at(rest.len() / 2);
    let mut guest = manager.let_in();
    guest.events(first);
    heard(&server, first.len());
    // Half an event, and the line is dead; what comes until it is back nobody hears.
    guest.say("Event: Hangup\r\nUniq");
    drop(guest);
    let mut guest = manager.let_in();
    guest.events(last);
    heard(&server, first.len() + last.len());
    let gaps = "select count(*) from records where source = '/callboard/live'";
    assert_eq!(server.number(gaps), 1);
    let said =
        "select cast(bytes as varchar) as said from records where source = '/callboard/live'";
    let said = server.sql(said)[0]["said"].to_string();
    assert!(
        said.contains("gap") && said.contains("/asterisk/pbx1"),
        "{said}"
    );
    assert_ne!(
        rows(&server)[0],
        rows(&whole)[0],
        "a third of the shift is missing"
    );

    // Killed, and started again: another gap, and nothing that was acknowledged is lost.
    server.kill();
    drop(guest);
    let server = serve(dir.path(), &address, slow);
    let _guest = manager.let_in();
    until("the second gap", || {
        (server.number(gaps) == 2).then_some(())
    });
    let (_, page) = server.get("/status");
    assert!(page.contains("ami pbx1") && page.contains("Nobody listened"));

    // Somebody else was listening all the time: his capture, whole, fills it.
    std::fs::write(dir.path().join("capture.jsonl"), capture.concat()).unwrap();
    heard(&server, capture.len());
    assert_eq!(
        server.number(HEARD),
        capture.len() as i64,
        "repeats are known"
    );
    assert!(!missed.is_empty());
    for (ours, theirs) in rows(&server).iter().zip(rows(&whole)) {
        assert_eq!(*ours, theirs);
    }
    server.stop();
}

#[test]
fn a_bad_other_end_is_named_and_never_stops_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let (manager, address) = Manager::new();
    let server = serve(dir.path(), &address, ", ping = \"1s\"");
    let status = |words: &str| {
        until(words, || {
            server.get("/status").1.contains(words).then_some(())
        });
    };
    drop(manager.guest("220 mail.example ESMTP\r\n"));
    status("is no manager interface");
    let mut guest = manager.guest("Asterisk Call Manager/11.0.0\r\n");
    let id = guest.asked("Challenge");
    guest.say(&format!(
        "Response: Error\r\nActionID: {id}\r\nMessage: Authentication failed\r\n\r\n"
    ));
    status("was refused: Authentication failed");
    assert!(!server.get("/status").1.contains("s3cret"));
    let mut guest = manager.let_in();
    guest.say("Event: ");
    let endless = vec![b'x'; 1 << 20];
    let _ = guest.0.write_all(&endless);
    let dead = "select count(*) from dead_letters where class = 'too_long'";
    until("the dead letter", || {
        (server.number(dead) == 1).then_some(())
    });
    // The next one falls silent, with its connection open.
    let silent = manager.let_in();
    status("it was silent for");
    let mut guest = manager.let_in();
    guest.events(&capture()[..50]);
    heard(&server, 50);
    drop((silent, guest));
    server.stop();
}

/// Copies a capture of Amazon Connect into a folder, as its export does, under names in order.
fn exported(folder: &Path, from: usize, to: usize) -> usize {
    let captures = crate::support::project().join("ingest/sources/tests/captures/amazon-connect");
    let mut files: Vec<PathBuf> = std::fs::read_dir(captures)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let some = files.get(from..to.min(files.len())).unwrap();
    for file in some {
        let name = file.file_name().unwrap().to_string_lossy();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&std::fs::read(file).unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.gz")), gzip.finish().unwrap()).unwrap();
    }
    some.len()
}

#[test]
fn a_followed_prefix_is_read_whole_through_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("exports");
    std::fs::create_dir(&folder).unwrap();
    let config = dir.path().join("callboard.toml");
    let text = format!(
        "[transcribe]\nenabled = false\n\n[[source]]\nadapter = \"amazon-connect\"\ninstance = \"acme\"\n\
         prefix = {{ url = \"file://{}/\", every = \"100ms\" }}\n",
        folder.display()
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let ids = "select count(*) n, count(distinct concat(source, ' ', id, ' ', content_hash)) ids from records where source like '/amazon-connect/%'";
    let of = |data: &str| Server::serve(&dir.path().join(data), &["--config", config]);
    let state = |data: &str| {
        let files = std::fs::read_dir(dir.path().join(data).join("state")).unwrap();
        let mine = files.map(|e| e.unwrap().path()).find(|p| {
            p.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("prefix-")
        });
        let text = mine.map(|p| std::fs::read_to_string(p).unwrap());
        text.unwrap_or_default().lines().count()
    };
    let read = |data: &str, objects: usize| {
        until("all objects", || (state(data) == objects).then_some(()));
    };
    let server = of("killed");
    let some = exported(&folder, 0, 6);
    read("killed", some);
    // Killed while it reads the rest.
    let rest = exported(&folder, 6, usize::MAX);
    until("the first of the rest", || {
        (state("killed") > some).then_some(())
    });
    server.kill();
    let server = of("killed");
    read("killed", some + rest);
    let through = server.sql(ids);
    assert!(through[0]["n"].as_i64().unwrap() > 0);
    assert_eq!(through[0]["n"], through[0]["ids"], "nothing is kept twice");
    // How long an open one is waited for depends on when it is asked.
    let who = "select contact_id, channel, customer, started_at from contacts order by 1";
    let contacts = server.sql(who);
    server.stop();
    // Another server, which is not killed, has the same.
    let whole = of("whole");
    read("whole", some + rest);
    assert_eq!(whole.sql(ids), through);
    assert_eq!(whole.sql(who), contacts);
}
