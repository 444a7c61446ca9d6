use super::*;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// 100,000 bytes that differ everywhere.
fn content() -> Vec<u8> {
    (0u32..25_000)
        .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect()
}

fn model(sha256: &str) -> KnownModel {
    KnownModel {
        name: "test",
        file: "ggml-test.bin",
        bytes: 100_000,
        sha256: Box::leak(sha256.to_owned().into_boxed_str()),
        language: "en",
        about: "",
        download: true,
    }
}

fn right_sum() -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, content()).unwrap();
    sha256_of(&path).unwrap().0
}

/// Serves `content()` to as many requests as `cuts` has entries, each answer broken off after
/// that many bytes; notes the Range headers.
struct Server {
    url: String,
    ranges: Arc<Mutex<Vec<Option<String>>>>,
    thread: JoinHandle<()>,
}

fn serve(cuts: Vec<Option<usize>>, knows_ranges: bool) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/models/", listener.local_addr().unwrap());
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ranges);
    let thread = std::thread::spawn(move || {
        for cut in cuts {
            let (stream, _) = listener.accept().unwrap();
            answer(stream, cut, knows_ranges, &seen);
        }
    });
    Server {
        url,
        ranges,
        thread,
    }
}

fn answer(
    mut stream: TcpStream,
    cut: Option<usize>,
    knows_ranges: bool,
    seen: &Mutex<Vec<Option<String>>>,
) {
    let mut range = None;
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("range")
        {
            range = Some(value.trim().to_owned());
        }
    }
    let from = match &range {
        Some(r) if knows_ranges => r
            .trim_start_matches("bytes=")
            .trim_end_matches('-')
            .parse()
            .unwrap(),
        _ => 0usize,
    };
    seen.lock().unwrap().push(range);
    let body = &content()[from..];
    let status = if from > 0 {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The client may hang up on a body it did not ask for.
    let _ = stream.write_all(&body[..cut.unwrap_or(body.len()).min(body.len())]);
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let server = serve(vec![Some(30_000), None], true);
    let dir = tempfile::tempdir().unwrap();
    let wanted = model(&right_sum());
    let first = download_from(&wanted, dir.path(), &server.url, &mut |_| {}).unwrap_err();
    assert!(matches!(first, DownloadError::Http { .. }), "{first}");
    assert!(!dir.path().join(wanted.file).exists());
    let mut marks = Vec::new();
    let path = download_from(&wanted, dir.path(), &server.url, &mut |p| marks.push(p)).unwrap();
    assert_eq!(fs::read(path).unwrap(), content());
    assert_eq!(marks.first().unwrap().done, 30_000);
    assert_eq!(
        marks.last().unwrap(),
        &Progress {
            done: 100_000,
            total: Some(100_000)
        }
    );
    server.thread.join().unwrap();
    assert_eq!(
        *server.ranges.lock().unwrap(),
        [None, Some("bytes=30000-".to_owned())]
    );
    // Nobody listens any more: a right file is not fetched again.
    download_from(&wanted, dir.path(), &server.url, &mut |_| {}).unwrap();
    assert!(!dir.path().join("ggml-test.bin.part").exists());
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let server = serve(vec![Some(30_000), None], false);
    let dir = tempfile::tempdir().unwrap();
    let wanted = model(&right_sum());
    download_from(&wanted, dir.path(), &server.url, &mut |_| {}).unwrap_err();
    let path = download_from(&wanted, dir.path(), &server.url, &mut |_| {}).unwrap();
    assert_eq!(fs::read(path).unwrap(), content());
    server.thread.join().unwrap();
}

#[test]
fn wrong_bytes_never_get_the_name() {
    let server = serve(vec![None], true);
    let dir = tempfile::tempdir().unwrap();
    let wanted = model(&"0".repeat(64));
    let error = download_from(&wanted, dir.path(), &server.url, &mut |_| {}).unwrap_err();
    assert!(
        matches!(&error, DownloadError::Checksum { bytes: 100_000, .. }),
        "{error}"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    server.thread.join().unwrap();
    assert!(matches!(
        download("no-such", dir.path(), Some(&server.url), &mut |_| {}),
        Err(DownloadError::Unknown(_))
    ));
}
