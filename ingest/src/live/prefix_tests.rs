use std::io::Write as _;
use std::path::Path as FsPath;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::live::testing::{given, until};

fn options(folder: &FsPath, adapter: &str) -> PrefixOptions {
    PrefixOptions {
        source: String::new(),
        adapter: adapter.into(),
        instance: "acme".into(),
        zone: String::new(),
        columns: HashMap::new(),
        url: Url::from_directory_path(folder).unwrap(),
        options: BTreeMap::new(),
        every: Duration::from_millis(50),
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

fn capture(name: &str) -> Vec<u8> {
    std::fs::read(format!("sources/tests/captures/{name}")).unwrap()
}

#[tokio::test]
async fn each_object_is_read_once_and_broken_ones_again() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("exports");
    std::fs::create_dir_all(folder.join("2026/03")).unwrap();
    let call = capture("asterisk/made-ari-call.ndjson");
    let other = capture("asterisk/made-ari-waiting-room.ndjson");
    let (lines, more) = (19, 6);
    std::fs::write(folder.join("2026/03/a.ndjson"), &call).unwrap();
    let packed = gzip(&other);
    std::fs::write(folder.join("b.ndjson.gz"), &packed[..packed.len() / 2]).unwrap();
    let options = options(&folder, "asterisk");
    let name = format!("prefix {}", options.url);
    let (one, memory) = given(&dir.path().join("state"));
    let count = || memory.records.lock().len();
    let task = tokio::spawn(run(options.clone(), one.clone()));
    until("the whole object", || count() == lines).await;
    let trouble = || one.links.all()[&name].trouble.clone().unwrap_or_default();
    until("the broken one's name", || {
        trouble().contains("b.ndjson.gz")
    })
    .await;
    assert!(trouble().contains("gzip is broken"), "{}", trouble());
    std::fs::write(folder.join("b.ndjson.gz"), &packed).unwrap();
    until("the mended one", || count() == lines + more).await;
    until("no more trouble", || trouble().is_empty()).await;
    assert_eq!(one.links.all()[&name].repeated, 0);
    one.stop.cancel();
    task.await.unwrap();
    // Another process reads only what is new; that one is gone does not matter.
    std::fs::remove_file(folder.join("2026/03/a.ndjson")).unwrap();
    std::fs::write(folder.join("c.ndjson"), &call).unwrap();
    let (two, again) = given(&dir.path().join("state"));
    let task = tokio::spawn(run(options, two.clone()));
    until("the new object", || again.records.lock().len() == lines).await;
    assert!(two.links.problems().is_empty());
    two.stop.cancel();
    task.await.unwrap();
}

#[test]
fn objects_are_read_by_their_adapter_within_bounds() {
    let folder = FsPath::new("/srv/x");
    let bomb = gzip(&vec![0u8; 100_000]);
    assert_eq!(unpack(&bomb, 100_000).unwrap().unwrap().len(), 100_000);
    let why = unpack(&bomb, 99_999).unwrap_err();
    assert!(why.contains("more than 99999"), "{why}");
    let why = lines(&options(folder, "asterisk"), "a.txt", b"hello\n").unwrap_err();
    assert!(why.contains("none of the logs"), "{why}");
    let events = lines(&options(folder, "events"), "a", b"{}\n{}\n").unwrap();
    assert_eq!(events.len(), 2);
    let names = std::fs::read_dir("sources/tests/captures/amazon-connect").unwrap();
    let mut read = 0;
    for entry in names {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "json") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let all = lines(&options(folder, "amazon-connect"), &name, &gzip(&bytes)).unwrap();
            read += all
                .iter()
                .filter(|l| matches!(l, NewLine::Record(_)))
                .count();
        }
    }
    assert!(read > 0);
}
