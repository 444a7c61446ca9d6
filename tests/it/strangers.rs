//! Clients that are slow, vanish, never read, or send more than their share: others are served,
//! memory stays within a bound, and what they held is given back.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::scene::{Repeat, first_day};
use crate::support::sender::{Sender, event, lines};
use crate::support::{Server, command_by, until};
use crate::truth::{simulate, verify};

/// Patience is short: a body may stand still for 2 s, a connection for 2 + 2 + 2 x (8 + 2) =
/// 24 s.
const CONFIG: &str = "[transcribe]\nenabled = false\n[lake]\nflush = \"500ms\"\nsettle = \"500ms\"\nsilence = \"1s\"\n[limits]\nidle = \"2s\"\n[query]\ntime = \"8s\"\nwait = \"2s\"\n[as_of]\ntime = \"2s\"\n";

/// What all strangers together may add to the memory of the process, bytes: 32 requests that are
/// worked on at once, of 4 MiB each.
const MAY_GROW: u64 = 128 << 20;

/// Connects from an address of this machine, with a small window.
fn connect(from: u8, to: SocketAddr) -> TcpStream {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let from = Ipv4Addr::new(127, 0, 0, from);
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        let stream = socket.connect(to).await.unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    })
}

/// Whether the server has ended this connection, what it may have said before aside.
fn ended(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut some = [0; 4096];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(e) => return e.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

/// A connection to the PostgreSQL wire that asks for a million rows and reads none.
fn ask_and_never_read(server: &Server) -> TcpStream {
    let mut stream = connect(9, SocketAddr::from((Ipv4Addr::LOCALHOST, server.pg)));
    let names = b"user\0stranger\0database\0callboard\0\0";
    let mut start = Vec::new();
    start.extend((names.len() as u32 + 8).to_be_bytes());
    start.extend(196_608_u32.to_be_bytes());
    start.extend(names);
    stream.write_all(&start).unwrap();
    // It may speak once it is told that it may: Z, length 5, idle.
    let mut said = Vec::new();
    while !said.ends_with(b"Z\0\0\0\x05I") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    let query = b"select a.* from records a cross join (select id from records limit 400) b\0";
    stream.write_all(b"Q").unwrap();
    let length = query.len() as u32 + 4;
    stream.write_all(&length.to_be_bytes()).unwrap();
    stream.write_all(query).unwrap();
    stream
}

fn open_files(server: &Server) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", server.pid()));
    files.unwrap().count()
}

#[test]
fn clients_that_stop_drip_never_read_or_vanish_cost_others_nothing() {
    let _repeat = Repeat::of("strangers", &[]);
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let truth = dir.path().join("truth");
    let day = first_day();
    let disorder = ["--disorder", "wild", "--poison", "0", "--first-day", &day];
    simulate(
        &truth,
        "150",
        &[&["--seed", "3600"], &disorder[..]].concat(),
    );
    let lines = lines(&truth);
    let more = ["--config", config.to_str().unwrap()];
    let server = Server::serve(&dir.path().join("data"), &more);
    let to: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let sender = Sender::to(&server.url, "steady");
    let half = lines.len() / 2;
    sender.all(1, &lines[..half], Duration::ZERO);
    let (memory, files) = (server.memory(), open_files(&server));

    // 40 requests from five addresses, more than are worked on at once, that stop in the middle of
    // known events; 20 more are gone a moment later; 40 drip.
    let part = lines[..100].concat();
    let head = "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: 1000000\r\n\r\n";
    let begin = |n: u8| {
        let mut stream = connect(n % 5 + 2, to);
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut stopped: Vec<TcpStream> = (0..60).map(begin).collect();
    for stream in &mut stopped {
        stream.write_all(&part).unwrap();
    }
    drop(stopped.split_off(40));
    let drips: Vec<TcpStream> = (0..40).map(begin).collect();
    // Half of these have not even asked, the others have begun to.
    let silent = (0..200).map(|n: u8| {
        let mut stream = connect(n % 5 + 2, to);
        stream
            .write_all(&b"POST /v1/ev"[..usize::from(n % 2) * 11])
            .unwrap();
        stream
    });
    let mut silent: Vec<TcpStream> = silent.collect();
    let watch = (0..50).map(|_| {
        let mut stream = connect(7, to);
        let ask = b"GET /events/board HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(ask).unwrap();
        stream
    });
    let watch: Vec<TcpStream> = watch.collect();
    // Twice as many as there are places for queries.
    let readers: Vec<TcpStream> = (0..8).map(|_| ask_and_never_read(&server)).collect();

    let dripping = AtomicBool::new(true);
    let most = std::thread::scope(|s| {
        let drip = s.spawn(|| {
            let mut drips = drips;
            while dripping.load(Ordering::Relaxed) && !drips.is_empty() {
                // Until it is told that this is too slow, and the connection is gone.
                drips.retain_mut(|stream| stream.write_all(b" ").is_ok() && !ended(stream));
                std::thread::sleep(Duration::from_millis(200));
            }
            drips.len()
        });
        let mut most = 0;
        for some in lines[half..].chunks(60) {
            sender.all(1, some, Duration::ZERO);
            most = most.max(server.memory());
            assert!(server.number("select count(*) from contacts") > 0);
        }
        until("drips and stops are given up", || {
            most = most.max(server.memory());
            let over = stopped.iter_mut().all(ended) && drip.is_finished();
            over.then_some(())
        });
        dripping.store(false, Ordering::Relaxed);
        assert_eq!(drip.join().unwrap(), 0);
        most
    });
    let grown = most.saturating_sub(memory);
    println!(
        "memory: {} MiB before, {} MiB more at most",
        memory >> 20,
        grown >> 20
    );
    assert!(grown < MAY_GROW, "{} MiB more", grown >> 20);
    until("silent connections are closed", || {
        silent.iter_mut().all(ended).then_some(())
    });
    drop((watch, readers));
    until("files are given back", || {
        // The lake may have some open for a moment.
        (open_files(&server) <= files + 16).then_some(())
    });
    server.stop();
    // With time enough for its questions.
    let server = Server::serve(&dir.path().join("data"), &[]);
    let (equal, said) = verify(&server, &truth, "60");
    assert!(equal, "{said}");
    server.stop();
}

/// What the server says to a request on that connection, to the end of it; nothing where it was
/// closed without a word.
fn told(stream: &mut TcpStream) -> String {
    let ask = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut said = String::new();
    let whole = stream
        .write_all(ask)
        .and_then(|()| stream.read_to_string(&mut said));
    whole.map(|_| said).unwrap_or_default()
}

#[test]
fn connections_beyond_the_places_are_told_to_come_back_and_files_last() {
    let _repeat = Repeat::of("strangers", &[]);
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth");
    let day = first_day();
    let disorder = ["--disorder", "wild", "--poison", "0", "--first-day", &day];
    simulate(
        &truth,
        "150",
        &[&["--seed", "3601"], &disorder[..]].concat(),
    );
    let lines = lines(&truth);
    let half = lines.len() / 2;
    let config = dir.path().join("callboard.toml");
    // Its log of 1 GiB and its lake share the other 171 of these 256 files.
    let settings = "[transcribe]\nenabled = false\n[lake]\nflush = \"500ms\"\nsettle = \"500ms\"\nsilence = \"1s\"\nupkeep = \"2s\"\n";
    std::fs::write(&config, settings).unwrap();
    let prlimit = ["prlimit", "--nofile=256:256"].map(str::to_owned);
    let mut command = command_by(&prlimit);
    command.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"]);
    command.arg("--config").arg(&config);
    command.arg("--data").arg(dir.path().join("data"));
    let server = Server::start(command);
    let to: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let sender = Sender::to(&server.url, "steady");
    sender.all(1, &lines[..half], Duration::ZERO);

    // An address may hold half of 85 places, and the steady sender has one already.
    let mut silent: Vec<TcpStream> = (0..50).map(|_| connect(2, to)).collect();
    let full = told(&mut connect(2, to));
    assert!(
        full.starts_with("HTTP/1.1 503 ") && full.contains("retry-after: 2\r\n"),
        "{full}"
    );
    assert!(told(&mut connect(3, to)).starts_with("HTTP/1.1 200 "));
    // All places, from three addresses.
    silent.extend((0..100).map(|n| connect(n % 3 + 3, to)));
    until("all places are taken", || {
        told(&mut connect(6, to))
            .starts_with("HTTP/1.1 503 ")
            .then_some(())
    });
    // Who has a place goes on, and the lake has files enough.
    sender.all(1, &lines[half..], Duration::ZERO);
    drop(silent);
    until("places are given back", || {
        told(&mut connect(6, to))
            .starts_with("HTTP/1.1 200 ")
            .then_some(())
    });
    let (equal, said) = verify(&server, &truth, "60");
    assert!(equal, "{said}");
    server.stop();
}

#[test]
fn a_flood_of_one_source_is_told_to_come_back_and_does_not_starve_another() {
    let _repeat = Repeat::of("strangers", &[]);
    let dir = tempfile::tempdir().unwrap();
    let server = Server::serve(&dir.path().join("data"), &[]);
    let tell = |source: &str, n: u64| {
        let data = format!(
            r#""contact_id":"{n}","segment_id":"q","kind":"queue","queue":"{source}","outcome":"abandoned""#
        );
        let time = format!("2026-03-02T09:{:02}:{:02}Z", n / 60 % 60, n % 60);
        event(source, &n.to_string(), "segment.ended", &time, &data) + "\n"
    };
    let (next, taken, told) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let flooding = AtomicBool::new(true);
    let flood = Sender::to(&server.url, "flood");
    std::thread::scope(|s| {
        // More than may wait (64) beside those that are worked on (8).
        for _ in 0..90 {
            s.spawn(|| {
                while flooding.load(Ordering::Relaxed) {
                    let first = next.fetch_add(100, Ordering::Relaxed);
                    let body: String = (first..first + 100).map(|n| tell("/flood", n)).collect();
                    let answer = flood.once(body.into_bytes()).unwrap();
                    if answer.taken() {
                        taken.fetch_add(100, Ordering::Relaxed);
                    } else {
                        told.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        until("the flood is over the brim", || {
            (told.load(Ordering::Relaxed) > 0).then_some(())
        });
        let other = Sender::to(&server.url, "other");
        for n in 0..60 {
            let answer = other.once(tell("/other", n).into_bytes()).unwrap();
            assert_eq!(
                answer.status, 200,
                "event {n} of the other source: {answer:?}"
            );
        }
        flooding.store(false, Ordering::Relaxed);
    });
    let (taken, told) = (taken.into_inner(), told.into_inner());
    println!(
        "60 of 60 events of one source taken beside {taken} of a flood that was told {told} times to wait"
    );
    let count = |source: &str| {
        let sql = format!("select count(*) from records where source = '{source}'");
        u64::try_from(server.number(&sql)).unwrap()
    };
    assert_eq!((count("/other"), count("/flood")), (60, taken));
    server.stop();
}
